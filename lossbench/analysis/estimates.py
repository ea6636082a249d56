"""Estimates of a metric over seeds, and contrasts of a group with its reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench import statistics
from lossbench.analysis.result import Contrast, Estimate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.analysis.query import Query
    from lossbench.analysis.result import Group
    from lossbench.metrics import Metric
    from lossbench.runs.rows import RunRow
    from lossbench.statistics import Interval


def by_seed(runs: Iterable[RunRow]) -> dict[int, list[RunRow]]:
    """Return the completed runs by seed, in the order of seeds: one, or several to be averaged."""
    completed: dict[int, list[RunRow]] = {}
    for run in sorted(runs, key=lambda run: int(run["seed"] or 0)):
        if run["status"] == "completed":
            completed.setdefault(int(run["seed"] or 0), []).append(run)
    return completed


def average_by_seed(completed: Mapping[int, Sequence[RunRow]], column: str) -> dict[int, float | None]:
    """Return a metric by seed, averaged where a seed has several runs; None where one of them lacks it."""
    values: dict[int, float | None] = {}
    for seed, runs in completed.items():
        numbers = [value for run in runs if isinstance(value := run.get(column), int | float)]
        values[seed] = sum(numbers) / len(numbers) if len(numbers) == len(runs) else None
    return values


def estimate(values: Mapping[int, float | None], confidence: float = 0.95) -> Estimate:
    """Compute mean, sample standard deviation (n - 1) and interval of a metric over seeds.

    Args:
        values: The metric by seed; None where a completed run lacks it.
        confidence: Confidence of the interval, in (0, 1).
    """
    present = {seed: value for seed, value in values.items() if value is not None}
    numbers = list(present.values())
    if not numbers or len(present) < len(values):
        return Estimate(present)
    mean, sd = float(np.mean(numbers)), statistics.deviation(numbers)
    return Estimate(present, mean, sd, statistics.t_interval(numbers, confidence))


def contrast(group: Group, metric: Metric, query: Query) -> Contrast | None:
    """Contrast a group with its reference in one metric.

    Seeds are paired, unless the query says otherwise or no seed is shared.

    Returns:
        Group minus reference; None where one of them has no value, or where they are not alike.
    """
    if group.reference is None or group.unlike:
        return None
    ours, theirs = group.metrics[metric.name], group.reference.metrics[metric.name]
    if ours.mean is None or theirs.mean is None:
        return None
    shared = sorted(ours.values.keys() & theirs.values.keys())
    if query.unpaired or not shared:
        return _unpaired(ours, theirs, query.confidence)
    values = {seed: ours.values[seed] - theirs.values[seed] for seed in shared}
    interval = statistics.t_interval(list(values.values()), query.confidence)
    lost = len(set(group.diverged) & theirs.values.keys())
    gifts = len(set(group.reference.diverged) & ours.values.keys())
    return paired_contrast(values, metric, interval, lost, gifts)


def paired_contrast(
    values: Mapping[int, float], metric: Metric, interval: Interval | None, lost: int, gifts: int
) -> Contrast:
    """Return the contrast of paired differences, without a test.

    Args:
        values: Differences by seed, at least one.
        metric: The metric.
        interval: The interval of their mean.
        lost: Number of seeds in which the group diverged and the reference did not.
        gifts: Number of seeds in which the reference diverged and the group did not.
    """
    differences = np.array(list(values.values()))
    sd = statistics.deviation(differences)
    gains = [metric.gain(value) for value in values.values()]
    return Contrast(
        values=values,
        mean=float(differences.mean()),
        interval=interval,
        n=len(values),
        paired=True,
        effect=float(differences.mean()) / sd if sd else None,
        p=None,
        won=sum(gain > 0 for gain in gains) + gifts,
        tied=sum(gain == 0 for gain in gains),
        contested=len(values) + lost + gifts,
    )


def _unpaired(ours: Estimate, theirs: Estimate, confidence: float) -> Contrast:
    first, second = list(ours.values.values()), list(theirs.values.values())
    interval, p = statistics.welch(first, second, confidence)
    mean = float(np.mean(first) - np.mean(second))
    pooled = None
    if ours.sd is not None and theirs.sd is not None:
        freedom = len(first) + len(second) - 2
        pooled = (((len(first) - 1) * ours.sd**2 + (len(second) - 1) * theirs.sd**2) / freedom) ** 0.5
    return Contrast(
        values={},
        mean=mean,
        interval=interval,
        n=min(len(first), len(second)),
        paired=False,
        effect=mean / pooled if pooled else None,
        p=p,
    )
