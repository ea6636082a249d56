"""`lossbench init`: write a configuration to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossbench.cli import completion, console
from lossbench.errors import UsageError


def init(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="File to write. (default: experiment.yaml, or the example's name)"),
    ] = None,
    *,
    example: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="EXAMPLE",
            help="Write an example instead, e.g. ci, sweep or papers/ma2020.",
            autocompletion=completion.examples,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a commented configuration with every key, its default and its meaning, or an example."""
    from lossbench import files
    from lossbench.config import examples
    from lossbench.config.starter import starter

    chosen = examples.read(example) if example is not None else None
    target = file or Path(f"{example.rpartition('/')[2]}.yaml" if example else "experiment.yaml")
    if target.exists() and not force:
        raise UsageError(f"{target} exists; choose another name, or overwrite it with --force")
    files.make_folder(target.parent)
    files.write_text(target, starter(str(target)) if chosen is None else chosen)
    console.result(target)
