"""`lossbench diff`: what two runs do not have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossbench.cli import completion, console

A = Annotated[
    Path,
    typer.Argument(metavar="A", help="A run folder, or a folder that holds only one.", autocompletion=completion.runs),
]
B = Annotated[Path, typer.Argument(metavar="B", help="Another one.", autocompletion=completion.runs)]


def diff(
    a: A,
    b: B,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON, unrounded.")] = False,
) -> None:
    """Show where two runs differ: configuration, environment, metrics."""
    from lossbench.inspect import details
    from lossbench.inspect.diff import between
    from lossbench.report import output

    console.drawn(output.diff(between(details.only(a), details.only(b)), as_json=json))
