"""Single runs as a table: a line each, with the keys in which they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from lossbench.analysis.measure import Measure
    from lossbench.analysis.result import Question
    from lossbench.runs.rows import RunRow

STYLES = {"diverged": "red", "failed": "red", "running": "cyan", "interrupted": "yellow"}


def render(rows: Sequence[RunRow], differing: Sequence[str], question: Question, width: int) -> Text:
    """Loss, the keys that differ, seed, status, the measures; the folder behind them, or below where it is too long."""
    from rich.text import Text

    keys = ["loss", *differing, "seed", "status"]
    header = [*map(formatting.clean, keys), *map(formatting.title, question.measures)]
    cells = [
        [_text(row.get(key)) for key in keys] + [_value(row, each, question) for each in question.measures]
        for row in rows
    ]
    folders = [formatting.clean(row["folder"]) for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    beside = sum(widths) + 2 * len(widths) + max(map(len, folders)) <= width
    title = _line(header, widths, len(keys)) + "  folder" * beside
    text = Text(title, style="bold", no_wrap=True, overflow="ignore")
    for line, folder, row in zip(cells, folders, rows, strict=True):
        told = _line(line, widths, len(keys)) + ("  " if beside else "\n  ") + folder
        text.append(f"\n{told}", style=f"not bold {STYLES.get(str(row['status']), '')}".strip())
    return text


def _line(cells: Sequence[str], widths: Sequence[int], texts: int) -> str:
    """Texts to the left, numbers to the right."""
    padded = [
        cell.ljust(width) if place < texts else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded)


def _text(value: object) -> str:
    return "none" if value is None else formatting.clean(value)


def _value(row: RunRow, measure: Measure, question: Question) -> str:
    value = row.get(measure.column(question.at))
    return formatting.value(measure, value if isinstance(value, int | float) else None)
