"""`lossbench sweep`: losses × hyperparameters × conditions × seeds."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lossbench.cli import options
from lossbench.errors import UnfinishedRunError


def sweep(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Such as loss.gamma=0,1,2: a comma makes an axis.")
    ] = None,
    *,
    config: options.Config,
    seeds: Annotated[str | None, typer.Option(help="Such as 0-9 or 0,1,5.")] = None,
    plugin: options.Plugins = None,
    runs_dir: options.RunsDir = options.RUNS,
    device: options.Device = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the trials and what is there of them.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first trial that fails.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No line for each trial.")] = False,
) -> None:
    """Train every combination of a sweep; called again, it continues."""
    from lossbench.losses import plugin as plugin_losses
    from lossbench.sweep.local import run, status
    from lossbench.sweep.plan import load
    from lossbench.training import identify

    plugins = [plugin_losses.load(path) for path in plugin or []]
    plan = load(config, overrides or [], seeds=seeds)
    trials = [identify(experiment, plugins) for experiment in plan.experiments]
    if dry_run:
        for trial in trials:
            typer.echo(f"{status(trial, runs_dir):11}  {trial.experiment.name}/{trial.folder}")
        return

    def tell(number: int, trial: object, ended: str) -> None:
        if not quiet:
            typer.echo(f"{number}/{len(trials)}  {getattr(trial, 'folder', '')}  {ended}", err=True)

    tally = run(
        trials,
        runs_dir=runs_dir,
        device=device,
        plugins=plugins,
        argv=sys.argv,
        fail_fast=fail_fast,
        tell=tell,
    )
    counted = ", ".join(f"{count} {status}" for status, count in tally.statuses.items())
    typer.echo(f"{counted} of {len(trials)} trials\nnext: lossbench compare {runs_dir / plan.name}", err=True)
    typer.echo(runs_dir / plan.name)
    if not tally.is_whole:
        raise UnfinishedRunError("\n".join(tally.failures) or "some runs diverged; compare counts them")
