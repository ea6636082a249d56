"""Content of the forest plot of one condition: all losses on one axis, each with its interval and verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lossbench.report import figures, formatting, wording
from lossbench.report.comparison import columns
from lossbench.report.formatting import clean
from lossbench.statistics import Interval

if TYPE_CHECKING:
    from lossbench.analysis.result import Block, Comparison, Group
    from lossbench.metrics import Metric

FAR = 10
"""A loss is beyond the axis if it is this many times as far from the reference as the median loss, so that one that
failed does not squash the others."""

MARGIN = 0.06
"""Room at each end of the axis, as a share of its length."""

DECIDED = {"better", "worse", "equivalent", "identical"}


@dataclass(frozen=True)
class ForestRow:
    """One loss.

    Attributes:
        label: The loss.
        value: Its difference from the baseline, or its mean, in the unit of the axis; None where it has none.
        interval: The interval of `value`; None where there is none.
        numbers: Both as text, with their unit.
        verdict: The verdict, `baseline`, or the reason why there is no value.
        is_decided: Whether the verdict says more than `undecided`.
    """

    label: str
    value: float | None
    interval: Interval | None
    numbers: str
    verdict: str
    is_decided: bool


@dataclass(frozen=True)
class Forest:
    """The forest plot of one condition.

    Attributes:
        title: What is drawn.
        note: The meaning of the marks, a sentence per mark that occurs.
        axis: The axis with its unit and the direction of better values.
        rows: The losses in the order of the table, the best mean first.
        confidence: Confidence of the intervals, such as `95 %`.
        reference: The baseline's position; None without one.
        rope: Half the width of the band of equivalence; None without one.
        low: The left end of the axis.
        high: The right end of the axis.
    """

    title: str
    note: str
    axis: str
    rows: tuple[ForestRow, ...]
    confidence: str
    reference: float | None = None
    rope: float | None = None
    low: float = 0.0
    high: float = 1.0

    def arrows(self, row: ForestRow) -> list[str]:
        """Return an arrow for each side on which a row leaves the axis, with its value if the value does too."""
        if row.value is None:
            return []
        low, high = row.interval or (row.value, row.value)
        number = row.numbers.partition(" ")[0]
        left = f"← {number}" if row.value < self.low else "←"
        right = f"{number} →" if row.value > self.high else "→"
        return [left] * (low < self.low) + [right] * (high > self.high)

    def shows(self, row: ForestRow) -> bool:
        """Return whether a row's value lies on the axis."""
        return row.value is not None and self.low <= row.value <= self.high


def forest(comparison: Comparison, block: Block) -> Forest | None:
    """Return the forest plot of one condition in the first metric; None if no loss has a value.

    Losses are drawn as differences from the baseline, which is at 0: only the interval of the paired difference shows
    whether a loss is better. Where nothing is compared, they are drawn as means.
    """
    is_compared = any(group.difference for group in block.groups)
    found = _differences(comparison, block) if is_compared else _means(comparison, block)
    return found if any(row.value is not None for row in found.rows) else None


def _differences(comparison: Comparison, block: Block) -> Forest:
    metric, query, baseline = comparison.query.metrics[0], comparison.query, clean(comparison.baseline)
    confidence = formatting.percent(query.confidence)
    rope = None if query.margin is None else _factor(metric) * query.margin
    rows = [_difference(comparison, group) for group in block.groups]
    notes = (
        f"mean difference and its {confidence} interval; dashed: the baseline",
        f"hollow: no difference shown{_adjusted(comparison)}"
        * any(row.value is not None and not row.is_decided for row in rows),
        f"band: differences up to {formatting.with_unit(metric, query.margin or 0)}" * (rope is not None),
        figures.softmax_footnote(block.groups) if metric.needs_softmax else "",
    )
    return _on_axis(
        Forest(
            title=f"Differences from {baseline}",
            note="; ".join(filter(None, notes)),
            axis=_axis(metric, baseline),
            rows=tuple(rows),
            reference=0.0,
            rope=rope,
            confidence=confidence,
        )
    )


