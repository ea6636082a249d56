"""Single runs as a table: a line per run, with the keys in which the runs differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import formatting
from lossbench.report.screen import Screen
from lossbench.runs import grouping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from lossbench.analysis.measure import Measure
    from lossbench.analysis.query import Query
    from lossbench.runs.rows import RunRow

STYLES = {"diverged": "red", "failed": "red", "running": "cyan", "interrupted": "yellow"}


def run_list_screen(rows: Sequence[RunRow], query: Query) -> Screen:
    """Return loss, differing keys, seed, status, measures and folder; long folders get lines of their own."""
    return Screen(lambda width: _listing(rows, query, width))


def _listing(rows: Sequence[RunRow], query: Query, width: int) -> Text:
    from rich.text import Text

    keys = ["loss", *grouping.differing_keys(rows), "seed", "status"]
    header = [*map(formatting.clean, keys), *map(formatting.measure_title, query.measures)]
    cells = [
        [_text(row.get(key)) for key in keys] + [_value(row, each, query) for each in query.measures] for row in rows
    ]
    title, *lines = formatting.align([header, *cells], texts=len(keys))
    folders = [formatting.clean(row["folder"]) for row in rows]
    in_one_line = len(title) + 2 + max(map(len, folders)) <= width
    text = Text(title + "  folder" * in_one_line, style="bold", no_wrap=True, overflow="ignore")
    for line, folder, row in zip(lines, folders, rows, strict=True):
        style = f"not bold {STYLES.get(str(row['status']), '')}".strip()
        text.append(f"\n{line}{'' if in_one_line else chr(10)}  {folder}", style=style)
    return text


def _text(value: object) -> str:
    return "none" if value is None else formatting.clean(value)


def _value(row: RunRow, measure: Measure, query: Query) -> str:
    value = row.get(measure.column(query.at))
    return formatting.value(measure, value if isinstance(value, int | float) else None)
