"""`lossbench guide`: the manual in the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lossbench.cli import completion, console


def guide(
    page: Annotated[
        str | None,
        typer.Argument(
            metavar="[PAGE]",
            help="The page or lesson to show, or the beginning of its name.",
            autocompletion=completion.guide_pages,
        ),
    ] = None,
) -> None:
    """List the pages of the manual and the lessons of the course, or show one."""
    from lossbench import guide as manual

    if page is None:
        console.result(f"{_listed(manual.pages())}\n\nLessons:\n{_listed(manual.lessons())}")
        console.note("\n`lossbench guide PAGE` shows one of these pages, `lossbench guide lesson-1` the first lesson.")
    elif sys.stdout.isatty():
        from lossbench.guide import terminal

        console.rendered(terminal.render(manual.page(page)))
    else:
        console.result(manual.page(page), end="")


def _listed(pages: dict[str, str]) -> str:
    width = max(map(len, pages)) + 2
    return "\n".join(f"{name:<{width}}{line}" for name, line in pages.items())
