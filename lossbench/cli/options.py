"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from lossbench.cli import completion

Config: TypeAlias = Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="YAML file.")]
Plugins: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--plugin", metavar="FILE", help="Python file with your own losses; repeatable."),
]
RunsDir: TypeAlias = Annotated[Path, typer.Option("--runs-dir", metavar="FOLDER", help="Folder for run folders.")]
Device: TypeAlias = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, gpu or gpu:N.")]
Run: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", help="A run folder, or a folder that contains exactly one.", autocompletion=completion.runs
    ),
]
Runs: TypeAlias = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", help="Run folders, or folders that contain them.", autocompletion=completion.runs),
]
Where: TypeAlias = Annotated[
    str | None, typer.Option(metavar="CONDITION", help="Select runs, e.g. \"status=='completed'\".")
]
Seeds: TypeAlias = Annotated[str | None, typer.Option(metavar="SEEDS", help="Select seeds, e.g. 0-9 or 0,1,5.")]
RUNS = Path("runs")
