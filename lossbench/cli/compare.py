"""`lossbench compare`: which loss is better, by how much, and how sure that is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from lossbench.cli import console, options, selection
from lossbench.errors import GateFailedError, UndecidedError, UsageError
from lossbench.metrics import DEFAULTS, METRICS
from lossbench.report import formats

if TYPE_CHECKING:
    FormatName: TypeAlias = str
else:  # Typer reads the choices from a literal type
    FormatName = Literal[tuple(formats.FORMATS)]

if TYPE_CHECKING:
    from lossbench.analysis.gate import GateResult
    from lossbench.analysis.result import Comparison

SELECTION, STATISTICS, GATE, OUTPUT = "Which runs", "What is compared", "The gate", "What is shown"


def compare(  # noqa: PLR0913 - the options of the command
    paths: options.Runs,
    *,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="CONDITION",
            rich_help_panel=SELECTION,
            help="Such as \"data.label_noise.rate==0.2 and status=='completed'\".",
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(metavar="SEEDS", rich_help_panel=SELECTION, help="Such as 0-9 or 0,1,5.")
    ] = None,
    tune: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            rich_help_panel=SELECTION,
            help="Each loss at its best value of this key by validation, such as optimizer.learning_rate.",
        ),
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            metavar="METRICS",
            rich_help_panel=STATISTICS,
            help=f"With commas; the first carries the verdict. {', '.join(METRICS)}, recall.5, …",
        ),
    ] = ",".join(DEFAULTS),
    at: Annotated[
        Literal["last", "best"],
        typer.Option(rich_help_panel=STATISTICS, help="Test the weights of the last epoch, or the best on validation."),
    ] = "last",
    by: Annotated[
        str | None,
        typer.Option(
            metavar="KEYS",
            rich_help_panel=STATISTICS,
            help="What makes a group: loss, loss.name, or dotted keys. (default: loss)",
        ),
    ] = None,
    across: Annotated[
        str | None,
        typer.Option(metavar="KEYS", rich_help_panel=STATISTICS, help="The keys that make the outermost blocks."),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="LOSS",
            rich_help_panel=STATISTICS,
            help="What the others are held against. (default: categorical_crossentropy)",
        ),
    ] = None,
    ci: Annotated[
        float, typer.Option(min=50, max=99.99, rich_help_panel=STATISTICS, help="Confidence of the intervals, in %.")
    ] = 95,
    rope: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", rich_help_panel=STATISTICS, help="Differences up to this count as none, such as 0.1pp."
        ),
    ] = None,
    unpaired: Annotated[
        bool, typer.Option("--unpaired", rich_help_panel=STATISTICS, help="Welch's test, seeds not paired.")
    ] = False,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            metavar="THRESHOLD",
            rich_help_panel=GATE,
            help="Exit 3 if it is so: 'delta.accuracy < -0.2pp', 'accuracy < 0.97'; repeatable.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="FILE", rich_help_panel=GATE, help="Hold each loss against itself in a stored baseline."),
    ] = None,
    save_baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", rich_help_panel=GATE, help="Store these runs as a baseline, unless the gate fails."
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", rich_help_panel=GATE, help="Exit 6 if a threshold stays undecided.")
    ] = False,
    sort: Annotated[
        str | None,
        typer.Option(metavar="ORDER", rich_help_panel=OUTPUT, help="A metric, loss, n or p. (default: the metric)"),
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, rich_help_panel=OUTPUT, help="So many losses of each block.")
    ] = None,
    only_changed: Annotated[
        bool, typer.Option("--only-changed", rich_help_panel=OUTPUT, help="Only losses that are better or worse.")
    ] = False,
    images: Annotated[
        bool,
        typer.Option(
            "--images", rich_help_panel=OUTPUT, help="Which images one gets right and the other wrong in most seeds."
        ),
    ] = False,
    list_: Annotated[bool, typer.Option("--list", rich_help_panel=OUTPUT, help="List single runs instead.")] = False,
    plots: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", rich_help_panel=OUTPUT, help="Draw it: PNG and SVG files go to this folder."),
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        FormatName,
        typer.Option("--format", "-f", rich_help_panel=OUTPUT, help=f"Output format. {formats.help_text()}."),
    ] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", rich_help_panel=OUTPUT, help="Write to this file, not to stdout.")
    ] = None,
) -> None:
    """Compare losses over seeds: which is better, by how much, and how sure that is.

    Exit codes: 0 · 2 usage · 3 the gate failed · 5 nothing matched · 6 undecided, with --strict.
    """
    from lossbench.analysis import baseline_file, gate, loading
    from lossbench.analysis import where as conditions
    from lossbench.analysis.comparison import compare as compared
    from lossbench.analysis.filter import filter_groups
    from lossbench.analysis.images import compare_images
    from lossbench.analysis.measure import measures_of, with_classes
    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Question
    from lossbench.analysis.tune import tune as tuned
    from lossbench.report import formatting

    if against and baseline:
        raise UsageError("--against and --baseline: each names what losses are held against; choose one")
    if list_ and plots:
        raise UsageError("--list and --plots: single runs are not drawn; choose one")
    measures = measures_of(selection.keys(metric))
    thresholds = [gate.parse_threshold(text) for text in fail_if or ()]
    selected = partial(conditions.select, condition=where, seeds=selection.seeds(seeds) if seeds else None)
    found, broken = loading.rows(paths)
    question = Question(
        measures=measures,
        at=at,
        by=selection.keys(by or ("loss.name" if (tune or "").startswith("loss.") else "loss")),
        across=selection.keys(across or ""),
        baseline=selection.label(baseline, found),
        confidence=ci / 100,
        rope=gate.parse_rope(rope, measures[0]) if rope else None,
        unpaired=unpaired,
        also=tuple(threshold.measure for threshold in thresholds),
    )
    rows = with_classes(selected(found), (*question.measures, *question.also))
    if list_:
        _write(formats.runs_text(rows, question, format, to_stdout=not output), output)
        return
    rows, choices = tuned(rows, tune, question) if tune else (rows, ())
    earlier = baseline_file.load(against) if against else None
    earlier = earlier and replace(earlier, rows=selected(earlier.rows))
    comparison = replace(compared(rows, question, earlier, apart_from=selection.keys(tune or "")), tuned=choices)
    gate_results = tuple(gate.judge(comparison, thresholds))
    pairs = tuple(compare_images(comparison)) if images else ()
    shown = filter_groups(comparison, sort=sort, top=top, only_changed=only_changed)
    answer = Answer(shown, tuple(broken), gate_results, pairs)
    summary = formats.summary_text(answer, format)
    to_file = None if summary else output
    _write(formats.comparison_text(answer, format, to_stdout=not to_file), to_file)
    if summary:
        _summarise(summary, output)
    for line in formatting.broken(broken):
        console.note(line)
    if plots:
        _draw(shown, plots)
    if save_baseline and not any(result.outcome == "failed" for result in gate_results):
        baseline_file.save(save_baseline, rows)
    _judge(gate_results, question.confidence, strict=strict)


def _write(text: str, output: Path | None) -> None:
    from lossbench import files

    if output:
        files.write_text(output, text)
    else:
        console.rendered(text)


def _draw(comparison: Comparison, directory: Path) -> None:
    """Draw a comparison, and say what of its runs could not be read for it."""
    from lossbench.analysis.figure_data import read_figures
    from lossbench.report import formatting, plots

    found, unread = read_figures(comparison)
    files = plots.save_plots(comparison, found, directory)
    for line in formatting.unread(unread):
        console.note(line)
    console.note(f"plots: {len(files)} files in {directory}")


def _summarise(text: str, output: Path | None) -> None:
    """Where GitHub Actions shows a job's summary; on stdout if this is none of its jobs."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if output or not summary:
        _write(text, output)
        return
    with Path(summary).open("a", encoding="utf-8") as file:
        file.write(text)


def _judge(gate_results: Sequence[GateResult], confidence: float, *, strict: bool) -> None:
    """Say what the gate found, and end with its exit code."""
    from lossbench.report.wording import gate_sentence

    sentences = {
        outcome: [gate_sentence(result, confidence) for result in gate_results if result.outcome == outcome]
        for outcome in ("failed", "undecided", "passed")
    }
    if gate_results:
        counts = ", ".join(f"{len(lines)} {outcome}" for outcome, lines in sentences.items() if lines)
        console.note(f"gate: {counts}")
    if strict and sentences["undecided"] and not sentences["failed"]:
        raise UndecidedError("\n".join(sentences["undecided"]))
    for line in sentences["undecided"]:
        console.note(f"warning: {line}")
    if sentences["failed"]:
        raise GateFailedError("\n".join(sentences["failed"]))
