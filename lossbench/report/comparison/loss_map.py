"""A loss map for readers: terminal, Markdown, LaTeX. A row per cell, below them a row per loss."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lossbench.report import formatting
from lossbench.report.comparison import columns, grid, map_words
from lossbench.report.comparison.columns import Column
from lossbench.report.gate_sentences import gate_sentence
from lossbench.report.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from lossbench.analysis.map_result import LossOverCells, MapCell
    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Comparison

NARROWEST_NAMES = 24
"""Columns that the names of losses need beside the numbers; with fewer, they are below."""


@dataclass(frozen=True)
class CellRow:
    """A cell as a row: the value of the last key, and the cell."""

    label: str
    cell: MapCell


@dataclass(frozen=True)
class Sheet:
    """The cells of one value of the first of two keys; with one key, all cells.

    Attributes:
        condition: The first key with its value; empty with one key.
        head: The last key.
        columns: The columns of a cell.
        rows: The cells.
    """

    condition: str
    head: str
    columns: list[Column]
    rows: list[CellRow]


def map_screen(answer: Answer) -> RenderableType:
    """Return the map for a terminal, complete at any width."""
    return Screen(lambda width: _screen(answer.comparison, width))


def map_markdown(answer: Answer) -> str:
    """Return title, a table per value of the first key, the table of losses, and notes; sole winners are bold."""
    from lossbench.report.comparison import markdown

    comparison, found = answer.comparison, map_words.of(answer.comparison)
    parts = [f"**{markdown.escaped(map_words.title(comparison))}**"]
    for sheet in sheets(comparison):
        table = markdown.table_text(sheet.head, sheet.columns, sheet.rows)
        parts += [markdown.escaped(sheet.condition)] * bool(sheet.condition) + [table]
    parts.append(markdown.table_text(columns.label_head(comparison), loss_columns(comparison), found.losses))
    parts += [markdown.escaped(line) for line in map_words.conclusions(comparison)]
    parts += markdown.bullets(map_words.notes(comparison))
    confidence = comparison.query.confidence
    parts += markdown.bullets(
        f"{result.outcome}: {gate_sentence(result, confidence)}" for result in answer.gate_results
    )
    return "\n\n".join(parts) + "\n"


def map_latex(answer: Answer) -> str:
    """Return a `table` with a tabular of cells and one of losses; sole winners are bold."""
    from lossbench.report.comparison import latex

    comparison = answer.comparison
    lines = [*_cell_tabular(list(sheets(comparison))), *_loss_tabular(comparison)]
    conclusions = (line.rstrip(".") for line in map_words.conclusions(comparison))
    notes = [*conclusions, *map_words.notes(comparison, with_tuning=False)]
    return latex.float_text(answer, map_words.title(comparison), lines, notes)


def sheets(comparison: Comparison) -> Iterator[Sheet]:
    """Yield a sheet for each value of the first of two keys; one sheet for one key."""
    found = map_words.of(comparison)
    *outer, inner = found.keys
    every = cell_columns(comparison)
    for first in found.axes[0] if outer else (None,):
        rows = [
            CellRow(map_words.value_text(inner, cell.values[-1]), cell)
            for cell in found.cells
            if not outer or cell.values[0] == first
        ]
        condition = map_words.setting(outer[0], first) if outer else ""
        yield Sheet(condition, formatting.clean(inner), every, rows)


def cell_columns(comparison: Comparison) -> list[Column]:
    """Return the columns of a cell: the best mean, seeds, the regret of the single best loss, and the names."""
    found, metric = map_words.of(comparison), comparison.query.metrics[0]

    def mean(row: CellRow) -> str:
        return formatting.estimate(metric, row.cell.best[0].estimate) if row.cell.best else "-"

    def regret(row: CellRow) -> str:
        entry = row.cell.entry(found.single_best)
        return map_words.regret_text(comparison, entry.regret) if entry else "-"

    return [
        Column((formatting.metric_head(metric),), mean, is_estimate=True),
        Column(("seeds",), lambda row: map_words.seeds_text(row.cell)),
        Column((map_words.regret_head(comparison),), regret),
        Column(
            ("may be best",),
            lambda row: map_words.names(row.cell),
            lambda row: columns.BEST if row.cell.winner else "",
            is_number=False,
        ),
    ]


def loss_columns(comparison: Comparison) -> list[Column]:
    """Return the columns of a loss over all cells; the best of each column of numbers is marked."""
    found, regret = map_words.of(comparison), map_words.regret_head(comparison)

    def best(name: str) -> Callable[[LossOverCells], str]:
        values = [getattr(each, name) for each in found.losses if map_words.is_candidate(found, each)]
        return lambda loss: columns.BEST if values and getattr(loss, name) == min(values) else ""

    return [
        Column(("best", "in"), lambda loss: f"{loss.best_in}/{loss.cells}"),
        Column(("alone", "in"), lambda loss: f"{loss.wins}/{loss.cells}"),
        Column(("mean", "rank"), lambda loss: f"{loss.mean_rank:.1f}", best("mean_rank")),
        Column(("mean", regret), lambda loss: map_words.regret_text(comparison, loss.mean_regret), best("mean_regret")),
        Column(
            ("worst", regret),
            lambda loss: map_words.regret_text(comparison, loss.worst_regret, none="diverged"),
            best("worst_regret"),
        ),
        Column(("at",), lambda loss: map_words.place(found, loss.worst_at), is_number=False),
    ]


def _screen(comparison: Comparison, width: int) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    parts = [Text(formatting.fill(map_words.title(comparison), width, " · "), style="bold")]
    every = list(sheets(comparison))
    widths = _widths([row for sheet in every for row in sheet.rows], every[0])
    for sheet in every:
        parts.append(Text(""))
        if sheet.condition:
            parts.append(Text(formatting.fill(sheet.condition, width, " · "), style="cyan"))
        parts += _cell_lines(sheet, widths, width)
    losses = map_words.of(comparison).losses
    for page in grid.pages(columns.label_head(comparison), loss_columns(comparison), losses, width):
        parts += [Text(""), *page.lines(losses, width)]
    parts += [Text(""), *(Text(textwrap.fill(line, width)) for line in map_words.conclusions(comparison))]
    lines = (textwrap.fill(note, width, subsequent_indent="  ") for note in map_words.notes(comparison))
    return Group(*parts, Text("\n".join(["", *lines]), style="dim"))


def _widths(rows: Sequence[CellRow], sheet: Sheet) -> list[int]:
    """Return the widths of the labels and of the columns of numbers, the same in all sheets."""
    numbers = [column for column in sheet.columns if column.is_number]
    labels = max(map(formatting.columns_of, (sheet.head, *(row.label for row in rows))))
    return [labels, *(max(len(column.head), *(len(column.text(row)) for row in rows)) for column in numbers)]


def _cell_lines(sheet: Sheet, widths: Sequence[int], width: int) -> Iterator[Text]:
    """Yield head, rule and rows; names that are too long continue below themselves, or below narrow numbers."""
    from rich.text import Text

    *numbers, names = sheet.columns
    left = sum(widths) + 2 * len(widths)
    if width - left < NARROWEST_NAMES:
        for number, page in enumerate(grid.pages(sheet.head, numbers, sheet.rows, width)):
            yield from page.lines(sheet.rows, width, None if number else lambda row: iter([_marked(names, row)]))
        return
    head = _line([sheet.head, *(column.head for column in numbers)], widths)
    yield Text(f"{head}  {names.head}", style="bold")
    yield Text("─" * width)
    for row in sheet.rows:
        first, *others = _name_lines(_marked(names, row), width - left)
        style = "bold" if row.cell.winner else ""
        cells = _line([row.label, *(column.text(row) for column in numbers)], widths)
        yield Text.assemble(f"{cells}  ", (first, style))
        yield from (Text(" " * left + line, style=style) for line in others)


def _name_lines(names: str, width: int) -> list[str]:
    """Return names in lines, broken after commas; within a name only if it is too long."""
    lines: list[str] = []
    for name in names.replace(", ", ",\n").split("\n"):
        if lines and formatting.columns_of(f"{lines[-1]} {name}") <= width:
            lines[-1] += f" {name}"
        else:
            lines += formatting.wrap_label(name, width)
    return lines


def _marked(names: Column, row: CellRow) -> str:
    return names.text(row) + names.mark(row)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "  ".join([formatting.pad(*first), *(cell.rjust(size) for cell, size in others)])


def _cell_tabular(every: Sequence[Sheet]) -> Iterator[str]:
    from lossbench.report.comparison import latex

    *numbers, names = every[0].columns
    yield rf"\begin{{tabular}}{{l{'r' * len(numbers)}p{{0.5\linewidth}}}}"
    yield r"\toprule"
    yield latex.head_line(every[0].head, [*numbers, names])
    for sheet in every:
        yield r"\midrule"
        if sheet.condition:
            yield latex.heading_line(sheet.condition, sheet.columns)
        yield from (latex.row_line(row, sheet.columns) for row in sheet.rows)
    yield from latex.TABULAR_END


def _loss_tabular(comparison: Comparison) -> Iterator[str]:
    from lossbench.report.comparison import latex

    every = loss_columns(comparison)
    yield from latex.tabular_begin(every)
    yield latex.head_line(columns.label_head(comparison), every)
    yield r"\midrule"
    yield from (latex.row_line(loss, every) for loss in map_words.of(comparison).losses)
    yield from latex.TABULAR_END
