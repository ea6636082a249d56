"""Every form of a report as text: a comparison in eight, single runs in four, all others in two."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal, TypeAlias

from lossbench.errors import UsageError
from lossbench.report.comparison import csv_json, github, images, junit, latex, listing, markdown
from lossbench.report.comparison.table import ComparisonTable
from lossbench.report.run import details, verification
from lossbench.report.run import diff as run_diff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import RenderableType

    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Question
    from lossbench.inspect.details import RunDetails
    from lossbench.inspect.diff import RunDifference
    from lossbench.inspect.verification import Verification
    from lossbench.runs.rows import RunRow

Form: TypeAlias = Literal["table", "markdown", "csv", "json", "jsonl", "latex", "junit", "github"]


WRITERS: Mapping[str, Callable[[Answer], str]] = {
    "markdown": markdown.render,
    "csv": csv_json.as_csv,
    "json": csv_json.as_json,
    "jsonl": csv_json.as_json_lines,
    "latex": latex.render,
    "junit": junit.render,
    "github": github.render,
}


def render(answer: Answer, form: Form, *, to_stdout: bool) -> str:
    """A comparison as text; a table for stdout has the colours and the width that stdout takes."""
    if form == "table":
        return _printed(lambda width: _screen(answer, width), to_stdout=to_stdout)
    return WRITERS[form](answer)


def list_runs(
    rows: Sequence[RunRow], differing: Sequence[str], question: Question, form: Form, *, to_stdout: bool
) -> str:
    """Single runs as text.

    Raises:
        UsageError: The form is one of comparisons only.
    """
    match form:
        case "table":
            return _printed(lambda width: listing.render(rows, differing, question, width), to_stdout=to_stdout)
        case "csv":
            return csv_json.table(csv_json.runs(rows))
        case "json":
            return csv_json.runs_as_json(rows)
        case "jsonl":
            return csv_json.lines(csv_json.runs(rows))
    raise UsageError(f"--list: expected --format table, csv, json or jsonl, got {form}")


def show(sheet: RunDetails, *, as_json: bool) -> str:
    """A run as text: a screen with the colours and the width that stdout takes, or JSON."""
    if as_json:
        return csv_json.sheet_as_json(sheet)
    return _printed(lambda width: details.render(sheet, width), to_stdout=True)


def diff(runs: RunDifference, *, as_json: bool) -> str:
    """What differs between two runs as text: tables for stdout, or JSON."""
    if as_json:
        return run_diff.as_json(runs)
    return _printed(lambda _: run_diff.render(runs), to_stdout=True)


def verify(found: Verification, *, as_json: bool) -> str:
    """What training a run again has shown: a verdict, a table and reasons for stdout, or JSON."""
    if as_json:
        return verification.as_json(found)
    return _printed(lambda _: verification.render(found), to_stdout=True)


def _screen(answer: Answer, width: int) -> RenderableType:
    from rich.console import Group

    confidence = answer.comparison.question.confidence
    paired = "\n".join(["", *images.lines(answer.image_comparisons, confidence, width)]).rstrip()
    return Group(ComparisonTable(answer.comparison), *[paired] * bool(answer.image_comparisons))


def _printed(content: Callable[[int], RenderableType], *, to_stdout: bool) -> str:
    """What rich prints, lines without blanks at their ends: for stdout as stdout takes it, else plain, 80 columns."""
    from rich.console import Console

    console = Console(highlight=False) if to_stdout else Console(file=io.StringIO(), width=80, color_system=None)
    with console.capture() as capture:
        console.print(content(console.width), crop=False, soft_wrap=False)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
