"""The gate: whether a loss got worse or is not good enough, or whether its seeds cannot decide that.

The gate fails only if the whole interval, which is not adjusted for other comparisons, lies beyond the threshold, over
at least three seeds. A loss with diverged runs fails every threshold of a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from lossbench.analysis.estimates import contrast
from lossbench.errors import NothingMatchedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lossbench.analysis.result import Block, Comparison, Group
    from lossbench.analysis.thresholds import Threshold
    from lossbench.runs.rows import Scalar
    from lossbench.statistics import Interval

GateOutcome: TypeAlias = Literal["passed", "failed", "undecided"]

FEWEST_SEEDS = 3


@dataclass(frozen=True)
class GateResult:
    """One threshold applied to one group.

    Attributes:
        threshold: Which.
        label: The group.
        condition: Its condition's keys and values.
        reference: What a difference is from; None for a threshold of the mean, and where there is nothing to compare.
        outcome: passed, failed, or undecided: the interval holds the threshold, or there are too few seeds.
        mean: Of the difference or of the metric itself; None without values.
        interval: Around it, not adjusted; None for one seed.
        n: Number of seeds.
        diverged: How many runs of the group diverged.
    """

    threshold: Threshold
    label: str
    condition: Mapping[str, Scalar]
    reference: str | None
    outcome: GateOutcome
    mean: float | None = None
    interval: Interval | None = None
    n: int = 0
    diverged: int = 0


def judge(comparison: Comparison) -> list[GateResult]:
    """Apply every threshold of the query to every group.

    Raises:
        UsageError: A threshold applies to differences and there is no baseline.
        NothingMatchedError: A threshold applies to no pair of runs, or to no completed run.
    """
    thresholds = comparison.query.gate
    if comparison.baseline is None and (delta := next((each for each in thresholds if each.is_delta), None)):
        raise UsageError(
            f"{delta.text!r}: there is no baseline; choose one with `baseline` or `baseline_file`",
            parameter="thresholds",
            mentions=("baseline", "baseline_file"),
        )
    gate_results = [result for each in thresholds for result in _judge(comparison, each)]
    for each in thresholds:
        judged = (result for result in gate_results if result.threshold is each)
        if not any(result.n or (result.diverged and result.reference) for result in judged):
            pairs, runs = f"pair of runs with {comparison.baseline}", f"completed run with {each.metric.name}"
            what = f"no {pairs if each.is_delta else runs}"
            raise NothingMatchedError(f"{each.text!r}: {what}, so nothing was judged", parameter="thresholds")
    return gate_results


def _judge(comparison: Comparison, threshold: Threshold) -> Iterator[GateResult]:
    for block in comparison.blocks:
        for group in block.groups:
            if not threshold.is_delta:
                yield _of_mean(block, group, threshold)
            elif comparison.baseline_is_file or group.label != comparison.baseline:
                yield _of_difference(comparison, block, group, threshold)
    if threshold.is_delta:
        for label, condition in comparison.absent:
            yield GateResult(threshold, label, condition, comparison.baseline, "undecided")


def _of_mean(block: Block, group: Group, threshold: Threshold) -> GateResult:
    """Return the result for a mean; without the diverged runs of its group, a mean cannot pass."""
    estimate = group.metrics[threshold.metric.name]
    n = len(estimate.values) if estimate.mean is not None else 0
    outcome = _outcome(threshold, estimate.interval, n)
    if group.diverged and outcome == "passed":
        outcome = "undecided"
    values = (outcome, estimate.mean, estimate.interval, n, len(group.diverged))
    return GateResult(threshold, group.label, block.condition, None, *values)


def _of_difference(comparison: Comparison, block: Block, group: Group, threshold: Threshold) -> GateResult:
    """Return the result for a difference; it is undecided without a shared seed, unless the query is unpaired."""
    reference = comparison.baseline if group.reference else None
    difference = contrast(group, threshold.metric, comparison.query)
    if difference is None or not (difference.paired or comparison.query.unpaired):
        outcome: GateOutcome = "failed" if group.diverged else "undecided"
        return GateResult(threshold, group.label, block.condition, reference, outcome, diverged=len(group.diverged))
    outcome = "failed" if group.diverged else _outcome(threshold, difference.interval, difference.n)
    values = (outcome, difference.mean, difference.interval, difference.n, len(group.diverged))
    return GateResult(threshold, group.label, block.condition, reference, *values)


def _outcome(threshold: Threshold, interval: Interval | None, n: int) -> GateOutcome:
    if interval is None or n < FEWEST_SEEDS:
        return "undecided"
    crossed = {threshold.is_crossed(end) for end in interval}
    return "undecided" if len(crossed) > 1 else "failed" if True in crossed else "passed"
