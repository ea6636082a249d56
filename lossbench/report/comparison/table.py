"""The comparison as a table for a terminal, complete at any width: one table if there is room, else several."""

from __future__ import annotations

import textwrap
from functools import partial
from typing import TYPE_CHECKING

from lossbench.report import formatting, wording
from lossbench.report.comparison import columns, footnotes, grid, images
from lossbench.report.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType

    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Comparison


def comparison_screen(answer: Answer) -> RenderableType:
    """Return the table of a comparison, then the paragraphs on images."""
    from rich.console import Group as Parts

    table, pairs = ComparisonTable(answer.comparison), answer.image_comparisons
    if not pairs:
        return table
    confidence = answer.comparison.query.confidence
    paragraphs = Screen(lambda width: "\n".join(["", *images.image_lines(pairs, confidence, width)]).rstrip())
    return Parts(table, paragraphs)


class ComparisonTable:
    """A comparison that rich prints at the width of its console: title, tables per condition, footnotes."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the parts from top to bottom."""
        from rich.text import Text

        comparison, width = self.comparison, options.max_width
        groups = [group for block in comparison.blocks for group in block.groups]
        pages = grid.pages(columns.label_head(comparison), columns.table_columns(comparison), groups, width)
        yield Text(formatting.fill(wording.comparison_title(comparison), width, " · "), style="bold")
        for block in comparison.blocks:
            yield Text("")
            if condition := wording.condition(comparison, block):
                yield Text(formatting.fill(condition, width, " · "), style="cyan")
            for number, page in enumerate(pages):
                yield from [Text("")] * bool(number)
                yield from page.lines(block.groups, width, None if number else partial(footnotes.remarks, comparison))
            if left_out := footnotes.left_out_line(block):
                yield Text(left_out, style="dim")
        notes = [*footnotes.legend(comparison), *footnotes.notes(comparison)]
        if notes:
            lines = (textwrap.fill(note, width, subsequent_indent="  ") for note in notes)
            yield Text("\n".join(["", *lines]), style="dim")
