"""How a sweep stands: what is done, what runs, what is left, how long that takes, which losses lead. Pure."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lossbench.config.dump import scalar
from lossbench.losses.expression import label
from lossbench.runs import grouping
from lossbench.sweep.cost import cost
from lossbench.sweep.plan import phrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.sweep.executors.messages import TrialProgress
    from lossbench.sweep.plan import PlannedTrial

FINISHED = ("completed", "diverged", "failed")


@dataclass(frozen=True)
class Leader:
    """A loss under one condition: mean and deviation over the seeds so far of its test accuracy."""

    condition: str
    loss: str
    n: int
    mean: float
    sd: float | None


class SweepStatus:
    """The trials of a sweep by how they are; kept up by the scheduler, read by what shows it.

    Attributes:
        trials: All trials.
        costs: About how many seconds each takes.
        threads: The CPU threads that each is trained with.
        statuses: The status of each: one of a run folder's, or `new`.
        counts: How many have each status.
        running: How far each running trial is, by its number; None before its first batch.
        accuracies: Test accuracy of each completed trial, by its number.
        failures: Why trials failed, by their number.
        trained: The cost of what this call has trained.
        stop_reason: Why no further trial is begun, if so.
    """

    def __init__(self, trials: Sequence[PlannedTrial]) -> None:
        self.trials = trials
        self.costs = [cost(each.trial.experiment) for each in trials]
        self.threads: list[int] = []
        self.statuses = ["new"] * len(trials)
        self.counts = Counter(self.statuses)
        self.running: dict[int, TrialProgress | None] = {}
        self.accuracies: dict[int, float] = {}
        self.failures: dict[int, str] = {}
        self.trained = 0.0
        self.stop_reason: str | None = None

    def set_status(self, number: int, status: str) -> None:
        """Give a trial another status."""
        self.counts[self.statuses[number]] -= 1
        self.counts[status] += 1
        self.statuses[number] = status

    @property
    def finished(self) -> int:
        """How many trials are over: completed, diverged or failed."""
        return sum(self.counts[status] for status in FINISHED)

    @property
    def is_complete(self) -> bool:
        """Whether every trial is completed."""
        return self.counts["completed"] == len(self.trials)

    def seconds_left(self, elapsed: float) -> float | None:
        """The time that the rest takes at the speed so far; None before anything was trained."""
        under_way = {
            number: self.costs[number] * (min(1, each.done / each.epochs) if each else 0)
            for number, each in self.running.items()
        }
        done = self.trained + sum(under_way.values())
        left = sum(each for each, status in zip(self.costs, self.statuses, strict=True) if status not in FINISHED)
        return (left - sum(under_way.values())) * elapsed / done if done else None

    def leaders(self) -> list[Leader]:
        """Every loss with a completed trial: condition by condition as planned, the most accurate first."""
        groups: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for number, accuracy in sorted(self.accuracies.items()):
            condition, loss = self._cells[number]
            groups[condition][loss].append(accuracy)
        return [
            leader
            for condition, losses in groups.items()
            for leader in sorted((_leader(condition, *item) for item in losses.items()), key=lambda each: -each.mean)
        ]

    @cached_property
    def _cells(self) -> list[tuple[str, str]]:
        """The condition and the loss of each trial, by the rule of `compare`."""
        losses = [label(each.trial.experiment.loss) for each in self.trials]
        written = [{key: scalar(value) for key, value in each.settings.items()} for each in self.trials]
        rows = [{**settings, "loss": loss} for settings, loss in zip(written, losses, strict=True)]
        conditions = grouping.group_runs(rows, by=("loss",))[0].varying
        kept = [{key: each.settings[key] for key in conditions if key in each.settings} for each in self.trials]
        return list(zip(map(phrase, kept), losses, strict=True))


def _leader(condition: str, loss: str, accuracies: Sequence[float]) -> Leader:
    spread = statistics.stdev(accuracies) if len(accuracies) > 1 else None
    return Leader(condition, loss, len(accuracies), statistics.fmean(accuracies), spread)
