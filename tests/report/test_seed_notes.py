"""Unequal numbers of seeds without a recorded plan get a warning; numbers that other notes explain do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fabricate import fabricate, row

from lossbench.analysis.comparison import compare
from lossbench.analysis.query import Query, answer
from lossbench.analysis.result import RecordedPlan
from lossbench.report import formats
from lossbench.report.comparison import footnotes
from lossbench.runs.decision import SweepDecision
from lossbench.statistics import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CE = "categorical_crossentropy"
WARNING = "without a recorded plan"


def runs(loss: str, seeds: Iterable[int], **others: Any) -> list[dict[str, Any]]:
    return [row(loss, seed, 0.9 + seed / 1000, **others) for seed in seeds]


def without_result(loss: str, seed: int, status: str) -> dict[str, Any]:
    return row(loss, seed, None) | {"status": status}


def warnings(rows: list[dict[str, Any]], *, has_plan: bool = False) -> list[str]:
    plans = [RecordedPlan("runs/study", SweepDecision("accuracy", "ce", tuple(range(6)), Plan(), ()))]
    comparison = replace(compare(rows, Query()), plans=tuple(plans) if has_plan else ())
    return [note for note in footnotes.notes(comparison) if WARNING in note]


EXPLAINED = {
    "equal": runs(CE, range(8)) + runs("focal", range(8)),
    "other seeds, as many": runs(CE, range(8)) + runs("focal", range(1, 9)),
    "failed": [*runs(CE, range(8)), *runs("focal", range(7)), without_result("focal", 7, "failed")],
    "diverged": [*runs(CE, range(8)), *runs("focal", range(7)), without_result("focal", 7, "diverged")],
    "interrupted": [*runs(CE, range(8)), *runs("focal", range(6)), without_result("focal", 6, "interrupted")],
    "still running": [*runs(CE, range(7)), *runs("focal", range(6)), without_result(CE, 7, "running")],
    "running elsewhere": [
        *runs(CE, range(8), rate=0.2),
        *runs("focal", range(7), rate=0.2),
        *runs(CE, range(7), rate=0.4),
        row("focal", 6, None, rate=0.4) | {"status": "running"},
    ],
    "no verdicts": runs(CE, range(5)) + runs("focal", range(3)),
    "averaged": runs(CE, range(8)) + runs("focal", range(8)) + runs("focal", range(3), identity="other"),
}


@pytest.mark.parametrize("rows", EXPLAINED.values(), ids=EXPLAINED)
def test_explained_numbers_give_no_warning(rows: list[dict[str, Any]]) -> None:
    """Another note names them, or there is nothing to explain."""
    assert warnings(rows) == []


def test_unequal_numbers_give_one_warning() -> None:
    """It says how many, where, why it matters and what to do; a recorded plan silences it."""
    rows = runs(CE, range(12)) + runs("focal", range(8)) + runs("gce", range(12))
    (warning,) = warnings(rows)
    assert warning == (
        "8 to 12 seeds per loss without a recorded plan: if they were added until a difference became significant, "
        "verdicts are too frequent; train equal seeds, or let lossbench sweep --until-decided choose them"
    )
    assert warnings(rows, has_plan=True) == []
    failed = [*rows, *(without_result("focal", seed, "failed") for seed in (8, 9))]
    assert warnings(failed)[0].startswith("10 to 12 seeds")


def test_the_conditions_are_named() -> None:
    """The first three with unequal numbers, then how many more."""
    rows = [each for rate in range(6) for each in runs(CE, range(8), rate=rate) + runs("focal", range(8), rate=rate)]
    rows += [row(CE, 9, 0.9, rate=rate) for rate in range(1, 6)]
    (warning,) = warnings(rows)
    assert warning.startswith("8 to 9 seeds per loss without a recorded plan (rate 1; rate 2; rate 3 and 2 more): if")


def test_every_format_with_notes_has_the_warning(tmp_path: Path) -> None:
    """Table, Markdown, LaTeX and JSON."""
    for seed in range(8):
        fabricate(tmp_path, CE, seed, images=50)
    for seed in range(6):
        fabricate(tmp_path, "focal", seed, images=50)
    for form in ("table", "markdown", "latex", "json"):
        text = " ".join(formats.comparison_text(answer(Query((tmp_path,))), form, to_stdout=False).split())
        assert text.count(WARNING) == 1, form
