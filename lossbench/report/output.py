"""Every form of a report as text: a comparison in four, all others in two."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal, TypeAlias

from lossbench.report import card, difference, markdown, records, verification
from lossbench.report.table import ComparisonTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

    from lossbench.analysis.difference import RunDifference
    from lossbench.analysis.frame import Broken
    from lossbench.analysis.sheet import Sheet
    from lossbench.analysis.summary import Comparison
    from lossbench.analysis.verification import Verification

Form: TypeAlias = Literal["table", "csv", "json", "markdown"]


def render(comparison: Comparison, broken: Sequence[Broken], form: Form, *, to_stdout: bool) -> str:
    """A comparison as text; a table for stdout has the colours and the width that stdout takes."""
    match form:
        case "table":
            return _printed(lambda _: ComparisonTable(comparison), to_stdout=to_stdout)
        case "csv":
            return records.as_csv(comparison)
        case "json":
            return records.as_json(comparison, broken)
        case "markdown":
            return markdown.render(comparison)


def show(sheet: Sheet, *, as_json: bool) -> str:
    """A run as text: a screen with the colours and the width that stdout takes, or JSON."""
    if as_json:
        return records.sheet_as_json(sheet)
    return _printed(lambda width: card.render(sheet, width), to_stdout=True)


def diff(runs: RunDifference, *, as_json: bool) -> str:
    """What differs between two runs as text: tables for stdout, or JSON."""
    if as_json:
        return difference.as_json(runs)
    return _printed(lambda _: difference.render(runs), to_stdout=True)


def verify(found: Verification, *, as_json: bool) -> str:
    """What training a run again has shown: a verdict, a table and reasons for stdout, or JSON."""
    if as_json:
        return verification.as_json(found)
    return _printed(lambda _: verification.render(found), to_stdout=True)


def _printed(content: Callable[[int], RenderableType], *, to_stdout: bool) -> str:
    """What rich prints, lines without blanks at their ends: for stdout as stdout takes it, else plain, 80 columns."""
    from rich.console import Console

    console = Console(highlight=False) if to_stdout else Console(file=io.StringIO(), width=80, color_system=None)
    with console.capture() as capture:
        console.print(content(console.width), crop=False)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
