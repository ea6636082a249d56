"""All numbers of a run folder as one table per file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench.runs import paths, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lossbench.runs.read import Run

MOST_COLUMNS = 256
"""Most columns of one array; labels are bytes, so there are at most 256 classes."""


@dataclass(frozen=True)
class Numbers:
    """The numbers of one file.

    Attributes:
        row: Name of a row: epoch, class or image; rows count from 0.
        columns: Names of the columns.
        values: `[rows, columns]` float64; NaN for a missing number.
        exact: Columns of counts, labels and settings, which must be equal.
    """

    row: str
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    exact: frozenset[str]


def read_numbers(run: Run) -> dict[str, Numbers]:
    """Read the numbers of each file, in the order in which training computes them; a diverged run has only its epochs.

    Raises:
        BrokenRunError: A file cannot be read.
    """
    try:
        numbers = {paths.METRICS: _epochs(run.folder)}
        if run.status == "completed":
            numbers[paths.PREDICTIONS] = _side_by_side(paths.PREDICTIONS, "image", read.predictions(run.folder))
            numbers[paths.CONFUSION] = _confusion(run.folder)
            numbers[paths.PER_CLASS] = _per_class(run.folder)
            numbers[paths.RUN] = _table("", [run.metrics], exact=())
    except read.BrokenRunError as error:
        raise read.BrokenRunError(f"{run.folder}: {error}") from error
    return numbers


def _epochs(folder: Path) -> Numbers:
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in read.history(folder)]
    return _table("epoch", rows, exact=("epoch", "learning_rate"))


def _confusion(folder: Path) -> Numbers:
    counts = {f"{at} predicted": matrix for at, matrix in read.confusion(folder).items()}
    return _side_by_side(paths.CONFUSION, "true class", counts)


def _per_class(folder: Path) -> Numbers:
    rows: dict[float, dict[str, float]] = {}
    for row in read.per_class(folder):
        scores = {f"{row['at']} {name}": row[name] for name in paths.PER_CLASS_COLUMNS[2:]}
        rows.setdefault(row["class"], {}).update(scores)
    return _table("class", list(rows.values()), exact=("last support", "best support"))


def _table(row: str, rows: Sequence[Mapping[str, float | None]], *, exact: Sequence[str]) -> Numbers:
    columns = tuple(dict.fromkeys(name for each in rows for name in each))
    values = np.array([[each.get(name) for name in columns] for each in rows], dtype=np.float64)  # None is NaN
    return Numbers(row, columns, values.reshape(len(rows), len(columns)), frozenset(exact))


def _side_by_side(file: str, row: str, arrays: Mapping[str, NDArray[Any]]) -> Numbers:
    """Return arrays `[rows]` or `[rows, classes]` as one table; integer arrays are counts or labels."""
    columns: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf" or array.ndim not in {1, 2} or array.size > MOST_COLUMNS * len(array):
            raise read.BrokenRunError(f"{file}: {name!r}: expected numbers, one or {MOST_COLUMNS} at most in a row")
        columns |= {name: array} if array.ndim == 1 else {f"{name} {index}": each for index, each in enumerate(array.T)}
    if len({len(column) for column in columns.values()}) != 1:
        raise read.BrokenRunError(f"{file}: expected arrays of equal length")
    exact = frozenset(name for name, column in columns.items() if column.dtype.kind != "f")
    values = np.stack(list(columns.values()), axis=1, dtype=np.float64, casting="unsafe")
    return Numbers(row, tuple(columns), values, exact)
