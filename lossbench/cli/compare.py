"""`lossbench compare`: losses side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def compare(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Run folders, or folders that hold them.")],
    at: Annotated[
        Literal["last", "best"], typer.Option(help="Test the weights of the last epoch, or of the best on validation.")
    ] = "last",
    format: Annotated[  # noqa: A002 - the option's name
        Literal["table", "csv", "json", "markdown"], typer.Option("--format", "-f", help="How to print it.")
    ] = "table",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, not to stdout.")] = None,
) -> None:
    """Compare losses: mean and deviation over seeds of accuracy, NLL, Brier score and ECE on the test set."""
    from lossbench.analysis import frame, summary
    from lossbench.report import output as report
    from lossbench.report import words
    from lossbench.runs import write

    runs, broken = frame.load_runs(paths)
    text = report.render(summary.summarise(runs, at), broken, format, to_stdout=output is None)
    if output:
        write.text(output, text)
    else:
        typer.echo(text, nl=False, color=True)
    for line in words.broken(broken):
        typer.echo(line, err=True)
