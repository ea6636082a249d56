"""`lossbench train`: train one classifier and write its run folder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lossbench.cli import completion, console, options
from lossbench.errors import UnfinishedRunError
from lossbench.metrics import METRICS

if TYPE_CHECKING:
    from pathlib import Path

    from lossbench.training import TrainResult


def train(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE|KEY=VALUE",
            help="YAML file, and keys to override, e.g. loss.gamma=5 train.epochs=3.",
            autocompletion=completion.settings,
        ),
    ] = None,
    *,
    config: options.Config = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of the run; short for seed=N.")] = None,
    plugin: options.Plugins = None,
    runs_dir: options.RunsDir = options.RUNS,
    device: options.Device = "auto",
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Train a finished run again and replace it once the new run is complete.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Hide the progress.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print run.json instead of the path of the run folder.")] = False,
) -> None:
    """Train a classifier with the loss named in a YAML file.

    The metrics go to a run folder. A finished run is not trained again; an interrupted run continues.
    """
    import json as json_module

    from lossbench import training
    from lossbench.cli.progress import progress
    from lossbench.config import resolve
    from lossbench.losses import plugin as plugin_losses
    from lossbench.training import checks

    plugins = [plugin_losses.load(path) for path in plugin or []]
    file, settings = options.configuration(config, overrides)
    settings += [f"seed={seed}"] if seed is not None else []
    trial = training.identify(resolve.load(file, settings, check=checks.problems), plugins)
    if not quiet:
        options.note_sums([trial.experiment.loss])
    with progress(quiet=quiet) as listener:
        result = training.train(
            trial,
            runs_dir=runs_dir,
            device=device,
            rerun=rerun,
            plugins=plugins,
            argv=sys.argv,
            progress=listener,
        )
    if not quiet:
        console.note(_headline(result, runs_dir))
    console.result(json_module.dumps(result.summary, indent=2) if json else result.run)
    if result.status == "diverged":
        reason = result.summary.get("reason")
        raise UnfinishedRunError(f"the run diverged: {reason}; the rows so far are in {result.run}")


def _headline(result: TrainResult, runs_dir: Path) -> str:
    """Return the test metrics of the run in one sentence, and the next command to type."""
    from lossbench import __version__
    from lossbench.report import formatting
    from lossbench.runs import rows

    _, row, metrics = rows.read_row(result.run)
    lines = []
    if result.was_done:
        by = formatting.clean(row["lossbench"])
        other = f" by lossbench {by}; this is {__version__}" if by != __version__ else ""
        lines.append(f"already done{other}: nothing to train (--rerun trains it again)")
    if metrics:
        values = ", ".join(
            f"{metric.title} {formatting.value(metric, metrics.get(f'test.last.{name}'))}{'%' * metric.in_percent}"
            for name, metric in METRICS.items()
            if metric.is_default
        )
        took = f" in {row['seconds']:.1f} s" if row["seconds"] else ""
        line = f"{formatting.clean(row['loss'])}, seed {row['seed']}: test {values}{took}"
        lines.append(
            formatting.fill(line, console.width(), ", ", indent="  ") if console.is_terminal(sys.stderr) else line
        )
    return "\n".join([*lines, f"next: lossbench compare {runs_dir}"])
