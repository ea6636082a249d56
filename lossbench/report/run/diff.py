"""The differences between two runs, as tables and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lossbench.report import formatting
from lossbench.report.screen import plain_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import JustifyMethod, RenderableType
    from rich.table import Table

    from lossbench.inspect.diff import KeyDifference, RunDifference

COLUMNS = ("A", "B", "B - A")
ALIGNED: Mapping[str, Sequence[JustifyMethod]] = {
    "configuration": ("left", "left"),
    "environment": ("left", "left"),
    "metrics": ("right", "right", "right"),
}
KEY_AT_MOST, DIGITS = 32, 12
NOTHING = "no difference: configuration, environment and metrics are the same"


def diff_screen(difference: RunDifference) -> RenderableType:
    """Return a line per run, then a table per part in which they differ."""
    from rich.console import Group
    from rich.text import Text

    whole: dict[str, Any] = {"no_wrap": True, "overflow": "ignore"}  # a path stays one word
    heads = [
        Text(f"{name}  {formatting.clean(run)}", **whole) for name, run in (("A", difference.a), ("B", difference.b))
    ]
    tables = _tables(difference)
    return Group(*heads, *tables) if tables else Group(*heads, Text(f"\n{NOTHING}"))


def diff_document(difference: RunDifference) -> dict[str, Any]:
    """Return `{"configuration": {"loss.gamma": {"a": 2.0, "b": null}}}`; metrics with their change, B - A."""
    return {
        "a": str(difference.a),
        "b": str(difference.b),
        "configuration": {each.key: {"a": each.a, "b": each.b} for each in difference.configuration},
        "environment": {each.key: {"a": each.a, "b": each.b} for each in difference.environment},
        "metrics": {each.key: {"a": each.a, "b": each.b, "change": each.change} for each in difference.metrics},
    }


def _tables(difference: RunDifference) -> list[Table]:
    parts = {
        "configuration": [_setting_row(each) for each in difference.configuration],
        "environment": [_setting_row(each) for each in difference.environment],
        "metrics": [_metric_row(each) for each in difference.metrics],
    }
    width = max((len(row[0]) for rows in parts.values() for row in rows), default=0)
    return [_table(title, rows, min(width, KEY_AT_MOST)) for title, rows in parts.items() if rows]


def _table(title: str, rows: Sequence[Sequence[str]], width: int) -> Table:
    columns = [(f"\n{name}", align) for name, align in zip(COLUMNS, ALIGNED[title], strict=False)]
    table = plain_table(f"\n{title}", *columns, width=width)
    for row in rows:
        table.add_row(*row)
    return table


def _setting_row(each: KeyDifference) -> Sequence[str]:
    """Return a setting in each run; digests are shortened."""
    digits = DIGITS if each.key.startswith("sha256.") else None
    return formatting.clean(each.key), _shown(each.a)[:digits], _shown(each.b)[:digits]


def _metric_row(each: KeyDifference) -> Sequence[str]:
    """Return a result in each run and its change; shares shown in per cent are in per cent and points."""
    in_percent = formatting.in_percent(each.key.rpartition(".")[2])
    factor, unit = (100, " %") if in_percent else (1, "")
    values = (
        formatting.number(value, in_percent=in_percent) if isinstance(value, float) else _shown(value)
        for value in (each.a, each.b)
    )
    return f"{formatting.clean(each.key)}{unit}", *values, _signed(each.change, factor)


def _shown(value: object) -> str:
    return "-" if value is None else formatting.clean(value if isinstance(value, str) else json.dumps(value))


def _signed(change: float | None, factor: int) -> str:
    match change:
        case None:
            return "-"
        case int():
            return f"{change:+d}"
        case _:
            return f"{factor * change:+#.2g}".rstrip(".")
