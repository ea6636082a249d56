"""Content for a terminal: laid out at the console's width, plain where the output is not a terminal."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType
    from rich.table import Table


@dataclass(frozen=True)
class Screen:
    """Content that depends on the width of the console that prints it."""

    content: Callable[[int], RenderableType]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the content at the console's width."""
        yield self.content(options.max_width)


def as_text(content: str | RenderableType, *, to_stdout: bool) -> str:
    """Return text as it is, and other content as rich prints it, without blanks at the ends of lines.

    Args:
        content: Text, or content for a console.
        to_stdout: Use the width and the colours of stdout; else 80 columns and no colour.
    """
    if isinstance(content, str):
        return content
    from rich.console import Console

    console = Console(highlight=False) if to_stdout else Console(file=io.StringIO(), width=80, color_system=None)
    with console.capture() as capture:
        console.print(content, crop=False, soft_wrap=False)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def plain_table(title: str, *columns: tuple[str, JustifyMethod], width: int | None = None) -> Table:
    """Return an empty table with a line below its header; its first column has a title, a minimum width and folds."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(title, min_width=width, overflow="fold")
    for name, align in columns:
        table.add_column(name, overflow="fold", justify=align)
    return table
