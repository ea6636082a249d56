"""Expected duration of a sweep: as earlier runs took, or in proportion to the cost of its trials."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lossbench.sweep import earlier_runs
from lossbench.sweep.comparisons import planned_row
from lossbench.sweep.cost import cost
from lossbench.training.gpus import installed
from lossbench.training.runtime import processor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.runs.rows import RunRow
    from lossbench.sweep.plan import PlannedTrial

START_SECONDS = 4.0
"""Seconds until a worker has imported TensorFlow."""


@dataclass(frozen=True)
class Duration:
    """Time until the remaining trials are finished.

    Attributes:
        trials: Number of trials to train.
        seconds: Expected seconds.
        workers: Trials at a time; None on a cluster, where `seconds` is the sum over trials.
        measured: Number of these trials with earlier runs of the same model, data, epochs, batch size, device and
            threads; the others are estimated.
        runs: Number of these earlier runs.
    """

    trials: int
    seconds: float
    workers: int | None
    measured: int
    runs: int


def duration(
    trials: Sequence[PlannedTrial], earlier: Sequence[RunRow], *, device: str, workers: int | None
) -> Duration:
    """Compute how long trials take: the median of earlier runs like them; without any, from the cost model.

    Where some trials have earlier runs, the cost of the others is scaled by the median ratio of time to cost.

    Args:
        trials: The trials to train.
        earlier: Completed runs.
        device: `auto`, `cpu`, `gpu` or `gpu:N`.
        workers: Trials at a time; None on a cluster.
    """
    on_cpu = device == "cpu" or (device == "auto" and not installed())
    known = earlier_runs.seconds_by_speed(earlier, processor=processor() if on_cpu else None)
    kinds = {each.trial.identity: each for each in trials}
    speeds = {identity: _speed(each) for identity, each in kinds.items()}
    used = {speed: known[speed] for speed in speeds.values() if speed in known}
    medians = {speed: statistics.median(seconds) for speed, seconds in used.items()}
    costs = [cost(each.trial.experiment) for each in trials]
    times = [medians.get(speeds[each.trial.identity]) for each in trials]
    ratios = [time / cost for time, cost in zip(times, costs, strict=True) if time is not None]
    scale = statistics.median(ratios) if ratios else 1.0
    total = sum(scale * cost if time is None else time for time, cost in zip(times, costs, strict=True))
    return Duration(
        trials=len(trials),
        seconds=START_SECONDS + total / min(workers or 1, len(trials)) if trials else 0.0,
        workers=workers,
        measured=len(ratios),
        runs=sum(map(len, used.values())),
    )


def _speed(planned: PlannedTrial) -> earlier_runs.Speed:
    return earlier_runs.speed(planned_row(planned.trial), planned.trial.experiment.train.threads or 1)
