"""`lossbench sweep`: losses × hyperparameters × conditions × seeds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lossbench.cli import completion, console, options
from lossbench.errors import UnfinishedRunError, UsageError
from lossbench.sweep.executors.choice import ExecutorName

if TYPE_CHECKING:
    from pathlib import Path

    from lossbench.metrics import Metric
    from lossbench.sweep.plan import Plan
    from lossbench.sweep.status import SweepStatus

TRIALS, FAILURES, OUTPUT, RAY = "Trials", "Failures", "Output", "More than one machine: Ray"
DECIDE = "Seeds until it is decided"


def sweep(  # noqa: PLR0913 - a command's options
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE|KEY=VALUE",
            help="YAML file, and keys to set, e.g. train.epochs=3; several values make an axis: loss.gamma=0,1,2.",
            autocompletion=completion.settings,
        ),
    ] = None,
    *,
    config: options.Config = None,
    seeds: Annotated[str | None, typer.Option(metavar="SEEDS", help="Seeds, e.g. 0-9 or 0,1,5.")] = None,
    plugin: options.Plugins = None,
    runs_dir: options.RunsDir = options.RUNS,
    device: options.Device = "auto",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            min=1,
            help="Train N trials at a time. Default: one per core; on GPUs, as many as fit.",
        ),
    ] = None,
    until_decided: Annotated[
        bool,
        typer.Option("--until-decided", help="Add seeds until each loss is decided.", rich_help_panel=DECIDE),
    ] = False,
    max_seeds: Annotated[
        int | None,
        typer.Option(metavar="N", help="Train at most N seeds per loss. Default: 30.", rich_help_panel=DECIDE),
    ] = None,
    rope: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Call losses equivalent within this size, e.g. 0.1pp.", rich_help_panel=DECIDE
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(metavar="METRIC", help="Metric that decides. Default: accuracy.", rich_help_panel=DECIDE),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="LOSS", help="Baseline loss. Default: categorical_crossentropy.", rich_help_panel=DECIDE),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Train only the I-th of N parts of equal cost.", rich_help_panel=TRIALS),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="List the trials with their status, and forecast time and detectable difference; train nothing.",
            rich_help_panel=TRIALS,
        ),
    ] = False,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["table", "csv", "json"] | None,
        typer.Option("--format", "-f", help="Format of the list of --dry-run.", rich_help_panel=TRIALS),
    ] = None,
    sd: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Standard deviation of paired differences for the forecast of --dry-run, e.g. 0.2pp. "
            "Default: that of earlier runs.",
            rich_help_panel=TRIALS,
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Allow more than a million trials.", rich_help_panel=TRIALS)
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Retrain trials that failed in an earlier call.", rich_help_panel=TRIALS),
    ] = False,
    retries: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Resume a trial at most N times if its worker dies.", rich_help_panel=FAILURES
        ),
    ] = 1,
    trial_timeout: Annotated[
        float | None,
        typer.Option(
            min=0.1, metavar="N", help="Stop a trial that takes longer than N seconds.", rich_help_panel=FAILURES
        ),
    ] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first failed trial.", rich_help_panel=FAILURES)
    ] = False,
    max_consecutive_failures: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Stop after N failed trials in a row; 0: never.", rich_help_panel=FAILURES
        ),
    ] = 3,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Hide the progress.", rich_help_panel=OUTPUT)] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON event per line.", rich_help_panel=OUTPUT)
    ] = False,
    executor: Annotated[
        ExecutorName | None,
        typer.Option(help="Train in local processes (default) or on a Ray cluster.", rich_help_panel=RAY),
    ] = None,
    ray_address: Annotated[
        str | None,
        typer.Option(
            metavar="auto|HOST:PORT",
            help="Join a running cluster. Default: start one on this machine.",
            rich_help_panel=RAY,
        ),
    ] = None,
    cpus_per_trial: Annotated[
        float | None, typer.Option(metavar="N", help="CPUs per trial. Default: 1.", rich_help_panel=RAY)
    ] = None,
    gpus_per_trial: Annotated[
        float | None, typer.Option(metavar="N", help="GPUs per trial, e.g. 0.25. Default: 0.", rich_help_panel=RAY)
    ] = None,
) -> None:
    """Train all trials of a sweep. The same command continues an interrupted sweep."""
    from lossbench.cli import sweep_list, tuning_view
    from lossbench.cli.sweep_stages import Stages
    from lossbench.losses import plugin as plugin_losses
    from lossbench.sweep import decide, plan, tune
    from lossbench.sweep.scheduler import Rules
    from lossbench.training import checks, identify

    if not dry_run:
        _refuse_options_of_the_list(format, sd)
    plugins = [plugin_losses.load(path) for path in plugin or []]
    file, settings = options.configuration(config, overrides)
    most = None if yes else plan.MAX_TRIALS
    swept = plan.load(
        file,
        settings,
        seeds=seeds,
        until_decided=until_decided,
        decide={"max_seeds": max_seeds, "rope": rope, "metric": metric, "baseline": baseline},
        max_trials=most,
        check=checks.problems,
    )
    stages = Stages(
        executor,
        {"jobs": jobs, "ray_address": ray_address, "cpus_per_trial": cpus_per_trial, "gpus_per_trial": gpus_per_trial},
        device,
        plugins,
        Rules(retries, retry_failed, trial_timeout, fail_fast, max_consecutive_failures),
        _shard(shard, swept),
        quiet,
        json,
    )
    sd_metric_and_size = _metric_and_sd(sd, swept)
    with console.status("planning the trials", quiet=quiet or json):
        planned, repeated = plan.trials(swept, lambda experiment: identify(experiment, plugins))
    if repeated:
        console.note(f"{repeated} of {len(swept)} draws repeat an earlier one; each is trained once")
    if not quiet:
        options.note_sums(each.experiment.loss for each in swept.combinations)
    folder = runs_dir / swept.name
    stage = tune.prepare(swept, planned, lambda experiment: identify(experiment, plugins), folder)
    if dry_run:
        sweep_list.print_trials(stages, swept, planned, stage, runs_dir, sd_metric_and_size, format or "table")
        return
    failed: list[str] = []
    if stage:
        stage, failed = stages.tune(stage)
        if stage is None:
            console.note(tuning_view.next_part(folder))
            if failed:
                raise UnfinishedRunError("\n".join(failed))
            return
        stages.note(tuning_view.chosen(stage.tuning, folder))
        planned = stage.compared()
    status = stages.status(planned, runs_dir)
    decider = decide.decider(swept, status, folder, retry_failed=retry_failed)
    stages.train(status, runs_dir, folder, decider)
    _conclude(status, folder, failed, quiet=quiet, as_json=json)


def _refuse_options_of_the_list(format: str | None, sd: str | None) -> None:  # noqa: A002 - the option's name
    if format:
        raise UsageError("--format: only the list of trials has a format; add --dry-run")
    if sd is not None:
        raise UsageError("--sd: only the forecast uses it; add --dry-run")


def _metric_and_sd(sd: str | None, swept: Plan) -> tuple[Metric, float | None]:
    """Return the metric of the forecast, that of the decision if there is one, and the standard deviation given."""
    from lossbench import sizes
    from lossbench.metrics import DEFAULTS, find

    usual = find(swept.decide.metric if swept.decide else DEFAULTS[0])
    if sd is None:
        return usual, None
    metric, size = sizes.parse_sd(sd, usual)
    if swept.decide and metric != usual:
        raise UsageError(
            f"--sd: {sd!r}: the verdicts are on {usual.name}; give its standard deviation, or decide by --metric "
            f"{metric.name}"
        )
    return metric, size


def _shard(shard: str | None, swept: Plan) -> tuple[int, int]:
    """Return `2/5` as numbers; a sweep that adds seeds until it is decided has no parts."""
    if shard and swept.decide:
        raise UsageError(
            "--shard: a decision needs the scores of all losses, which no part has; leave it out: several sweeps may "
            "share the runs folder, and Ray trains on several machines"
        )
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", shard or "1/1")
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--shard: expected I/N with 1 ≤ I ≤ N, e.g. 2/5, got {shard!r}")
    return int(found[1]), int(found[2])


def _conclude(status: SweepStatus, folder: Path, failed: list[str], *, quiet: bool, as_json: bool) -> None:
    """Print the counts to stderr and the folder to stdout.

    Raises:
        UnfinishedRunError: A trial failed or diverged, a tuning trial failed, or the sweep stopped.
    """
    from lossbench.cli.sweep_stages import unfinished
    from lossbench.sweep import verdicts

    if not quiet:
        decided = f"{verdicts.table(status.decision, status.ended)}\n\n" if status.decision else ""
        console.note(f"{decided}{status}\nnext: lossbench compare {folder}")
    if not as_json:
        console.result(folder)
    if failed or not status.is_complete:
        raise unfinished(status, folder, failed)
