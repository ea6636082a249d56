"""Measures, by which runs are compared: metrics of the test set, and metrics of one class."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from lossbench.errors import UsageError, did_you_mean
from lossbench.metrics import CLASS_METRICS, METRICS, REPORTED
from lossbench.runs import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lossbench.runs.rows import RunRow

At: TypeAlias = Literal["last", "best"]

_OF_A_CLASS = re.compile(rf"({'|'.join(CLASS_METRICS)})\.(\d{{1,4}})", re.ASCII)


@dataclass(frozen=True)
class Measure:
    """A number that each run has.

    Attributes:
        name: `accuracy`, `recall.5`.
        title: Name in tables: `accuracy`, `recall of 5`.
        direction: Whether higher or lower values are better.
        is_share: Whether it is a share of images, so that a difference may be given in `pp`; ECE is one too.
        in_percent: Whether tables show it multiplied by 100.
        of_probabilities: Whether it judges unscaled probabilities, which only a softmax loss trains.
    """

    name: str
    title: str
    direction: Literal["higher", "lower"]
    is_share: bool
    in_percent: bool
    of_probabilities: bool

    def column(self, at: At, part: str = "test") -> str:
        """Return the column of a row that contains it: `test.last.accuracy`."""
        return f"{part}.{at}.{self.name}"

    def gain(self, difference: float) -> float:
        """Return a difference with the sign that is positive for the better."""
        return difference if self.direction == "higher" else -difference


def measure(name: str) -> Measure:
    """Return the measure of a name.

    Raises:
        UsageError: No measure has the name, or it ranks nothing: `loss`, `val_loss`.
    """
    if name in {"loss", "val_loss"}:
        raise UsageError(
            f"metric {name!r}: the losses of two losses are different quantities, so they rank nothing; "
            f"choose {', '.join(METRICS)}"
        )
    if known := REPORTED.get(name):
        return Measure(
            name, known.title, known.direction, known.is_share, known.in_percent, of_probabilities=known.needs_softmax
        )
    if found := _OF_A_CLASS.fullmatch(name):
        title = f"{CLASS_METRICS[found[1]].title} of {int(found[2])}"
        name = f"{found[1]}.{int(found[2])}"
        return Measure(name, title, "higher", is_share=True, in_percent=True, of_probabilities=False)
    raise UsageError(
        f"metric {name!r}: expected {', '.join(REPORTED)}, or {' or '.join(CLASS_METRICS)} of a class "
        f"such as recall.5{did_you_mean(name, REPORTED)}"
    )


def measures_of(names: Iterable[str]) -> tuple[Measure, ...]:
    """Return the measures of some names; the first carries the verdict.

    Raises:
        UsageError: There is no name, or no measure has one of them.
    """
    measures = tuple(map(measure, names))
    if not measures:
        raise UsageError(f"expected at least one, got none; choose {', '.join(METRICS)}", parameter="metrics")
    return measures


def with_classes(rows: Sequence[RunRow], measures: Iterable[Measure]) -> list[RunRow]:
    """Return the rows with the requested measures of single classes, from `per_class.csv` of each run.

    A run whose file cannot be read, or that has no such class, lacks them.
    """
    wanted = {each.name for each in measures if _OF_A_CLASS.fullmatch(each.name)}
    return [{**row, **_scores(row, wanted)} for row in rows] if wanted else list(rows)


def _scores(row: RunRow, wanted: Iterable[str]) -> dict[str, float]:
    if row["status"] != "completed":
        return {}
    try:
        scores = read.per_class(Path(str(row["folder"])))
    except read.BrokenRunError:
        return {}
    return {
        f"test.{score['at']}.{name}": score[name.partition(".")[0]]
        for score in scores
        for name in wanted
        if name.endswith(f".{score['class']:.0f}") and math.isfinite(score[name.partition(".")[0]])
    }
