"""The output formats of `compare`: one entry per format, everything about that format in it.

The entry of a format is a function: its name is the format's, its docstring is the help, and it returns the writers,
whose modules it imports, so that the table of names is there at once.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lossbench.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

    from lossbench.analysis.query import Answer, Query
    from lossbench.runs.rows import RunRow

    ComparisonWriter: TypeAlias = Callable[[Answer], str | RenderableType]
    RunsWriter: TypeAlias = Callable[[Sequence[RunRow], Query], str | RenderableType]


@dataclass(frozen=True)
class Writers:
    """The functions that write a format; each returns text, or content that rich prints at the console's width.

    Attributes:
        comparison: Write a comparison.
        runs: Write single runs; None for a format of comparisons only.
        summary: Write the summary of a CI job, which goes to a file of its own; None for a format without one.
        pivot: Write a comparison as losses × values of one key; None for a format without it.
        loss_map: Write the loss map of a comparison; None for a format without it.
        shows_names: Whether it is for readers, so that display names replace the labels.
    """

    comparison: ComparisonWriter
    runs: RunsWriter | None = None
    summary: ComparisonWriter | None = None
    pivot: ComparisonWriter | None = None
    loss_map: ComparisonWriter | None = None
    shows_names: bool = False


@dataclass(frozen=True)
class Format:
    """An output format: its name, its purpose in a few words, and a function that imports its writers."""

    name: str
    purpose: str
    writers: Callable[[], Writers]


FORMATS: dict[str, Format] = {}
LATEX = "latex"

_LATEX_LABEL = re.compile(r"[A-Za-z0-9:._+-]{1,100}", re.ASCII)


def _entry(writers: Callable[[], Writers]) -> Callable[[], Writers]:
    purpose = (inspect.getdoc(writers) or "").rstrip(".")
    FORMATS[writers.__name__] = Format(writers.__name__, purpose, writers)
    return writers


@_entry
def table() -> Writers:
    """Table for a terminal."""
    from lossbench.report.comparison import listing, loss_map, pivot, table

    return Writers(
        table.comparison_screen,
        runs=listing.run_list_screen,
        pivot=pivot.pivot_screen,
        loss_map=loss_map.map_screen,
        shows_names=True,
    )


@_entry
def markdown() -> Writers:
    """Tables for a README, an issue or a pull request."""
    from lossbench.report.comparison import loss_map, markdown, pivot

    return Writers(markdown.markdown_text, pivot=pivot.pivot_markdown, loss_map=loss_map.map_markdown, shows_names=True)


@_entry
def csv() -> Writers:
    """Rows for a spreadsheet."""
    from lossbench.report.comparison import map_records, pivot_records, records

    return Writers(
        records.comparison_csv, runs=records.runs_csv, pivot=pivot_records.pivot_csv, loss_map=map_records.map_csv
    )


@_entry
def json() -> Writers:
    """One JSON document."""
    from lossbench.report.comparison import map_records, pivot_records, records

    return Writers(
        records.comparison_json, runs=records.runs_json, pivot=pivot_records.pivot_json, loss_map=map_records.map_json
    )


@_entry
def jsonl() -> Writers:
    """One JSON record per line."""
    from lossbench.report.comparison import map_records, pivot_records, records

    return Writers(
        records.comparison_json_lines,
        runs=records.runs_json_lines,
        pivot=pivot_records.pivot_json_lines,
        loss_map=map_records.map_json_lines,
    )


@_entry
def latex() -> Writers:
    """Table for a paper."""
    from lossbench.report.comparison import latex, loss_map, pivot

    return Writers(latex.latex_text, pivot=pivot.pivot_latex, loss_map=loss_map.map_latex, shows_names=True)


@_entry
def junit() -> Writers:
    """Gate results as test cases."""
    from lossbench.report.comparison import junit

    return Writers(junit.junit_text)


@_entry
def github() -> Writers:
    """Annotations and a job summary."""
    from lossbench.report.comparison import github, markdown

    return Writers(github.github_text, summary=markdown.markdown_text)


def help_text() -> str:
    """Return a sentence that explains every format."""
    return "; ".join(f"{each.name}: {each.purpose[:1].lower()}{each.purpose[1:]}" for each in FORMATS.values())


def comparison_text(answer: Answer, name: str, *, to_stdout: bool) -> str:
    """Return a comparison in a format; for stdout a table has its width and colours, else 80 columns and none.

    Raises:
        UsageError: There is no such format, or it lacks what the answer needs: a pivot, a map, a caption, a label.
    """
    from lossbench.report import screen

    return screen.as_text(comparison_content(answer, name), to_stdout=to_stdout)


def comparison_content(answer: Answer, name: str) -> str | RenderableType:
    """Return a comparison in a format, as text or as content for a console.

    Raises:
        UsageError: There is no such format, or it lacks what the answer needs: a pivot, a map, a caption, a label.
    """
    from lossbench.analysis.names import with_names

    writers = _writers(name)
    for parameter in ("caption", "latex_label"):
        if getattr(answer, parameter) is not None and name != LATEX:
            raise UsageError(
                f"only the format {LATEX} has one; add `format` {LATEX}", parameter=parameter, mentions=("format",)
            )
    if answer.latex_label is not None and not _LATEX_LABEL.fullmatch(answer.latex_label):
        raise UsageError(
            f"expected letters, digits and : . - _ +, e.g. tab:noise, got {answer.latex_label!r}",
            parameter="latex_label",
        )
    query = answer.comparison.query
    form = "loss_map" if query.map_keys else "pivot" if query.pivot else "comparison"
    write: ComparisonWriter | None = getattr(writers, form)
    if write is None:
        expected = [each.name for each in FORMATS.values() if getattr(each.writers(), form)]
        shown = form.removeprefix("loss_")
        raise UsageError(f"expected {_alternatives(expected)} for a {shown}, got {name}", parameter="format")
    return write(with_names(answer) if writers.shows_names else answer)


def summary_text(answer: Answer, name: str) -> str | None:
    """Return the job summary that belongs to a format; None if it has none.

    Raises:
        UsageError: There is no such format.
    """
    from lossbench.analysis.names import with_names
    from lossbench.report import screen

    write = _writers(name).summary
    return write and screen.as_text(write(with_names(answer)), to_stdout=False)


def runs_text(rows: Sequence[RunRow], query: Query, name: str, *, to_stdout: bool) -> str:
    """Return single runs in a format.

    Raises:
        UsageError: There is no such format, or it is for comparisons only.
    """
    from lossbench.report import screen

    write = _writers(name).runs
    if write is None:
        expected = [each.name for each in FORMATS.values() if each.writers().runs]
        raise UsageError(f"expected {_alternatives(expected)} for single runs, got {name}", parameter="format")
    return screen.as_text(write(rows, query), to_stdout=to_stdout)


def _writers(name: str) -> Writers:
    if name not in FORMATS:
        raise UsageError(
            f"expected {_alternatives(list(FORMATS))}, got {name}{did_you_mean(name, FORMATS)}", parameter="format"
        )
    return FORMATS[name].writers()


def _alternatives(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
