"""The options that several commands share, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from lossbench.cli import completion

Config: TypeAlias = Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="The YAML file.")]
Plugins: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--plugin", metavar="FILE", help="A Python file with losses of your own; repeatable."),
]
RunsDir: TypeAlias = Annotated[Path, typer.Option("--runs-dir", metavar="FOLDER", help="Where run folders go.")]
Device: TypeAlias = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, gpu or gpu:N.")]
Run: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", help="A run folder, or a folder that holds only one.", autocompletion=completion.runs
    ),
]
Runs: TypeAlias = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", help="Run folders, or folders that hold them.", autocompletion=completion.runs),
]
Where: TypeAlias = Annotated[
    str | None, typer.Option(metavar="CONDITION", help="Which runs, such as \"status=='completed'\".")
]
Seeds: TypeAlias = Annotated[str | None, typer.Option(metavar="SEEDS", help="Which seeds, such as 0-9 or 0,1,5.")]
RUNS = Path("runs")
