"""Comparison of a run with a second training of the same trial, number by number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossbench.inspect import diff
from lossbench.inspect.numbers import Numbers, read_numbers
from lossbench.metrics import REPORTED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lossbench.inspect.diff import KeyDifference
    from lossbench.runs.read import Run

Floats: TypeAlias = NDArray[np.float64]
VerificationStatus: TypeAlias = Literal["bit-equal", "within tolerance", "different"]

TOLERANCE: Final = 1e-3
"""Slightly above the relative precision of float16, 2^-10, in which log-probabilities are stored."""


@dataclass(frozen=True)
class Deviation:
    """A number that differs from the recorded one.

    Attributes:
        file: Name of the file.
        row: Index of the row, from 0.
        row_is: Name of a row: epoch, class or image; empty if there is only one.
        column: Name of the column.
        recorded: The recorded number; NaN if there is none.
        again: The number of the second training; NaN if there is none.
        distance: abs(again - recorded) / max(1, abs(recorded)); infinite if it must be equal.
    """

    file: str
    row: int
    row_is: str
    column: str
    recorded: float
    again: float
    distance: float


@dataclass(frozen=True)
class FileComparison:
    """Comparison of the numbers of one file.

    Attributes:
        file: Its name.
        numbers: Number of compared values.
        different: Number of values whose bits differ.
        largest: The largest deviation, if there is any.
        first: The first deviation beyond the tolerance, row by row, if there is any.
    """

    file: str
    numbers: int
    different: int
    largest: Deviation | None
    first: Deviation | None


@dataclass(frozen=True)
class Verification:
    """Result of training a run again.

    Attributes:
        run: The folder of the recorded run.
        tolerance: The largest distance of two numbers that count as the same.
        files: One comparison per file, in the order in which training computes the numbers.
        environment: Versions, device, threads and commits that differ.
        repeatable: Whether the device, as configured, computes equal numbers from equal inputs.
    """

    run: Path
    tolerance: float
    files: tuple[FileComparison, ...]
    environment: tuple[KeyDifference, ...]
    repeatable: bool

    @property
    def numbers(self) -> int:
        """Number of compared values."""
        return sum(each.numbers for each in self.files)

    @property
    def different(self) -> int:
        """Number of values whose bits differ."""
        return sum(each.different for each in self.files)

    @property
    def largest(self) -> Deviation | None:
        """The largest deviation of all."""
        found = [each.largest for each in self.files if each.largest]
        return max(found, key=lambda each: each.distance, default=None)

    @property
    def first(self) -> Deviation | None:
        """The first deviation beyond the tolerance."""
        return next((each.first for each in self.files if each.first), None)

    @property
    def status(self) -> VerificationStatus:
        """Whether every number has its recorded bits, is within the tolerance, or neither."""
        return "different" if self.first else "within tolerance" if self.different else "bit-equal"


def verify(recorded: Run, numbers: Mapping[str, Numbers], again: Run, *, tolerance: float) -> Verification:
    """Compare a run with a second training of its trial.

    Args:
        recorded: The run.
        numbers: Its numbers, from `read_numbers`, read before the second training.
        again: The second training.
        tolerance: The largest distance of two numbers that count as the same.
    """
    repeated = _without_later_metrics(read_numbers(again), numbers)
    return Verification(
        run=recorded.folder,
        tolerance=tolerance,
        files=tuple(compare(file, each, repeated.get(file), tolerance) for file, each in numbers.items()),
        environment=diff.environment(recorded.summary, again.summary),
        repeatable=again.summary["device"]["kind"] == "cpu" or bool(again.config["train"]["deterministic"]),
    )


def _without_later_metrics(again: Mapping[str, Numbers], recorded: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Leave out the metrics that the recorded run has in no file: lossbench did not have them when it was trained."""
    known = {_metric(column) for numbers in recorded.values() for column in numbers.columns}

    def kept(numbers: Numbers) -> Numbers:
        keep = [_metric(column) in known or _metric(column) not in REPORTED for column in numbers.columns]
        return replace(numbers, columns=tuple(compress(numbers.columns, keep)), values=numbers.values[:, keep])

    return {file: kept(numbers) for file, numbers in again.items()}


def _metric(column: str) -> str:
    """Return the metric of a column such as `val_nll` or `test.last.nll`."""
    return column.removeprefix("val_").rpartition(".")[2]


def compare(file: str, recorded: Numbers, again: Numbers | None, tolerance: float) -> FileComparison:
    """Compare the numbers of one file; a number that only one side has deviates infinitely."""
    columns, before, after = _aligned(recorded, again or Numbers(recorded.row, (), np.empty((0, 0)), frozenset()))
    same = _equal_bits(before, after)
    distance = np.where(same, 0, _distance(before, after, [name in recorded.exact for name in columns]))

    def deviation(index: int) -> Deviation:
        row, column = divmod(index, len(columns))
        values = (each[row, column].item() for each in (before, after, distance))
        return Deviation(file, row, recorded.row, columns[column], *values)

    beyond = np.flatnonzero(distance > tolerance)
    return FileComparison(
        file=file,
        numbers=int((~np.isnan(before) | ~np.isnan(after)).sum()),
        different=int((~same).sum()),
        largest=None if same.all() else deviation(int(distance.argmax())),
        first=deviation(int(beyond[0])) if len(beyond) else None,
    )


def _aligned(recorded: Numbers, again: Numbers) -> tuple[tuple[str, ...], Floats, Floats]:
    """Return all columns of either, and the values of both in them; NaN for a missing row or column."""
    columns = tuple(dict.fromkeys((*recorded.columns, *again.columns)))
    places = {name: index for index, name in enumerate(columns)}
    rows = max(len(recorded.values), len(again.values))

    def spread(numbers: Numbers) -> Floats:
        values = np.full((rows, len(columns)), np.nan)
        values[: len(numbers.values), [places[name] for name in numbers.columns]] = numbers.values
        return values

    return columns, spread(recorded), spread(again)


def _equal_bits(recorded: Floats, again: Floats) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = (recorded.view(np.int64) == again.view(np.int64)) | (
        np.isnan(recorded) & np.isnan(again)
    )
    return equal


def _distance(recorded: Floats, again: Floats, exact: list[bool]) -> Floats:
    """Return abs(again - recorded) / max(1, abs(recorded)); infinite where it must be exact or only one is a number."""
    with np.errstate(invalid="ignore", over="ignore"):
        distance: Floats = np.abs(again - recorded) / np.maximum(1, np.abs(recorded))
    return np.where(np.isnan(distance) | np.array(exact), np.inf, distance)
