"""`lossbench compare`: which loss is better, by how much, and how certain that is."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from lossbench.cli import console, gate, options
from lossbench.cli.options import GATE, OUTPUT
from lossbench.cli.query import build_query, map_keys, split
from lossbench.errors import UsageError
from lossbench.report import formats

if TYPE_CHECKING:
    from lossbench.analysis.query import Answer, Query
    from lossbench.analysis.result import Comparison

    FormatName: TypeAlias = str
else:  # Typer reads the choices from a literal type
    FormatName = Literal[tuple(formats.FORMATS)]


def compare(  # noqa: PLR0913 - the options of the command
    paths: options.Runs,
    *,
    where: options.Where = None,
    seeds: options.Seeds = None,
    tune: options.Tune = None,
    metric: options.Metric = options.METRICS,
    at: options.At = "last",
    by: options.By = None,
    across: options.Across = None,
    pivot: options.Pivot = None,
    map: options.Map = None,  # noqa: A002 - the option's name
    baseline: options.Baseline = None,
    confidence: options.Confidence = 95,
    rope: options.Rope = None,
    unpaired: options.Unpaired = False,
    allow_different: options.AllowDifferent = None,
    fail_if: options.FailIf = None,
    require_losses: options.RequireLosses = None,
    require_seeds: options.RequireSeeds = None,
    against: options.Against = None,
    save_baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", rich_help_panel=GATE, help="Write these runs to a baseline file, unless the gate fails."
        ),
    ] = None,
    strict: options.Strict = False,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="ORDER", rich_help_panel=OUTPUT, help="Sort by a metric, loss, n or p. (default: the first metric)"
        ),
    ] = None,
    top: Annotated[
        int | None, typer.Option(metavar="N", min=1, rich_help_panel=OUTPUT, help="Show at most N losses per block.")
    ] = None,
    only_changed: Annotated[
        bool, typer.Option("--only-changed", rich_help_panel=OUTPUT, help="Show only losses that are better or worse.")
    ] = False,
    images: Annotated[
        bool,
        typer.Option(
            "--images",
            rich_help_panel=OUTPUT,
            help="Show the images that one loss gets right and the other wrong in most seeds.",
        ),
    ] = False,
    list_runs: Annotated[
        bool, typer.Option("--list", rich_help_panel=OUTPUT, help="List single runs instead.")
    ] = False,
    plots: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", rich_help_panel=OUTPUT, help="Write plots as PNG and SVG files to this folder."),
    ] = None,
    label: options.Label = None,
    caption: options.Caption = None,
    latex_label: options.LatexLabel = None,
    format: Annotated[  # noqa: A002 - the option's name
        FormatName,
        typer.Option("--format", "-f", rich_help_panel=OUTPUT, help=f"Output format. {formats.help_text()}."),
    ] = "table",
    json: Annotated[
        bool, typer.Option("--json", rich_help_panel=OUTPUT, help="Print one JSON document; short for --format json.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", rich_help_panel=OUTPUT, help="Write to this file instead of stdout."
        ),
    ] = None,
) -> None:
    """Compare losses over seeds: which is better, by how much, and how certain that is.

    Exit codes: 0 success, 2 usage error, 3 failed gate or missing evidence, 5 no matching run, 6 undecided gate with
    --strict.
    """
    from lossbench.analysis import baseline_file
    from lossbench.analysis.filter import filter_groups
    from lossbench.analysis.names import with_names
    from lossbench.analysis.query import answer
    from lossbench.report import formatting, next_step

    form = _form(format, json=json)
    _check_list(list_runs=list_runs, plots=plots, pivot=pivot, map=map, caption=caption, latex_label=latex_label)
    _check_map(map, sort=sort, top=top, only_changed=only_changed, rope=rope)
    gate.check_strict(fail_if, strict=strict)
    query = build_query(
        paths,
        where=where,
        seeds=seeds,
        tune=tune,
        metric=metric,
        at=at,
        by=by,
        across=split(across),
        pivot=pivot,
        map_keys=map_keys(map),
        baseline=baseline,
        confidence=confidence,
        label=label,
        rope=rope,
        unpaired=unpaired,
        allow_different=allow_different,
        thresholds=tuple(fail_if or ()),
        require_losses=require_losses,
        require_seeds=require_seeds,
        baseline_file=against,
        images=images,
    )
    if list_runs:
        _list(query, form, output)
        return
    found = replace(answer(query), caption=caption, latex_label=latex_label)
    shown = replace(found, comparison=filter_groups(found.comparison, sort=sort, top=top, only_changed=only_changed))
    _print(shown, form, output)
    for line in formatting.broken_lines(found.broken):
        console.note(line)
    if plots:
        _draw(with_names(shown).comparison, plots)
    if save_baseline and not gate.has_failed(found.gate_results):
        baseline_file.save(save_baseline, found.rows)
        console.note(f"baseline: {save_baseline} ({formatting.count_of(len(found.rows), 'run')})")
    if form == "table" and not output and console.is_terminal(sys.stdout):
        _advise(next_step.next_step(found, sys.argv[1:]))
    gate.report(found, strict=strict)


def _form(form: str, *, json: bool) -> str:
    """Return the format that `--format` and `--json` choose together."""
    if json and form not in ("table", "json"):
        raise UsageError(f"--json means --format json, got --format {form} too; leave one out")
    return "json" if json else form


def _check_list(*, list_runs: bool, **others: object) -> None:
    """Refuse what a list of single runs does not have."""
    for name, value in others.items():
        if list_runs and value is not None:
            raise UsageError("a list of single runs has none; leave out `list`", parameter=name, mentions=("list",))


def _check_map(keys: str | None, **others: object) -> None:
    """Refuse what a map does not have: it shows every cell and every loss."""
    for name, value in others.items():
        if keys and value:
            raise UsageError("a map has none; leave it out", parameter=name)


def _list(query: Query, form: str, output: Path | None) -> None:
    from lossbench.analysis.query import select_runs

    rows, _ = select_runs(query)
    _write(formats.runs_text(rows, query, form, to_stdout=not output), output)


def _print(answer: Answer, form: str, output: Path | None) -> None:
    summary = formats.summary_text(answer, form)
    to_file = None if summary else output
    _write(formats.comparison_text(answer, form, to_stdout=not to_file), to_file)
    if summary:
        _summarise(summary, output)


def _write(text: str, output: Path | None) -> None:
    from lossbench import files

    if output:
        files.write_text(output, text)
    else:
        console.rendered(text)


def _draw(comparison: Comparison, directory: Path) -> None:
    """Write plots, and name the files that could not be read."""
    from lossbench.analysis.figure_data import read_figures
    from lossbench.report import formatting, plots

    found, unread = ([], []) if comparison.loss_map else read_figures(comparison)
    files = plots.save_plots(comparison, found, directory)
    for line in formatting.broken_lines(unread, "not drawn"):
        console.note(line)
    console.note(f"plots: {len(files)} files in {directory}")


def _advise(text: str) -> None:
    """Print a sentence at the terminal's width, then its commands, which stay on one line each."""
    sentence, *commands = text.splitlines()
    console.sentences(f"\n{sentence}")
    for command in commands:
        console.note(command)


def _summarise(text: str, output: Path | None) -> None:
    """Append to the summary of a GitHub Actions job; print to stdout elsewhere."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if output or not summary:
        _write(text, output)
        return
    with Path(summary).open("a", encoding="utf-8") as file:
        file.write(text)
