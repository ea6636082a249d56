"""Check of the users' losses of a sweep before any trial is trained.

Another process calls the losses, on the CPU: this one never imports TensorFlow, and no GPU memory is taken.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lossbench import ops
from lossbench.errors import PluginError
from lossbench.losses import plugin
from lossbench.sweep.executors.local import environment
from lossbench.sweep.executors.messages import from_plain, to_plain
from lossbench.training import checks, runtime, user_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.config.schema import Experiment
    from lossbench.sweep.executors.messages import WorkerSettings
    from lossbench.sweep.scheduler import Rules
    from lossbench.sweep.status import SweepStatus

COMMAND = (sys.executable, "-P", "-m", "lossbench.sweep.own_losses")


def check(status: SweepStatus, settings: WorkerSettings, rules: Rules, *, in_memory: bool = False) -> None:
    """Call every user's loss of the trials that are still to be trained, once per choice of its hyperparameters.

    Args:
        status: The trials.
        settings: Settings of the workers, with the plugins.
        rules: Which trials are trained, and how long one may take, which is also the limit of this check.
        in_memory: Whether losses are in the memory of this process, which then calls them itself.

    Raises:
        PluginError: Training would refuse losses; one line each.
    """
    if not settings.plugins:
        return
    unfinished = status.unfinished(retry_failed=rules.retry_failed)
    own = checks.own_losses(status.trials[number].trial.experiment for number in unfinished)
    if own and in_memory:
        _call_here(own, status.trials[unfinished[0]].trial.experiment, settings.device)
    elif own and (refused := _call_in_child(own, settings.plugins, rules.timeout)):
        raise PluginError(refused)


def _call_here(own: Sequence[Experiment], first: Experiment, device: str) -> None:
    """Call the losses in this process, which is started for the first trial."""
    count = first.train.threads or runtime.default_threads(first)
    runtime.start(device=device, threads=count)
    with user_loss.isolated():
        checks.call_own_losses(own)


def _call_in_child(own: Sequence[Experiment], plugins: Sequence[str], timeout: float | None) -> str:
    """Return why training would refuse losses; empty if it would not, or if a loss ends the process or hangs.

    A loss that ends its process or hangs fails in its trials, whose logs say more.
    """
    request = json.dumps({"plugins": [*plugins], "experiments": [*map(to_plain, own)]})
    with suppress(subprocess.TimeoutExpired):
        # The command is lossbench's own module; everything else goes through stdin.
        done = subprocess.run(  # noqa: S603
            COMMAND, input=request, capture_output=True, text=True, env=environment(), timeout=timeout, check=False
        )
        return str(json.loads(done.stdout)) if done.returncode == 0 and done.stdout else ""
    return ""


def main() -> None:
    """Call the losses of the configurations on stdin, and write why training would refuse them to stdout, as JSON."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of libraries and plugins is not the answer
    ops.claim_process()
    request = json.load(sys.stdin)
    for path in request["plugins"]:
        plugin.load(Path(path))
    runtime.start(device="cpu", threads=runtime.cores())
    refused = ""
    try:
        checks.call_own_losses(map(from_plain, request["experiments"]))
    except PluginError as error:
        refused = str(error)
    json.dump(refused, out)
    out.close()


if __name__ == "__main__":
    main()
