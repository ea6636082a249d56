"""`lossbench sweep`: losses × hyperparameters × conditions × seeds."""

from __future__ import annotations

import re
import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lossbench.cli import completion, console, options
from lossbench.errors import InterruptedRunError, UnfinishedRunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lossbench.sweep.executors.messages import Executor, WorkerSettings
    from lossbench.sweep.status import SweepStatus

TRIALS, WRONG, SHOWN, RAY = "Which trials", "When something goes wrong", "What is shown", "Beyond one machine: Ray"


def sweep(  # noqa: PLR0913 - a command's options
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE",
            help="Such as loss.gamma=0,1,2: a comma makes an axis.",
            autocompletion=completion.settings,
        ),
    ] = None,
    *,
    config: options.Config,
    seeds: Annotated[str | None, typer.Option(help="Such as 0-9 or 0,1,5.")] = None,
    plugin: options.Plugins = None,
    runs_dir: options.RunsDir = options.RUNS,
    device: options.Device = "auto",
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Trials at a time. Default: cores; on GPUs what fits.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Only the I-th of N equal parts.", rich_help_panel=TRIALS)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the trials and what is there of them.", rich_help_panel=TRIALS)
    ] = False,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["table", "csv", "json"] | None,
        typer.Option("--format", "-f", help="Of the list: table, csv, json.", rich_help_panel=TRIALS),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Even more than a million.", rich_help_panel=TRIALS)] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Failed ones of an earlier call too.", rich_help_panel=TRIALS)
    ] = False,
    retries: Annotated[
        int, typer.Option(min=0, help="How often a trial whose worker dies is resumed.", rich_help_panel=WRONG)
    ] = 1,
    trial_timeout: Annotated[
        float | None,
        typer.Option(min=0.1, metavar="SECONDS", help="End a trial that takes longer.", rich_help_panel=WRONG),
    ] = None,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first failed trial.", rich_help_panel=WRONG)
    ] = False,
    max_consecutive_failures: Annotated[
        int, typer.Option(min=0, help="Stop when so many fail in a row; 0: never.", rich_help_panel=WRONG)
    ] = 3,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.", rich_help_panel=SHOWN)] = False,
    json: Annotated[bool, typer.Option("--json", help="A line an event on stdout.", rich_help_panel=SHOWN)] = False,
    executor: Annotated[
        Literal["local", "ray"] | None,
        typer.Option(help="Local processes (the default), or a Ray cluster.", rich_help_panel=RAY),
    ] = None,
    ray_address: Annotated[
        str | None,
        typer.Option(metavar="auto|HOST:PORT", help="A running cluster; else one is started.", rich_help_panel=RAY),
    ] = None,
    cpus_per_trial: Annotated[
        float | None, typer.Option(metavar="N", help="CPUs that a trial takes. Default: 1.", rich_help_panel=RAY)
    ] = None,
    gpus_per_trial: Annotated[
        float | None, typer.Option(metavar="N", help="GPUs, such as 0.25. Default: 0.", rich_help_panel=RAY)
    ] = None,
) -> None:
    """Train every combination of a sweep; called again, it continues."""
    from lossbench.cli.sweep_view import view
    from lossbench.losses import plugin as plugin_losses
    from lossbench.sweep import listing, plan
    from lossbench.sweep.cost import shard as shard_of
    from lossbench.sweep.executors.messages import WorkerSettings
    from lossbench.sweep.journal import Journal
    from lossbench.sweep.scheduler import Rules, read_status, run
    from lossbench.training import identify
    from lossbench.training.signals import stop_request

    if format and not dry_run:
        raise UsageError("--format is of the list of trials: add --dry-run")
    part = _part(shard)
    on_ray = _on_ray(executor, ray_address, cpus_per_trial, gpus_per_trial)
    plugins = [plugin_losses.load(path) for path in plugin or []]
    swept = plan.load(config, overrides or [], seeds=seeds, max_trials=None if yes else plan.MAX_TRIALS)
    planned, repeated = plan.trials(swept, lambda experiment: identify(experiment, plugins))
    if repeated:
        console.note(f"{repeated} of {len(swept)} draws repeat an earlier one; each is trained once")
    status = read_status(shard_of(planned, *part), runs_dir)
    if dry_run:
        console.result(listing.render(status, format or "table"), end="")
        console.note(_counted(status))
        return
    settings = WorkerSettings(str(runs_dir), device, plugins=[str(each.path) for each in plugins], argv=sys.argv)
    folder = runs_dir / swept.name
    begin = _executor(settings, status, folder, jobs, ray_address, cpus_per_trial, gpus_per_trial, on_ray=on_ray)
    rules = Rules(retries, retry_failed, trial_timeout, fail_fast, max_consecutive_failures)
    try:
        with view(status, quiet=quiet, as_json=json) as shown, stop_request() as stop:
            run(
                status, begin, runs_dir=runs_dir, journal=Journal(folder), stop=stop, rules=rules, on_event=shown.handle
            )
    except InterruptedRunError as error:
        again = f"the same command continues: {shlex.join(['lossbench', *sys.argv[1:]])}"
        raise InterruptedRunError(f"{error}; {_counted(status)}\n{again}", error.signal) from None
    _conclude(status, folder, quiet=quiet, as_json=json)


