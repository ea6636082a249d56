"""`lossbench diff`: show where two runs differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossbench.cli import completion, console

A = Annotated[
    Path,
    typer.Argument(
        metavar="A", help="A run folder, or a folder that contains exactly one.", autocompletion=completion.runs
    ),
]
B = Annotated[Path, typer.Argument(metavar="B", help="Another run folder.", autocompletion=completion.runs)]


def diff(
    a: A,
    b: B,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, unrounded.")] = False,
) -> None:
    """Show where two runs differ in configuration, environment and metrics."""
    from lossbench.inspect import details
    from lossbench.inspect.diff import between
    from lossbench.report.run import views

    console.rendered(views.view_text(between(details.read_run(a), details.read_run(b)), as_json=json))
