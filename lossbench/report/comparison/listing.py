"""Single runs as a table: a line per run, with the keys in which the runs differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import formatting
from lossbench.report.screen import Screen
from lossbench.runs import grouping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from lossbench.analysis.query import Query
    from lossbench.metrics import Metric
    from lossbench.runs.rows import RunRow

STYLES = {"diverged": "red", "failed": "red", "running": "cyan", "interrupted": "yellow"}


def run_list_screen(rows: Sequence[RunRow], query: Query) -> Screen:
    """Return loss, differing keys, seed, status, metrics and folder, in up to three lines per run if it is long."""
    return Screen(lambda width: _listing(rows, query, width))


def _listing(rows: Sequence[RunRow], query: Query, width: int) -> Text:
    from rich.text import Text

    keys, facts = ["loss", *grouping.differing_keys(rows)], ["seed", "status"]
    settings = [list(map(formatting.clean, keys)), *([_text(row.get(key)) for key in keys] for row in rows)]
    results = [[*facts, *map(formatting.metric_title, query.metrics)], *(_results(row, facts, query) for row in rows)]
    left, right = formatting.align(settings, len(keys)), formatting.align(results, len(facts))
    folders = ["folder", *(formatting.clean(row["folder"]) for row in rows)]
    room = width - len(left[0]) - 2 - len(right[0])
    lines = ["  ".join(each) if room >= 0 else "\n  ".join(each) for each in zip(left, right, strict=True)]
    if max(map(len, folders)) + 2 <= room:
        lines = ["  ".join(each) for each in zip(lines, folders, strict=True)]
    else:
        lines[1:] = ["\n  ".join(each) for each in zip(lines[1:], folders[1:], strict=True)]
    text = Text(lines[0], style="bold", no_wrap=True, overflow="ignore")
    for line, row in zip(lines[1:], rows, strict=True):
        text.append(f"\n{line}", style=f"not bold {STYLES.get(str(row['status']), '')}".strip())
    return text


def _results(row: RunRow, facts: Sequence[str], query: Query) -> list[str]:
    return [*(_text(row.get(key)) for key in facts), *(_value(row, each, query) for each in query.metrics)]


def _text(value: object) -> str:
    return "none" if value is None else formatting.clean(value)


def _value(row: RunRow, metric: Metric, query: Query) -> str:
    value = row.get(f"test.{query.at}.{metric.name}")
    return formatting.value(metric, value if isinstance(value, int | float) else None)
