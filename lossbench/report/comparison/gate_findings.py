"""The gate's findings, a sentence each: which loss, by how much, the interval, the threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.analysis.gate import FEWEST_SEEDS
from lossbench.report import formatting
from lossbench.report.formatting import clean
from lossbench.report.wording import named

if TYPE_CHECKING:
    from lossbench.analysis.gate import Finding


def sentence(finding: Finding, confidence: float) -> str:
    """What was found of a loss, and of what threshold."""
    return f"{named(finding.label, finding.condition)}: {_found(finding, confidence)}: {clean(finding.threshold.text)}"


def _found(finding: Finding, confidence: float) -> str:
    if finding.outcome == "failed" and finding.diverged and finding.threshold.is_delta:
        return f"{formatting.counted(finding.diverged, 'run')} diverged, which fails every threshold of a difference"
    if finding.mean is None:
        return f"undecided, {_nothing(finding)}"
    measured = _measured(finding, confidence)
    if finding.outcome == "undecided":
        return f"undecided, {measured}, {_doubt(finding)}"
    return f"{measured}, wholly {'beyond' if finding.outcome == 'failed' else 'within'} the threshold"


def _doubt(finding: Finding) -> str:
    """Why a measured value decides nothing."""
    if finding.n < FEWEST_SEEDS:
        return f"and at least {FEWEST_SEEDS} are needed for"
    if finding.diverged:
        return f"but {formatting.counted(finding.diverged, 'run')} more diverged"
    return "on both sides of the threshold"


def _nothing(finding: Finding) -> str:
    if not finding.threshold.is_delta:
        return "no completed run"
    return "no run to pair with " + clean(finding.reference or "a baseline in this condition")


def _measured(finding: Finding, confidence: float) -> str:
    """The value, what it is from, the interval as a ± and from end to end, and the seeds."""
    judged = finding.threshold.measure
    text, ends = formatting.value(judged, finding.mean), formatting.interval(judged, finding.interval)
    unit = " %" if judged.in_percent else ""
    if finding.threshold.is_delta:
        text, unit = formatting.signed(judged, finding.mean or 0), f" {formatting.unit(judged)}".rstrip()
        ends = formatting.signed_interval(judged, finding.interval)
    against = f" against {clean(finding.reference)}" if finding.reference else ""
    spread = ""
    if finding.interval:
        half = formatting.value(judged, finding.interval.half_width)
        spread = f" ± {half}{unit} ({formatting.percent(confidence)} interval {ends})"
    else:
        text += unit
    return f"{judged.title} {text}{spread}{against} over {formatting.counted(finding.n, 'seed')}"
