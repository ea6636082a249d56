"""Sweep status: finished, running and remaining trials, time left, best losses so far."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lossbench.config.dump import scalar
from lossbench.runs import grouping, read
from lossbench.sweep import verdicts
from lossbench.sweep.cost import cost
from lossbench.training import run_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lossbench.config.identity import Trial
    from lossbench.runs.decision import SweepDecision
    from lossbench.sweep.executors.messages import TrialProgress
    from lossbench.sweep.plan import PlannedTrial

STATUSES = ("completed", "diverged", "failed", "dropped", "interrupted", "running", "new")
"""Those of a run folder, `dropped` for a trial that a decision does not need, and `new` for a trial without a folder;
in the order of messages."""
FINISHED = ("completed", "diverged", "failed", "dropped")


@dataclass(frozen=True)
class Leader:
    """Validation accuracy of a loss under one condition, over the seeds completed so far.

    Attributes:
        condition: The settings that make the condition, on one line.
        loss: The loss's label.
        n: Number of seeds.
        mean: Mean accuracy, from 0 to 1.
        sd: Sample standard deviation; None for one seed.
    """

    condition: str
    loss: str
    n: int
    mean: float
    sd: float | None


class SweepStatus:
    """The status of all trials, updated by the scheduler and read by views.

    Attributes:
        trials: All trials.
        costs: Expected seconds per trial.
        threads: CPU threads per trial.
        statuses: One of `STATUSES` per trial.
        counts: Number of trials per status.
        running: Progress of running trials by number; None before their first batch.
        accuracies: Validation accuracy of completed trials by number; no choice may depend on the test set.
        failures: Reasons of failed trials by number.
        trained: Total cost of what this call has trained, parts of trials and lost ones included.
        stop_reason: Why no further trial is started; None while trials are started.
        decision: Plan and looks of a sweep that adds seeds until it is decided; None for any other.
        name_condition: Names the condition that has the given settings.
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
        self.decision: SweepDecision | None = None
        self.name_condition: Callable[[Mapping[str, Any]], str] = verdicts.condition
        self._start: tuple[float, float] | None = None

    def set_status(self, number: int, status: str) -> None:
        """Set a trial's status and update the counts."""
        self.counts[self.statuses[number]] -= 1
        self.counts[status] += 1
        self.statuses[number] = status

    def advance(self, progress: TrialProgress) -> None:
        """Record the progress of a running trial; what it had done by its first message is not trained by this call."""
        number, before = progress.number, self.running.get(progress.number)
        if before is not None:
            self.trained += self.costs[number] * (_share(progress) - _share(before))
        self.running[number] = progress

    def count_rest(self, number: int) -> None:
        """Count what a trial that has ended trained since its last progress."""
        self.trained += self.costs[number] * (1 - _share(self.running.get(number)))

    @property
    def finished(self) -> int:
        """The number of trials that are completed, diverged, failed or dropped."""
        return sum(self.counts[status] for status in FINISHED)

    @property
    def ended(self) -> int:
        """The number of trials that were trained to an end: completed, diverged or failed."""
        return self.finished - self.counts["dropped"]

    def unfinished(self, *, retry_failed: bool) -> list[int]:
        """Return the numbers of the trials to train, in order; failed trials only if they are to be retried."""
        finished = set(FINISHED) - ({"failed"} if retry_failed else set())
        return [number for number, status in enumerate(self.statuses) if status not in finished]

    def __str__(self) -> str:
        """Return e.g. `34 completed, 2 failed, 54 new of 90 trials`."""
        counts = ", ".join(f"{self.counts[status]} {status}" for status in STATUSES if self.counts[status])
        return f"{counts} of {len(self.trials)} trial{'' if len(self.trials) == 1 else 's'}"

    @property
    def is_complete(self) -> bool:
        """Whether every trial is completed or dropped."""
        return self.counts["completed"] + self.counts["dropped"] == len(self.trials)

    def seconds_left(self, elapsed: float) -> float | None:
        """Return the estimated seconds until all trials are finished; None at first.

        The speed is measured from the first call that finds something trained, so that the start of the workers and
        the first compilation do not count.

        Args:
            elapsed: Seconds since the sweep started.
        """
        if self._start is None and self.trained:
            self._start = elapsed, self.trained
        if self._start is None or elapsed <= self._start[0] or self.trained <= self._start[1]:
            return None
        speed = (self.trained - self._start[1]) / (elapsed - self._start[0])
        left = (
            self.costs[number] * (1 - _share(self.running.get(number)))
            for number in range(len(self.trials))
            if self.statuses[number] not in FINISHED
        )
        return sum(left) / speed

    def leaders(self) -> list[Leader]:
        """Return every loss with a completed trial, by condition in the order of the plan, the most accurate first."""
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
        """Condition and label of each trial, by the rule of `compare`."""
        losses = [each.loss for each in self.trials]
        rows = [
            {**{key: scalar(value) for key, value in each.settings.items()}, "loss": loss}
            for each, loss in zip(self.trials, losses, strict=True)
        ]
        conditions = grouping.group_runs(rows, by=("loss",))[0].varying
        settings = [{key: each.settings[key] for key in conditions if key in each.settings} for each in self.trials]
        return list(zip(map(self.name_condition, settings), losses, strict=True))


def read_status(planned: Sequence[PlannedTrial], runs_dir: Path) -> SweepStatus:
    """Return the status of each trial according to its run folder."""
    status = SweepStatus(planned)
    for number, each in enumerate(planned):
        summary = _summary(each.trial, runs_dir)
        status.set_status(number, summary.get("status", "new"))
        status.threads.append(_threads(each.trial, summary))
        if status.statuses[number] == "failed":
            status.failures[number] = str(summary.get("reason"))
        accuracy = summary.get("metrics", {}).get("val.last.accuracy")
        if status.statuses[number] == "completed" and accuracy is not None:
            status.accuracies[number] = accuracy
    return status


def _share(progress: TrialProgress | None) -> float:
    """Return which share of a trial is done, from 0 to 1."""
    return min(1.0, progress.done / progress.epochs) if progress else 0.0


def _leader(condition: str, loss: str, accuracies: Sequence[float]) -> Leader:
    spread = statistics.stdev(accuracies) if len(accuracies) > 1 else None
    return Leader(condition, loss, len(accuracies), statistics.fmean(accuracies), spread)


def _summary(trial: Trial, runs_dir: Path) -> Mapping[str, Any]:
    """Return `run.json` of a trial; empty if it is missing, damaged, or another trial's."""
    try:
        summary = read.read_summary(run_folder(trial, runs_dir))
    except read.BrokenRunError:
        return {}
    return summary if summary["hashes"]["identity"] == trial.identity else {}


def _threads(trial: Trial, summary: Mapping[str, Any]) -> int:
    """Return the threads that an interrupted run was started with, or the configured number, or one."""
    threads = summary.get("threads")
    return threads if type(threads) is int and threads > 0 else trial.experiment.train.threads or 1
