"""The gate's results, a sentence each: which loss, by how much, the interval, the threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.analysis.gate import FEWEST_SEEDS
from lossbench.report import formatting
from lossbench.report.formatting import clean
from lossbench.report.wording import named

if TYPE_CHECKING:
    from lossbench.analysis.gate import GateResult


def gate_sentence(result: GateResult, confidence: float) -> str:
    """What was found of a loss, and of what threshold."""
    return f"{named(result.label, result.condition)}: {_found(result, confidence)}: {clean(result.threshold.text)}"


def _found(result: GateResult, confidence: float) -> str:
    if result.outcome == "failed" and result.diverged and result.threshold.is_delta:
        return f"{formatting.counted(result.diverged, 'run')} diverged, which fails every threshold of a difference"
    if result.mean is None:
        return f"undecided, {_nothing(result)}"
    measured = _measured(result, confidence)
    if result.outcome == "undecided":
        return f"undecided, {measured}, {_doubt(result)}"
    return f"{measured}, wholly {'beyond' if result.outcome == 'failed' else 'within'} the threshold"


def _doubt(result: GateResult) -> str:
    """Why a measured value decides nothing."""
    if result.n < FEWEST_SEEDS:
        return f"and at least {FEWEST_SEEDS} are needed for"
    if result.diverged:
        return f"but {formatting.counted(result.diverged, 'run')} more diverged"
    return "on both sides of the threshold"


def _nothing(result: GateResult) -> str:
    if not result.threshold.is_delta:
        return "no completed run"
    return "no run to pair with " + clean(result.reference or "a baseline in this condition")


def _measured(result: GateResult, confidence: float) -> str:
    """The value, what it is from, the interval as a ± and from end to end, and the seeds."""
    judged = result.threshold.measure
    text, ends = formatting.value(judged, result.mean), formatting.interval(judged, result.interval)
    unit = " %" if judged.in_percent else ""
    if result.threshold.is_delta:
        text, unit = formatting.signed(judged, result.mean or 0), f" {formatting.unit(judged)}".rstrip()
        ends = formatting.signed_interval(judged, result.interval)
    against = f" against {clean(result.reference)}" if result.reference else ""
    spread = ""
    if result.interval:
        half = formatting.value(judged, result.interval.half_width)
        spread = f" ± {half}{unit} ({formatting.percent(confidence)} interval {ends})"
    else:
        text += unit
    return f"{judged.title} {text}{spread}{against} over {formatting.counted(result.n, 'seed')}"
