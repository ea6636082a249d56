"""`lossbench show`: one run on one screen."""

from __future__ import annotations

from typing import Annotated

import typer

from lossbench.cli import options, say


def show(
    run: options.Run,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Show one run: configuration, metrics, curves, scores of each class, confusion."""
    from lossbench.analysis import sheet
    from lossbench.report import output

    say.drawn(output.show(sheet.load(run), as_json=as_json))