def _means(comparison: Comparison, block: Block) -> Forest:
    metric, confidence = comparison.query.metrics[0], formatting.percent(comparison.query.confidence)
    return _on_axis(
        Forest(
            title="Means",
            note=f"mean and its {confidence} interval",
            axis=figures.axis_title(metric),
            rows=tuple(_mean(metric, group) for group in block.groups),
            confidence=confidence,
        )
    )


def _difference(comparison: Comparison, group: Group) -> ForestRow:
    metric, contrast = comparison.query.metrics[0], group.difference
    if contrast is None:
        is_baseline = group.label == comparison.baseline and not comparison.baseline_is_file
        why = "baseline" if is_baseline else wording.verdict(group) or wording.run_counts(group).removeprefix("0 + ")
        return ForestRow(group.label, 0.0 if is_baseline else None, None, "", why, is_decided=is_baseline)
    mark = columns.NO_SOFTMAX * (columns.value_mark(group, metric) == columns.NO_SOFTMAX)
    verdict = f"{wording.verdict(group)} {mark}".strip()
    size = formatting.with_sign(metric, contrast.mean)
    ends = f" {formatting.signed_interval(metric, contrast.interval)}" * bool(contrast.interval)
    return ForestRow(
        label=group.label,
        value=_factor(metric) * contrast.mean,
        interval=_scaled(metric, contrast.interval),
        numbers=f"{size}{ends} {formatting.unit(metric)}".rstrip(),
        verdict=verdict,
        is_decided=contrast.verdict in DECIDED,
    )


def _mean(metric: Metric, group: Group) -> ForestRow:
    estimate = group.metrics[metric.name]
    counts = "" if estimate.mean is not None else wording.run_counts(group).removeprefix("0 + ")
    ends = f" {formatting.interval(metric, estimate.interval)}" * bool(estimate.interval)
    return ForestRow(
        label=group.label,
        value=None if estimate.mean is None else _factor(metric) * estimate.mean,
        interval=_scaled(metric, estimate.interval),
        numbers=f"{formatting.value(metric, estimate.mean)}{ends}",
        verdict=counts,
        is_decided=True,
    )


def _factor(metric: Metric) -> int:
    return 100 if metric.in_percent else 1


def _scaled(metric: Metric, of: Interval | None) -> Interval | None:
    return of and Interval(_factor(metric) * of.low, _factor(metric) * of.high)


def _on_axis(plot: Forest) -> Forest:
    """Return a plot with the ends of its axis; see `FAR`."""
    every = [[row.value, *(row.interval or ())] for row in plot.rows if row.value is not None]
    ends = [each for each in every if all(map(math.isfinite, each))]
    centre = ends[0][0] if ends and plot.reference is None else 0.0
    reaches = sorted(filter(None, (max(abs(end - centre) for end in each) for each in ends)))
    limit = FAR * max(reaches[len(reaches) // 2] if reaches else 0, plot.rope or 0)
    shown = [centre, *(end for each in ends for end in each if abs(end - centre) <= limit)]
    low, high = min(shown), max(shown)
    if plot.rope:
        low, high = min(low, -plot.rope), max(high, plot.rope)
    room = MARGIN * (high - low) or 1.0
    return replace(plot, low=low - room, high=high + room)


def _axis(metric: Metric, baseline: str) -> str:
    unit = formatting.unit(metric) or ("nats" if metric.unit == "nats" else "")
    title = f"{metric.title} minus that of {baseline}{f' ({unit})' * bool(unit)}"
    return f"{title}, better →" if metric.direction == "higher" else f"← better, {title}"


def _adjusted(comparison: Comparison) -> str:
    """Return why an interval without 0 may be undecided: it is not adjusted, and the verdict is."""
    count = comparison.comparisons
    return f" after adjustment for {count} comparisons" * (count > 1)
