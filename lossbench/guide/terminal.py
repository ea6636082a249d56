"""A page of the guide for a terminal: rich's Markdown, with tables and code that stay complete when it is narrow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, cast

from rich.markdown import CodeBlock, Heading, Markdown, Paragraph, TableDataElement, TableElement
from rich.measure import Measurement
from rich.padding import Padding
from rich.syntax import Syntax

from lossbench.guide.line_breaks import Prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType, RenderResult
    from rich.table import Table
    from rich.text import Text

WIDEST = 120
"""Columns; longer lines are hard to read."""

INDENT = 2
"""Columns before the cells of a record."""

UNBOUNDED = 10_000
"""Columns; wider than every table."""

_COMMENT = re.compile(r"^<!--.*-->\n", re.MULTILINE)
_LINK = re.compile(r"\[([^]]+)\]\((?!http)[^)]+\)")


class _Heading(Heading):
    """A heading at the left margin."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Prose(self.text.plain, style="bold underline" if self.tag == "h1" else "bold")


class _Paragraph(Paragraph):
    """A paragraph of any language."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Prose.of(self.text)


class _Code(CodeBlock):
    """Code at the left margin: Python and YAML copied from a terminal are valid."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        yield Syntax(code, self.lexer_name, theme="ansi_dark", background_color="default", word_wrap=True)


class _Cell(TableDataElement):
    """A cell of a table, of any language."""

    def __init__(self, justify: JustifyMethod) -> None:
        super().__init__(justify)
        self.content = Prose(justify=justify)


class _Table(TableElement):
    """A table whose words are never cut, or one record per row where the longest words do not fit side by side."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for table in cast("Iterator[Table]", super().__rich_console__(console, options)):
            for column in table.columns:
                column.header = Prose.of(cast("Text", column.header))
            room = options.max_width - Measurement.get(console, options.update(width=UNBOUNDED), table).minimum
            if room >= 0:
                _set_widths(room, table, console, options)
            yield from [table] if room >= 0 else _records(table)


def _set_widths(room: int, table: Table, console: Console, options: ConsoleOptions) -> None:
    """Fit each column to its longest word, and divide the remaining `room` in proportion to what is missing."""
    measured = [[Measurement.get(console, options, each) for each in (c.header, *c.cells)] for c in table.columns]
    shortest = [max(each.minimum for each in column) for column in measured]
    wanted = [max(each.maximum for each in column) - least for column, least in zip(measured, shortest, strict=True)]
    for column, least, more in zip(table.columns, shortest, wanted, strict=True):
        column.width = least + min(more, more * room // max(1, sum(wanted)))


def _records(table: Table) -> Iterator[RenderableType]:
    for first, *others in zip(*(column.cells for column in table.columns), strict=True):
        yield first
        for column, cell in zip(table.columns[1:], others, strict=True):
            yield Padding(Prose.assemble((f"{column.header}: ", "dim"), cell), (0, 0, 0, INDENT))


class Page(Markdown):
    """A page of the guide as rich prints it."""

    elements: ClassVar = {
        **Markdown.elements, "heading_open": _Heading, "paragraph_open": _Paragraph, "fence": _Code,
        "code_block": _Code, "table_open": _Table, "td_open": _Cell, "th_open": _Cell,
    }  # fmt: skip

    def __init__(self, text: str) -> None:
        super().__init__(_LINK.sub(r"**\1**", _COMMENT.sub("", text)), hyperlinks=False)


def render(text: str) -> str:
    """Return a page with the colours and the width that stdout takes."""
    from rich.console import Console
    from rich.theme import Theme

    console = Console(highlight=False, theme=Theme({"markdown.code": "cyan"}))
    with console.capture() as capture:
        console.print(Page(text), width=min(console.width, WIDEST))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