def _part(shard: str | None) -> tuple[int, int]:
    """`2/5` as numbers."""
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", shard or "1/1")
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--shard: expected I/N with 1 ≤ I ≤ N, such as 2/5, got {shard!r}")
    return int(found[1]), int(found[2])


def _on_ray(executor: str | None, address: str | None, cpus: float | None, gpus: float | None) -> bool:
    """Whether Ray trains: an address says so too; what is Ray's alone is refused beside local workers."""
    if executor == "local" and address:
        raise UsageError("--ray-address: a cluster is for --executor ray")
    on_ray = executor == "ray" or address is not None
    for option, number in (("--cpus-per-trial", cpus), ("--gpus-per-trial", gpus)):
        if number is not None and not on_ray:
            raise UsageError(f"{option}: this is for --executor ray; local workers take one core each, see --jobs")
        if number is not None and not 0 <= number <= 1024:  # noqa: PLR2004 - more than any node has
            raise UsageError(f"{option}: expected a number ≥ 0, such as 1 or 0.25, got {number:g}")
    return on_ray


def _executor(
    settings: WorkerSettings,
    status: SweepStatus,
    folder: Path,
    jobs: int | None,
    address: str | None,
    cpus: float | None,
    gpus: float | None,
    *,
    on_ray: bool,
) -> Callable[[], Executor]:
    """How to begin to train: by local workers, or on a Ray cluster."""
    from dataclasses import replace

    if on_ray:
        from lossbench.sweep.executors.ray import RayExecutor

        gpus = gpus or 0
        device = ("gpu" if gpus else "cpu") if settings.device == "auto" else settings.device
        shared = replace(settings, device=device, memory_share=gpus if 0 < gpus < 1 else None)
        return lambda: RayExecutor(
            shared, folder=folder, address=address, jobs=jobs, cpus=1 if cpus is None else cpus, gpus=gpus
        )
    from lossbench.sweep.executors.local import LocalExecutor

    threads = max(each.trial.experiment.train.threads or 1 for each in status.trials)
    return lambda: LocalExecutor.here(settings, jobs=jobs, threads=threads)


def _counted(status: SweepStatus) -> str:
    """`34 completed, 2 failed, 54 new of 90 trials`."""
    order = ("completed", "diverged", "failed", "interrupted", "running", "new")
    counted = ", ".join(f"{status.counts[name]} {name}" for name in order if status.counts[name])
    of = len(status.trials)
    return f"{counted} of {of} trial{'' if of == 1 else 's'}"


def _conclude(status: SweepStatus, folder: Path, *, quiet: bool, as_json: bool) -> None:
    """The summary on stderr, the folder on stdout; what went wrong as the error that it is."""
    if not quiet:
        console.note(f"{_counted(status)}\nnext: lossbench compare {folder}")
    if not as_json:
        console.result(folder)
    if status.is_complete:
        return
    lines = [status.stop_reason] if status.stop_reason else []
    for number, reason in status.failures.items():
        trial = status.trials[number].trial
        lines.append(f"{trial.folder} failed: {reason}; see {folder / trial.folder / 'log.txt'}")
    if status.failures and not status.stop_reason:
        lines.append("the same command with --retry-failed tries the failed ones again")
    raise UnfinishedRunError("\n".join(lines) or "some runs diverged; compare counts them")
