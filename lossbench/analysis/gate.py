"""The gate: whether a loss got worse or is not good enough, whether its seeds cannot decide that, or are not there.

A threshold fails only if the whole interval, which is not adjusted for other comparisons, lies beyond it, over at least
three seeds. A loss with diverged or failed runs fails every threshold. What should have been judged and was not is
missing evidence, which is never a pass.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lossbench.analysis.estimates import contrast
from lossbench.analysis.gate_result import GateResult, of_group
from lossbench.analysis.requirements import required_losses, required_seeds
from lossbench.analysis.thresholds import CountThreshold, Threshold
from lossbench.errors import NothingMatchedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossbench.analysis.gate_result import GateOutcome, Reason
    from lossbench.analysis.result import Block, Comparison, Group
    from lossbench.statistics import Interval

FEWEST_SEEDS = 3


def judge(comparison: Comparison) -> list[GateResult]:
    """Apply every threshold and requirement of the query to every group.

    Raises:
        UsageError: A threshold applies to differences and there is no baseline.
        NothingMatchedError: No run was found that a threshold or a stored baseline is about.
    """
    query = comparison.query
    if comparison.baseline is None and (delta := next((each for each in query.gate if each.is_delta), None)):
        raise UsageError(
            f"{delta.text!r}: there is no baseline; choose one with `baseline` or `baseline_file`",
            parameter="thresholds",
            mentions=("baseline", "baseline_file"),
        )
    required = [*required_losses(comparison), *required_seeds(comparison)]
    judged = {each: list(_judge(comparison, each)) or [_of_nothing(comparison, each)] for each in query.gate}
    results = [result for each in judged.values() for result in each] + required
    if results and not query.require_losses and not _has_evidence(comparison, results):
        raise _nothing_matched(comparison)
    return results


def _has_evidence(comparison: Comparison, results: Sequence[GateResult]) -> bool:
    """Return whether runs were found that a rule is about, or a loss that a baseline file has too."""
    groups = [group for block in comparison.blocks for group in block.groups]
    known = comparison.baseline_is_file and not comparison.query.gate and any(group.reference for group in groups)
    return known or any(each.has_evidence for each in results)


def _nothing_matched(comparison: Comparison) -> NothingMatchedError:
    if not comparison.query.gate:
        return NothingMatchedError(f"no run of a loss of {comparison.baseline}", parameter="baseline_file")
    first = comparison.query.gate[0]
    runs = "run"
    if isinstance(first, Threshold):
        pair = f"pair of runs with {comparison.baseline}"
        runs = pair if first.is_delta else f"completed run with {first.metric.name}"
    return NothingMatchedError(f"{first.text!r}: no {runs}, so nothing was judged", parameter="thresholds")


def _of_nothing(comparison: Comparison, threshold: Threshold | CountThreshold) -> GateResult:
    """Return the result of a difference where the baseline is the only loss."""
    return GateResult(threshold, str(comparison.baseline), {}, "missing", "alone")


def _judge(comparison: Comparison, threshold: Threshold | CountThreshold) -> Iterator[GateResult]:
    for block in comparison.blocks:
        for group in block.groups:
            if isinstance(threshold, CountThreshold):
                yield _of_count(block, group, threshold)
            elif not threshold.is_delta:
                yield _of_mean(block, group, threshold)
            elif comparison.baseline_is_file or group.label != comparison.baseline:
                yield _of_difference(comparison, block, group, threshold)


def _of_count(block: Block, group: Group, threshold: CountThreshold) -> GateResult:
    count = {"diverged": len(group.diverged), "failed": group.failed, "unfinished": group.unfinished}[threshold.count]
    verdict: tuple[GateOutcome, Reason] = ("passed", "count")
    if threshold.is_crossed(count):
        verdict = ("failed", "count")
    elif threshold.count != "unfinished" and threshold.is_crossed(count + group.unfinished):
        verdict = ("missing", "unfinished")  # these runs may still diverge or fail
    return replace(of_group(threshold, block, group, *verdict), mean=float(count), n=group.n)


def _of_mean(block: Block, group: Group, threshold: Threshold) -> GateResult:
    estimate = group.metrics[threshold.metric.name]
    n = len(estimate.values)
    if group.diverged or group.failed:
        verdict: tuple[GateOutcome, Reason] = ("failed", "runs")
    elif estimate.mean is None:
        verdict = ("missing", "no value" if group.n else "unfinished")
    else:
        verdict = _verdict(threshold, estimate.interval, n)
        if verdict[0] != "failed" and group.unfinished:
            verdict = ("missing", "unfinished")
    found = of_group(threshold, block, group, *verdict)
    return replace(found, mean=estimate.mean, interval=estimate.interval, n=n)


def _of_difference(comparison: Comparison, block: Block, group: Group, threshold: Threshold) -> GateResult:
    """Return the result for a difference, which needs a shared seed, unless the query is unpaired."""
    planned = threshold.metric == comparison.query.metrics[0] and group.difference and group.difference.look is not None
    difference = group.difference if planned else contrast(group, threshold.metric, comparison.query)
    if difference and not (difference.paired or comparison.query.unpaired):
        difference = None
    if group.diverged or group.failed:
        verdict: tuple[GateOutcome, Reason] = ("failed", "runs")
    elif difference is None:
        verdict = _without_difference(comparison, group, threshold)
    else:
        verdict = _verdict(threshold, difference.interval, difference.n)
        if verdict[0] != "failed" and group.unfinished:
            verdict = ("missing", "unfinished")
        elif verdict[0] != "failed" and _lacks_runs(comparison, group.reference):
            verdict = ("missing", "reference runs")
    found = of_group(threshold, block, group, *verdict, comparison.baseline if group.reference else None)
    if difference is None:
        return (
            replace(found, n=len(group.metrics[threshold.metric.name].values)) if found.reason == "no value" else found
        )
    return replace(found, mean=difference.mean, interval=difference.interval, n=difference.n)


def _without_difference(comparison: Comparison, group: Group, threshold: Threshold) -> tuple[GateOutcome, Reason]:
    """Return why a group has no difference; a loss that a baseline file cannot know yet is no fault."""
    if group.unlike:
        return "missing", "unlike"
    if group.reference is None:
        return ("undecided", "new") if comparison.baseline_is_file else ("missing", "no reference")
    if not group.n:
        return "missing", "unfinished"
    if not group.reference.n:
        return "missing", "reference runs"
    means = [each.metrics[threshold.metric.name].mean for each in (group, group.reference)]
    return "missing", "no value" if None in means else "no pair"


def _lacks_runs(comparison: Comparison, reference: Group | None) -> bool:
    """Return whether runs of a baseline failed or are unfinished; those of a file cannot be repaired here."""
    return bool(reference and not comparison.baseline_is_file and (reference.failed or reference.unfinished))


def _verdict(threshold: Threshold, interval: Interval | None, n: int) -> tuple[GateOutcome, Reason]:
    if interval is None or n < FEWEST_SEEDS:
        return "undecided", "few seeds"
    crossed = {threshold.is_crossed(end) for end in interval}
    if len(crossed) > 1:
        return "undecided", "noise"
    return ("failed", "beyond") if True in crossed else ("passed", "within")
