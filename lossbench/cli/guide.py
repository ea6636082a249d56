"""`lossbench guide`: the manual in the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lossbench.cli import completion, console


def guide(
    page: Annotated[
        str | None, typer.Argument(metavar="[PAGE]", help="The page to show.", autocompletion=completion.guide_pages)
    ] = None,
) -> None:
    """List the pages of the manual, or show one."""
    from lossbench import guide as manual

    if page is None:
        width = max(map(len, manual.pages())) + 2
        console.result("\n".join(f"{name:<{width}}{line}" for name, line in manual.pages().items()))
        console.note("\n`lossbench guide PAGE` shows one of these pages.")
    elif sys.stdout.isatty():
        from lossbench.guide import terminal

        console.rendered(terminal.render(manual.page(page)))
    else:
        console.result(manual.page(page), end="")
