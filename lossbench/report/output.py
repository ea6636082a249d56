"""The four forms of a comparison, by name."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal, TypeAlias

from lossbench.report import markdown, records
from lossbench.report.table import ComparisonTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from lossbench.analysis.frame import Broken
    from lossbench.analysis.summary import Comparison

Form: TypeAlias = Literal["table", "csv", "json", "markdown"]


def render(comparison: Comparison, broken: Sequence[Broken], form: Form, *, to_stdout: bool) -> str:
    """A comparison as text; a table for stdout has the colours and the width that stdout takes."""
    match form:
        case "table":
            return screen(ComparisonTable(comparison), to_stdout=to_stdout)
        case "csv":
            return records.as_csv(comparison)
        case "json":
            return records.as_json(comparison, broken)
        case "markdown":
            return markdown.render(comparison)


def screen(content: RenderableType, *, to_stdout: bool) -> str:
    """What rich prints, lines without blanks at their ends: for stdout as stdout takes it, else plain, 80 columns."""
    from rich.console import Console

    console = Console(highlight=False) if to_stdout else Console(file=io.StringIO(), width=80, color_system=None)
    with console.capture() as capture:
        console.print(content, crop=False)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
