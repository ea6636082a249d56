"""`lossbench judge`: one loss against the best ones, in several conditions."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lossbench.cli import completion, console, options
from lossbench.errors import UnfinishedRunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.analysis.judgement import Judgement
    from lossbench.losses.expression import LossTerm
    from lossbench.losses.plugin import PluginLoaded
    from lossbench.sweep.plan import Plan
    from lossbench.sweep.status import SweepStatus


def judge(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="LOSS|FILE.py [KEY=VALUE]",
            help="A loss of the catalogue or a Python file with your own, then hyperparameters, e.g. focal gamma=5.",
            autocompletion=completion.losses,
        ),
    ],
    *,
    loss: Annotated[
        str | None, typer.Option("--loss", metavar="NAME", help="The loss to judge, if the file has several.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Train less: at most 3 minutes on two cores instead of 15.")
    ] = False,
    runs_dir: options.RunsDir = options.RUNS,
    device: options.Device = "auto",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            metavar="N",
            help="Train N trials at a time. Default: one per core; on GPUs, as many as fit.",
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Also write an HTML page of all runs to this file.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Hide the progress.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of the screen.")] = False,
) -> None:
    """Judge a loss: compare it with cross-entropy and the best known losses in five conditions.

    The loss is checked, then trained on clean data, with wrong labels, with rare
    classes and on few images. The same command continues an interrupted judgement.
    """
    from lossbench import files
    from lossbench.analysis.judgement import read_judgement
    from lossbench.report import judgement as views
    from lossbench.sweep import judge as judging
    from lossbench.sweep.status import read_status

    if report:
        files.check_target(report)
    terms, plugins = _loss(arguments, loss)
    budget = "quick" if quick else "full"
    swept, planned = judging.plan_judgement(terms, budget, plugins)
    folder = runs_dir / swept.name
    status = read_status(planned, runs_dir)
    _train(swept, status, terms, plugins, budget=budget, runs_dir=runs_dir, device=device, jobs=jobs, quiet=quiet)
    found = read_judgement(folder, budget)
    if json:
        console.result(views.judgement_json(found), end="")
    else:
        console.result(views.judgement_text(found))
    if report:
        _write_report(found, report)
    if not quiet:
        console.note(f"runs: {folder}")
    if status.counts["diverged"]:
        raise UnfinishedRunError(f"{status.counts['diverged']} runs diverged; their folders are in {folder}")


def _loss(arguments: Sequence[str], loss: str | None) -> tuple[tuple[LossTerm, ...], list[PluginLoaded]]:
    """Return the judged loss, and the user's file if it is in one."""
    from lossbench.cli.losses import terms_of
    from lossbench.losses import plugin, registry

    named, *settings = arguments
    if "=" in named:
        raise UsageError(f"{named!r}: name a loss or a Python file first, e.g. judge focal {named}")
    if others := [text for text in settings if "=" not in text]:
        raise UsageError(f"{others[0]!r}: judge takes one loss, then hyperparameters as key=value")
    if not named.endswith(".py") and os.sep not in named:
        if loss:
            raise UsageError(f"only a file has several losses, and {named!r} is none", parameter="loss")
        if named not in registry.names():
            raise UsageError(_unknown(named))
        return terms_of(named, settings), []
    loaded = plugin.load(Path(named))
    for reason in loaded.unusable:
        console.note(f"note: not usable: {reason}")
    return terms_of(_chosen(loaded, loss), settings), [loaded]


def _unknown(name: str) -> str:
    from lossbench.errors import did_you_mean
    from lossbench.losses import registry

    if Path(f"{name}.py").is_file():
        return f"unknown loss {name!r}; for the loss of the file: lossbench judge {name}.py"
    near = did_you_mean(name, registry.names()) or "; `lossbench losses` lists them all."
    return f"unknown loss {name!r}{near} For one of your own, name its file: lossbench judge my_loss.py"


def _chosen(loaded: PluginLoaded, loss: str | None) -> str:
    """Return the name of the judged loss of a file."""
    names = ", ".join(loaded.names)
    if loss is None:
        if len(loaded.names) > 1:
            raise UsageError(f"{loaded.path} has {len(loaded.names)} losses; choose one: {names}", parameter="loss")
        return loaded.names[0]
    if loss not in loaded.names and not any(f"{loss!r}" in reason for reason in loaded.unusable):
        raise UsageError(f"{loaded.path} has no loss {loss!r}; it has {names}", parameter="loss")
    return loss


def _train(
    swept: Plan,
    status: SweepStatus,
    terms: Sequence[LossTerm],
    plugins: Sequence[PluginLoaded],
    *,
    budget: str,
    runs_dir: Path,
    device: str,
    jobs: int | None,
    quiet: bool,
) -> None:
    """Check the loss and train until everything is decided, unless that is done.

    Raises:
        UsageError: A check of the loss failed.
        UnfinishedRunError: Trials failed, so that there is no judgement.
    """
    from lossbench import suite
    from lossbench.cli import sweep_stages
    from lossbench.losses.labels import label
    from lossbench.sweep import decide
    from lossbench.sweep import judge as judging
    from lossbench.sweep.executors.choice import choose
    from lossbench.sweep.executors.messages import WorkerSettings
    from lossbench.sweep.scheduler import Rules

    folder = runs_dir / swept.name
    status.name_condition = judging.condition_name(budget)
    decider = decide.decider(swept, status, folder, retry_failed=True)
    finished = status.finished == len(status.trials)
    settings = WorkerSettings(str(runs_dir), device, plugins=[str(each.path) for each in plugins], argv=sys.argv)
    start_executor = choose(None, settings, status.trials, folder=folder, finished=finished, jobs=jobs)
    if not finished:
        with console.status("checking the loss", quiet=quiet):
            judging.check_loss(terms, status.trials)
        if not quiet:
            time = suite.BUDGETS[budget].time
            left = len(status.trials) - status.finished
            console.note(f"{label(terms)} passed its checks: at most {left} trials, {time} on two cores")
    sweep_stages.train(
        status,
        start_executor,
        runs_dir=runs_dir,
        folder=folder,
        rules=Rules(retry_failed=True),
        decider=decider,
        quiet=quiet,
    )
    if status.stop_reason or status.failures:
        raise sweep_stages.unfinished(status, folder)


def _write_report(judgement: Judgement, file: Path) -> None:
    from lossbench.analysis.query import Query
    from lossbench.cli.report import write_page

    write_page(Query(paths=(Path(judgement.folder),), baseline=judgement.loss), file, note=console.note)
