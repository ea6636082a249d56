"""The stages of `lossbench sweep`: tuning, if the sweep tunes, then the comparison."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lossbench.cli import console
from lossbench.cli.sweep_view import view
from lossbench.errors import InterruptedRunError, UnfinishedRunError
from lossbench.json_data import to_json
from lossbench.runs.paths import TUNING_RUNS
from lossbench.sweep import own_losses, tune
from lossbench.sweep.cost import shard
from lossbench.sweep.executors.choice import choose
from lossbench.sweep.executors.messages import WorkerSettings
from lossbench.sweep.journal import Journal
from lossbench.sweep.scheduler import run
from lossbench.sweep.status import read_status
from lossbench.training.signals import stop_request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    from lossbench.losses.plugin import PluginLoaded
    from lossbench.sweep.decide import Decider
    from lossbench.sweep.executors.choice import ExecutorName
    from lossbench.sweep.executors.messages import Executor
    from lossbench.sweep.plan import PlannedTrial
    from lossbench.sweep.scheduler import Rules
    from lossbench.sweep.status import SweepStatus
    from lossbench.sweep.tune import TuningStage


@dataclass(frozen=True)
class Stages:
    """What both stages have in common: how trials are trained and shown.

    Attributes:
        executor: Name of the executor.
        options: Its other options.
        device: Device of the workers.
        plugins: Files with the user's own losses.
        rules: Handling of lost workers and failed trials.
        shard: Number of the part to train, and the number of parts.
        quiet: Whether to hide the progress.
        as_json: Whether to print events as JSON.
    """

    executor: ExecutorName | None
    options: dict[str, Any]
    device: str
    plugins: Sequence[PluginLoaded]
    rules: Rules
    shard: tuple[int, int]
    quiet: bool
    as_json: bool

    def status(self, trials: Sequence[PlannedTrial], runs_dir: Path) -> SweepStatus:
        """Return the status of the trials of this part."""
        return read_status(shard(trials, *self.shard), runs_dir)

    def start(self, status: SweepStatus, runs_dir: Path, folder: Path, *, finished: bool) -> Callable[[], Executor]:
        """Check the options of the executor and return the function that starts it."""
        settings = self._workers(runs_dir)
        return choose(self.executor, settings, status.trials, folder=folder, finished=finished, **self.options)

    def train(self, status: SweepStatus, runs_dir: Path, folder: Path, decider: Decider | None = None) -> None:
        """Train the trials of a stage.

        Args:
            status: The trials.
            runs_dir: Folder that contains `folder`.
            folder: Folder of the run folders.
            decider: Chooses the next trial; None: all trials are trained in order.
        """
        finished = status.finished == len(status.trials)
        start_executor = self.start(status, runs_dir, folder, finished=finished)
        with console.status("trying your losses", quiet=self.quiet or self.as_json):
            own_losses.check(status, self._workers(runs_dir), self.rules)
        train(
            status,
            start_executor,
            runs_dir=runs_dir,
            folder=folder,
            rules=self.rules,
            decider=decider,
            quiet=self.quiet,
            as_json=self.as_json,
        )

    def tune(self, stage: TuningStage) -> tuple[TuningStage | None, list[str]]:
        """Train the tuning trials of this part and make the choices.

        Returns:
            The stage with its choices, or None if other parts have trials left; a line per failed trial.

        Raises:
            UnfinishedRunError: The stage stopped before all of its trials were dispatched.
        """
        if stage.tuning.is_complete:
            return stage, []
        stage.begin()
        status, folder = self.status(stage.trials, stage.folder), stage.folder / TUNING_RUNS
        self.note(f"tuning: {status}")
        self.train(status, stage.folder, folder)
        failed = failures(status, folder)
        if status.stop_reason:
            raise unfinished(status, folder)
        if stage.unfinished():
            return None, failed
        stage = stage.concluded()
        Journal(stage.folder).add(choices := tune.choices(stage.tuning))
        if self.as_json:
            console.result(to_json(choices, indent=None), end="")
        return stage, failures(status, folder, can_retry=False)

    def note(self, text: str) -> None:
        """Print a line to stderr, unless progress is hidden."""
        if not self.quiet and not self.as_json:
            console.note(text)

    def _workers(self, runs_dir: Path) -> WorkerSettings:
        plugins = [str(each.path) for each in self.plugins]
        return WorkerSettings(str(runs_dir), self.device, plugins=plugins, argv=sys.argv)


def train(
    status: SweepStatus,
    start_executor: Callable[[], Executor],
    *,
    runs_dir: Path,
    folder: Path,
    rules: Rules,
    decider: Decider | None,
    quiet: bool,
    as_json: bool = False,
) -> None:
    """Train all trials and show the progress.

    Raises:
        InterruptedRunError: A signal stopped the sweep; the message says that the same command continues it.
    """
    try:
        with view(status, quiet=quiet, as_json=as_json) as shown, stop_request() as stop:
            run(
                status,
                start_executor,
                runs_dir=runs_dir,
                journal=Journal(folder),
                stop=stop,
                rules=rules,
                on_event=shown.handle,
                decider=decider,
            )
    except InterruptedRunError as error:
        again = f"the same command continues: {shlex.join(['lossbench', *sys.argv[1:]])}"
        raise InterruptedRunError(f"{error}; {status}\n{again}", error.signal) from None


def unfinished(status: SweepStatus, folder: Path, failed: Sequence[str] = ()) -> UnfinishedRunError:
    """Return the error of a sweep that stopped, or in which trials failed or diverged, with the reasons.

    Args:
        status: The trials.
        folder: Folder of the run folders.
        failed: Lines on trials of an earlier stage.
    """
    lines = [*failed, *failures(status, folder)]
    return UnfinishedRunError("\n".join(lines) or "some runs diverged; lossbench compare counts them")


def failures(status: SweepStatus, folder: Path, *, can_retry: bool = True) -> list[str]:
    """Return why a stage stopped, and the reason of each failed trial; once choices are made, none is retried."""
    lines = [status.stop_reason] if status.stop_reason else []
    for number, reason in status.failures.items():
        trial = status.trials[number].trial
        lines.append(f"{trial.folder} failed: {reason}; see {folder / trial.folder / 'log.txt'}")
    if status.failures and can_retry and not status.stop_reason:
        lines.append("the same command with --retry-failed trains the failed trials again")
    return lines
