"""`lossbench init`: write a configuration to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lossbench.cli import console
from lossbench.errors import UsageError


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write.")] = Path("experiment.yaml"),
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a commented configuration with every key, its default and its meaning."""
    from lossbench import files
    from lossbench.config.starter import starter

    if file.exists() and not force:
        raise UsageError(f"{file} exists; choose another name, or overwrite it with --force")
    files.write_text(file, starter(str(file)))
    console.result(file)
