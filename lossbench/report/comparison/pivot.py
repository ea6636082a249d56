"""A comparison as losses × values of one key, for readers: terminal, Markdown, LaTeX."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lossbench.analysis.pivot import PivotRow, pivot_tables
from lossbench.analysis.result import Block
from lossbench.report import formatting, wording
from lossbench.report.comparison import columns, footnotes, grid, tuned_notes
from lossbench.report.gate_sentences import gate_sentence
from lossbench.report.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Comparison
    from lossbench.metrics import Metric
    from lossbench.report.comparison.columns import Column
    from lossbench.runs.rows import Scalar


@dataclass(frozen=True)
class Sheet:
    """A table for readers: one metric in one condition.

    Attributes:
        metric: The metric.
        condition: The condition of the other keys in one line; empty for the only one.
        head: The head of the labels.
        columns: A column per value of the key.
        rows: The losses; the label of the baseline says so.
    """

    metric: Metric
    condition: str
    head: str
    columns: list[Column]
    rows: tuple[PivotRow, ...]


def sheets(comparison: Comparison) -> Iterator[Sheet]:
    """Yield a sheet per condition and metric."""
    tables = pivot_tables(comparison)
    blocks = tuple(Block(table.condition, ()) for table in tables)
    titled = replace(comparison, blocks=blocks)
    for table, block in zip(tables, blocks, strict=True):
        for metric in columns.shown_metrics(comparison):
            yield Sheet(
                metric,
                wording.condition(titled, block),
                columns.label_head(comparison),
                [_column(value, metric, comparison) for value in table.values],
                tuple(_row(row, comparison) for row in table.rows),
            )


def title(comparison: Comparison) -> str:
    """Return the comparison's title with the key of the columns."""
    return f"{wording.comparison_title(comparison)} · columns {formatting.clean(comparison.query.pivot)}"


def pivot_screen(answer: Answer) -> RenderableType:
    """Return the tables for a terminal, complete at any width."""
    return Screen(lambda width: _screen(answer.comparison, width))


def pivot_markdown(answer: Answer) -> str:
    """Return title, a table per condition and metric, and notes; best means are bold."""
    from lossbench.report.comparison import markdown

    comparison = answer.comparison
    parts = [f"**{markdown.escaped(title(comparison))}**"]
    for sheet in sheets(comparison):
        parts += [markdown.escaped(_heading(sheet)), markdown.table_text(sheet.head, sheet.columns, sheet.rows)]
    parts += markdown.bullets(notes(comparison))
    confidence = comparison.query.confidence
    parts += markdown.bullets(
        f"{result.outcome}: {gate_sentence(result, confidence)}" for result in answer.gate_results
    )
    return "\n\n".join(parts) + "\n"


def pivot_latex(answer: Answer) -> str:
    """Return a `table` with a tabular per condition and metric; the key spans its values."""
    from lossbench.report.comparison import latex

    comparison = answer.comparison
    lines = [line for sheet in sheets(comparison) for line in _tabular(sheet, str(comparison.query.pivot))]
    return latex.float_text(answer, title(comparison), lines, notes(comparison, with_tuning=False))


def notes(comparison: Comparison, *, with_tuning: bool = True) -> Iterator[str]:
    """Yield the meaning of the marks, the number of seeds, and everything else that a reader must know."""
    yield from footnotes.pivot_legend(comparison)
    yield from _counts(comparison)
    if unlike := wording.unlike_groups(group for block in comparison.blocks for group in block.groups):
        yield unlike
    yield from footnotes.notes(comparison, with_tuning=with_tuning)
    if with_tuning:
        yield from tuned_notes.choices(comparison)


def _screen(comparison: Comparison, width: int) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    parts = [Text(formatting.fill(title(comparison), width, " · "), style="bold")]
    for sheet in sheets(comparison):
        parts += [Text(""), Text(formatting.fill(_heading(sheet), width, " · "), style="cyan")]
        for number, page in enumerate(grid.pages(sheet.head, sheet.columns, sheet.rows, width)):
            parts += [Text("")] * bool(number) + list(page.lines(sheet.rows, width))
    lines = (textwrap.fill(note, width, subsequent_indent="  ") for note in notes(comparison))
    return Group(*parts, Text("\n".join(["", *lines]), style="dim"))


def _heading(sheet: Sheet) -> str:
    return " · ".join(filter(None, (formatting.metric_head(sheet.metric), sheet.condition)))


def _row(row: PivotRow, comparison: Comparison) -> PivotRow:
    is_baseline = row.label == comparison.baseline and not comparison.baseline_is_file
    return replace(row, label=f"{row.label} (baseline)") if is_baseline else row


def _column(value: Scalar, metric: Metric, comparison: Comparison) -> Column:
    def text(row: PivotRow) -> str:
        group = row.groups.get(value)
        return formatting.estimate(metric, group.metrics[metric.name]) if group else "-"

    def mark(row: PivotRow) -> str:
        group = row.groups.get(value)
        if group is None:
            return ""
        verdict = wording.verdict(group) if metric == comparison.query.metrics[0] else ""
        return columns.value_mark(group, metric) + columns.VERDICT_MARKS.get(verdict, "")

    return columns.Column((wording.value_text(value),), text, mark, is_estimate=True, is_core=False)


def _counts(comparison: Comparison) -> Iterator[str]:
    """Yield the number of seeds in most cells, and the cells that differ from it."""
    counts = {
        wording.group_name(group.label, block.condition): wording.run_counts(group)
        for block in comparison.blocks
        for group in block.groups
    }
    ((usual, _),) = Counter(counts.values()).most_common(1)
    others = "".join(f"; {name}: {count}" for name, count in counts.items() if count != usual)
    yield f"n {usual}{others}"


def _tabular(sheet: Sheet, key: str) -> Iterator[str]:
    from lossbench.report.comparison import latex

    count = len(sheet.columns)
    yield from latex.tabular_begin(sheet.columns)
    yield rf" & \multicolumn{{{count}}}{{c}}{{{latex.escaped(formatting.clean(key))}}} \\"
    yield rf"\cmidrule(lr){{2-{count + 1}}}"
    yield latex.head_line(sheet.head, sheet.columns)
    yield r"\midrule"
    yield latex.heading_line(_heading(sheet), sheet.columns)
    yield from (latex.row_line(row, sheet.columns) for row in sheet.rows)
    yield from latex.TABULAR_END
