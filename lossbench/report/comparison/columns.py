"""The columns of a comparison's table, shared by all formats for readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossbench.metrics import METRICS, SCALED
from lossbench.report import formatting, wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lossbench.analysis.result import Comparison, Contrast, Group
    from lossbench.metrics import Metric

BEST, NO_SOFTMAX = "*", "†"

VERDICT_MARKS = {"better": "+", "worse": formatting.MINUS, "equivalent": "=", "identical": "=", wording.NOT_ALIKE: "≠"}
"""Marks after a value in a table without a column of verdicts; other verdicts have none."""


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        heads: Its title, one or two lines.
        text: Return the text of a row's cell; the row is a group, or one of a pivot.
        mark: Return the mark after the text: best, no softmax, or nothing.
        below: The column below whose cells this one may be placed if the table is narrow.
        short_head: Its title there; empty for the same.
        is_number: Whether it is aligned to the right.
        is_estimate: Whether its numbers may have a standard deviation.
        is_core: Whether it belongs to the first table if one table is too narrow.
    """

    heads: tuple[str, ...]
    text: Callable[[Any], str]
    mark: Callable[[Any], str] = lambda _: ""
    below: str | None = None
    short_head: str = ""
    is_number: bool = True
    is_estimate: bool = False
    is_core: bool = True

    @property
    def head(self) -> str:
        """Return the title in one line."""
        return " ".join(self.heads)


def table_columns(comparison: Comparison) -> list[Column]:
    """Return the columns after the label, without empty ones."""
    first, *others = shown_metrics(comparison)
    confidence = formatting.percent(comparison.query.confidence)
    core = [
        Column(("n",), lambda group: str(group.n)),
        _metric_column(first),
        Column(
            (f"{confidence} interval",),
            lambda group: formatting.interval(first, group.metrics[first.name].interval),
            below=formatting.metric_head(first),
        ),
    ]
    if comparison.baseline is not None:
        core += _contrast_columns(comparison, first, confidence)
    every = [*core, *(_metric_column(each, is_core=False) for each in others)]
    groups = [group for block in comparison.blocks for group in block.groups]
    return [column for column in every if any(column.text(group) not in {"", "-"} for group in groups)]


def label_head(comparison: Comparison) -> str:
    """Return the head of the first column: the keys that make a group."""
    return " · ".join(map(formatting.clean, comparison.query.group_keys))


def shown_metrics(comparison: Comparison) -> list[Metric]:
    """Return the requested metrics, then the scaled ones if a loss trains no softmax probabilities."""
    requested = list(comparison.query.metrics)
    groups = [group for block in comparison.blocks for group in block.groups if group.n]
    if all(group.link == "softmax" for group in groups):
        return requested
    names = {each.name for each in requested}
    scaled = [
        metric
        for name, metric in SCALED.items()
        if metric.scaled_from in names and name not in names
        if any(group.metrics[name].mean is not None for group in groups)
    ]
    return [*requested, *scaled]


def is_best(mark: str) -> bool:
    """Return whether a mark says that the value is the best."""
    return mark.startswith(BEST)


def value_mark(group: Group, of: Metric) -> str:
    """Return the mark after a value: `*` for the best mean, `†` for a value that the loss does not train."""
    if of.name in group.best:
        return BEST
    return NO_SOFTMAX if of.needs_softmax and group.link != "softmax" and group.n else ""


def _metric_column(of: Metric, *, is_core: bool = True) -> Column:
    return Column(
        (formatting.metric_head(of),),
        lambda group: formatting.estimate(of, group.metrics[of.name]),
        lambda group: value_mark(group, of),
        below=formatting.metric_head(METRICS[of.scaled_from]) if of.scaled_from else None,
        short_head=of.title.removeprefix(METRICS[of.scaled_from].title).strip() if of.scaled_from else "",
        is_estimate=True,
        is_core=is_core,
    )


def _contrast_columns(comparison: Comparison, first: Metric, confidence: str) -> Sequence[Column]:
    delta = f"Δ {formatting.unit(first) or first.title} {formatting.arrow(first)}"

    def cell(text: Callable[[Contrast], str]) -> Callable[[Group], str]:
        return lambda group: text(group.difference) if group.difference else ""

    def delta_text(group: Group) -> str:
        if group.difference:
            return formatting.with_sign(first, group.difference.mean)
        return "baseline" if group.label == comparison.baseline and not comparison.baseline_is_file else "-"

    def verdict_mark(group: Group) -> str:
        return NO_SOFTMAX if group.difference and value_mark(group, first) == NO_SOFTMAX else ""

    interval = cell(lambda each: formatting.signed_interval(first, each.interval))
    return [
        Column((delta,), delta_text),
        Column((f"{confidence} interval",), interval, below=delta),
        Column(("look",), cell(lambda each: "" if each.look is None else str(each.look))),
        Column(("p",), cell(lambda each: formatting.probability(each.p_adjusted))),
        Column(("won",), cell(lambda each: f"{each.won}/{each.contested}" if each.paired else "-")),
        Column(("verdict",), wording.verdict, verdict_mark, is_number=False),
    ]
