"""Result of a sweep, for Python users."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lossbench.sweep.verdicts import verdict_rows
from lossbench.training import run_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lossbench.sweep.status import SweepStatus
    from lossbench.sweep.verdicts import VerdictRow


@dataclass(frozen=True, repr=False)
class SweepResult:
    """Result of a sweep.

    Attributes:
        folder: The sweep's folder, for `lossbench.compare`.
        statuses: Status of each run folder, in the order of the trials: `completed`, `diverged`, `failed`, `dropped` if
            everything was decided without it, or `new` if the sweep stopped before it.
        failures: Reason of each failed run.
        stop_reason: Why the sweep stopped before all trials were dispatched; None if it did not.
        verdicts: Loss, condition, verdict and number of seeds of each comparison, if seeds were added until it was
            decided.
    """

    folder: Path
    statuses: Mapping[Path, str]
    failures: Mapping[Path, str]
    stop_reason: str | None = None
    verdicts: Sequence[VerdictRow] = ()

    @property
    def runs(self) -> Sequence[Path]:
        """The run folders, in the order of the trials."""
        return tuple(self.statuses)

    @property
    def is_complete(self) -> bool:
        """Whether every run that is needed is completed; a diverged run is not."""
        return set(self.statuses.values()) <= {"completed", "dropped"}

    def __repr__(self) -> str:
        """Return e.g. `<SweepResult runs/study: 15 completed, 1 failed>`."""
        counts = ", ".join(f"{number} {status}" for status, number in Counter(self.statuses.values()).items())
        return f"<SweepResult {self.folder}: {counts}>"


def outcome(status: SweepStatus, folder: Path, runs_dir: Path) -> SweepResult:
    """Return the result of a sweep whose trials have these statuses."""
    runs = [run_folder(each.trial, runs_dir) for each in status.trials]
    failures = {runs[number]: reason for number, reason in status.failures.items()}
    verdicts = verdict_rows(status.decision) if status.decision else ()
    return SweepResult(folder, dict(zip(runs, status.statuses, strict=True)), failures, status.stop_reason, verdicts)
