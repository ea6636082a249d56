"""`lossbench export`: copy runs to other experiment trackers."""

from __future__ import annotations

from typing import Annotated

import typer

from lossbench.cli import console, options
from lossbench.cli.query import parse_seeds
from lossbench.cli.unknown_option import Command, CommandGroup

app = typer.Typer(
    cls=CommandGroup, no_args_is_help=True, add_completion=False, help="Copy runs to another experiment tracker."
)


@app.callback()
def _export() -> None:
    pass


@app.command(cls=Command)
def mlflow(
    paths: options.Runs,
    *,
    tracking_uri: Annotated[str, typer.Option(metavar="URI", help="Database or server.")] = "sqlite:///mlflow.db",
    experiment: Annotated[str, typer.Option(metavar="NAME", help="Name of the MLflow experiment.")] = "lossbench",
    where: options.Where = None,
    seeds: options.Seeds = None,
) -> None:
    """Copy runs to MLflow: parameters, metrics per epoch, files and tags. Runs that are already there are skipped."""
    from lossbench.analysis import loading
    from lossbench.analysis import where as conditions
    from lossbench.report import formatting
    from lossbench.report import mlflow as report

    found, broken = loading.rows(paths, write_index=True)
    wanted = conditions.select(found, condition=where, seeds=parse_seeds(seeds))
    counts, unread = report.export(wanted, tracking_uri, experiment)
    for line in formatting.broken_lines([*broken, *unread]):
        console.note(line)
    console.result(f"{tracking_uri}, experiment {experiment}: {counts['new']} new, {counts['known']} known")
