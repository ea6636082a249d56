"""What training a run again has shown: the verdict, file by file, where it parts, and what may be the reason."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from lossbench.json_data import to_json
from lossbench.report import formatting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.table import Table

    from lossbench.inspect.verification import Deviation, Verification

STYLES = {"bit-equal": "green", "within tolerance": "yellow", "different": "red"}
AS_IT_WAS = "versions, device, threads and git commit are as they were"
NOT_REPEATABLE = "a GPU repeats its numbers only with train.deterministic: true"


def render(found: Verification) -> RenderableType:
    """Folder and verdict, a row for each file, then the deviations and the differences of the surroundings."""
    from rich.console import Group
    from rich.text import Text

    verdict = Text.assemble((found.status, f"bold {STYLES[found.status]}"), f": {_verdict(found)}")
    reasons = "\n".join([*_places(found), *_reasons(found)])
    folder = Text(formatting.clean(found.run), no_wrap=True, overflow="ignore")
    return Group(folder, verdict, Text(""), _table(found), *([Text(f"\n{reasons}")] if reasons else []))


def as_json(found: Verification) -> str:
    """Every number unrounded; what is no number or without limit is null."""
    value = {
        "run": str(found.run),
        "outcome": found.status,
        "tolerance": found.tolerance,
        "numbers": found.numbers,
        "different": found.different,
        "first": found.first and asdict(found.first),
        "files": {
            each.file: {
                "numbers": each.numbers,
                "different": each.different,
                "largest": each.largest and asdict(each.largest),
            }
            for each in found.files
        },
        "environment": {each.key: {"recorded": each.a, "again": each.b} for each in found.environment},
    }
    return to_json(value, ensure_ascii=True)


def _verdict(found: Verification) -> str:
    if not found.different:
        return f"training it again gave all {found.numbers:,} numbers as recorded"
    bound = f"none by more than {found.tolerance:g}, or that share of a number above 1"
    return f"{found.different:,} of {found.numbers:,} numbers are not as recorded" + f", {bound}" * (not found.first)


def _table(found: Verification) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("file")
    for name in ("numbers", "different", "largest deviation"):
        table.add_column(name, justify="right")
    for each in found.files:
        table.add_row(each.file, f"{each.numbers:,}", f"{each.different:,}", _size(each.largest))
    return table


def _size(deviation: Deviation | None) -> str:
    return "-" if deviation is None else f"{deviation.distance:.2g}" if math.isfinite(deviation.distance) else "wrong"


def _places(found: Verification) -> Iterator[str]:
    if found.first:
        yield from _place(f"first beyond {found.tolerance:g}", found.first)
    elif found.largest:
        yield from _place("largest deviation", found.largest)


def _place(what: str, deviation: Deviation) -> Iterator[str]:
    """`first beyond 0.001: metrics.csv, epoch 0, val_nll`, and the two values in a line below."""
    row = f"{deviation.row_is} {deviation.row}, " if deviation.row_is else ""
    yield f"{what}: {deviation.file}, {row}{formatting.clean(deviation.column)}"
    yield f"  recorded {_number(deviation.recorded)}, now {_number(deviation.again)}"


def _number(value: float) -> str:
    return "no number" if math.isnan(value) else str(value)


def _reasons(found: Verification) -> Iterator[str]:
    for each in found.environment:
        yield f"{formatting.clean(each.key)}: recorded {formatting.clean(each.a)}, now {formatting.clean(each.b)}"
    if found.different and not found.environment:
        yield AS_IT_WAS
    if found.different and not found.repeatable:
        yield NOT_REPEATABLE
