"""Result of a sweep, for Python users."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
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
        failures: Reason of each failed run, those of the tuning included; a setting with such a run is chosen last.
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


def outcome(
    status: SweepStatus, folder: Path, runs_dir: Path, tuning_failures: Mapping[Path, str] = MappingProxyType({})
) -> SweepResult:
    """Return the result of a sweep whose trials have these statuses, and whose tuning has these failures."""
    runs = [run_folder(each.trial, runs_dir) for each in status.trials]
    reasons = {**tuning_failures, **failures(status, runs_dir)}
    verdicts = verdict_rows(status.decision) if status.decision else ()
    return SweepResult(folder, dict(zip(runs, status.statuses, strict=True)), reasons, status.stop_reason, verdicts)


def failures(status: SweepStatus, runs_dir: Path) -> dict[Path, str]:
    """Return the reason of each failed run by its folder."""
    return {run_folder(status.trials[number].trial, runs_dir): why for number, why in status.failures.items()}
