"""One trial after the other in this process; a failed one does not stop the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lossbench.errors import DeviceError, InterruptedRunError, LossbenchError, MachineError
from lossbench.runs import paths, read
from lossbench.training import Outcome, train

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lossbench.config.identity import Trial
    from lossbench.losses.plugin import PluginLoaded


@dataclass
class Tally:
    """How the trials of a sweep ended: by status, and the reasons of those that failed."""

    statuses: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether every trial is completed."""
        return not (self.statuses["failed"] or self.statuses["diverged"])


def run(
    trials: Sequence[Trial],
    *,
    runs_dir: Path,
    device: str = "auto",
    plugins: Sequence[PluginLoaded] = (),
    argv: Sequence[str] = (),
    fail_fast: bool = False,
    tell: Callable[[int, Trial, str], None] = lambda *_: None,
) -> Tally:
    """Train every trial that is not done yet.

    Args:
        trials: In the order in which they are trained.
        runs_dir: Where the run folders go.
        device: `auto`, `cpu`, `gpu` or `gpu:N`.
        plugins: The files of the user's own losses.
        argv: The command line, for `run.json`.
        fail_fast: Stop at the first trial that fails.
        tell: Hears of each trial: its number from 1, the trial, and how it ended.

    Raises:
        InterruptedRunError: A signal stopped it; the same call continues.
        MachineError: A folder cannot be written.
        DeviceError: The device is not there.
    """
    tally = Tally()
    for number, trial in enumerate(trials, 1):
        try:
            outcome = train(trial, runs_dir=runs_dir, device=device, plugins=plugins, argv=argv)
        except (InterruptedRunError, MachineError, DeviceError):
            raise
        except LossbenchError as error:
            tally.statuses["failed"] += 1
            tally.failures.append(f"{trial.folder}: {error}")
            tell(number, trial, f"failed: {error}")
            if fail_fast:
                break
        else:
            tally.statuses[outcome.status] += 1
            tell(number, trial, _said(outcome))
    return tally


def status(trial: Trial, runs_dir: Path) -> str:
    """What is there of a trial: the status of its run folder, or `new`."""
    try:
        return read.read(paths.run_folder(runs_dir, trial.experiment.name, trial.folder)).status
    except read.BrokenRunError:
        return "new"


def _said(outcome: Outcome) -> str:
    accuracy = outcome.summary["metrics"].get("test.last.accuracy")
    shown = outcome.status if accuracy is None else f"test accuracy {accuracy:.2%}"
    return f"{shown} (done before)" if outcome.was_done else shown
