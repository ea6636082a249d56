"""The result of training a run again, as a screen and as JSON: verdict, files, first deviation, possible reasons."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lossbench.report import formatting
from lossbench.report.screen import plain_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.table import Table

    from lossbench.inspect.verification import Deviation, Verification

STYLES = {"bit-equal": "green", "within tolerance": "yellow", "different": "red"}
AS_IT_WAS = "versions, device, threads and commits are as recorded"
NOT_REPEATABLE = "a GPU repeats its numbers only with train.deterministic: true"


def verification_screen(found: Verification) -> RenderableType:
    """Return folder and verdict, a row per file, then the deviations and the differences of the environment."""
    from rich.console import Group
    from rich.text import Text

    verdict = Text.assemble((found.status, f"bold {STYLES[found.status]}"), f": {_verdict(found)}")
    reasons = "\n".join([*_places(found), *_reasons(found)])
    folder = Text(formatting.clean(found.run), no_wrap=True, overflow="ignore")
    return Group(folder, verdict, Text(""), _file_table(found), *([Text(f"\n{reasons}")] if reasons else []))


def verification_document(found: Verification) -> dict[str, Any]:
    """Return verdict, files and environment."""
    return {
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


def _verdict(found: Verification) -> str:
    if not found.different:
        return f"training it again gave all {found.numbers:,} numbers as recorded"
    bound = f"none by more than {found.tolerance:g}, or that share of a number above 1"
    return f"{found.different:,} of {found.numbers:,} numbers are not as recorded" + f", {bound}" * (not found.first)


def _file_table(found: Verification) -> Table:
    table = plain_table("file", ("numbers", "right"), ("different", "right"), ("largest deviation", "right"))
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
    """Yield `first beyond 0.001: metrics.csv, epoch 0, val_nll`, then the two values."""
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
