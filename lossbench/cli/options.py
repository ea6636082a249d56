"""The options that several commands share, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Config: TypeAlias = Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="The YAML file.")]
Plugins: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--plugin", metavar="FILE", help="A Python file with losses of your own; repeatable."),
]
RunsDir: TypeAlias = Annotated[Path, typer.Option("--runs-dir", metavar="FOLDER", help="Where run folders go.")]
Device: TypeAlias = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, gpu or gpu:N.")]
RUNS = Path("runs")
