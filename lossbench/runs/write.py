"""The files of a run folder, written so that each is complete or absent at any moment; see `lossbench.files`.

All functions raise `MachineError` if a file cannot be written.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench import files
from lossbench.json_data import to_json
from lossbench.runs import paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


def summary(path: Path, value: Mapping[str, Any]) -> None:
    """Write `run.json`: indented, UTF-8, NaN and infinities as null, NumPy numbers as numbers."""
    files.write_text(path, to_json(value))


def arrays(path: Path, values: Mapping[str, NDArray[Any]]) -> None:
    """Write a `.npz` file of numeric arrays, uncompressed; equal arrays give equal bytes.

    Raises:
        ValueError: An array holds objects.
    """
    files.write(path, lambda file: np.savez(file, allow_pickle=False, **values))


def table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a CSV file: a header, then one line per row, cells in the order of `columns`; None is an empty cell."""
    lines = [_csv_line(columns), *(_csv_line([_cell(row.get(name)) for name in columns]) for row in rows)]
    files.write_text(path, "".join(lines))


def append_epoch(path: Path, row: Mapping[str, object]) -> None:
    """Append the row of one epoch to `metrics.csv` durably; a missing file gets its header first."""
    if path.exists():
        files.drop_partial_line(path)
    else:
        table(path, paths.METRICS_COLUMNS, [])
    files.append(path, _csv_line([_cell(row.get(name)) for name in paths.METRICS_COLUMNS]))


def append_log(path: Path, text: str) -> None:
    """Append text to `log.txt` durably, with one line break at its end."""
    files.append(path, f"{text.rstrip()}\n")


def per_class(path: Path, scores: Mapping[str, Iterable[Sequence[object]]]) -> None:
    """Write `per_class.csv` from the rows (class, precision, recall, F1, support) of `last` and `best`."""
    columns = paths.PER_CLASS_COLUMNS
    table(path, columns, [dict(zip(columns, (at, *row), strict=True)) for at, rows in scores.items() for row in rows])


def confusion(path: Path, counts: Mapping[str, NDArray[np.integer[Any]]]) -> None:
    """Write `confusion.csv` from the matrices [true, predicted] of `last` and `best`, one line per cell."""
    columns = paths.CONFUSION_COLUMNS
    cells = [(at, *pair, count) for at, matrix in counts.items() for pair, count in np.ndenumerate(matrix)]
    table(path, columns, [dict(zip(columns, cell, strict=True)) for cell in cells])


def predictions(path: Path, labels: NDArray[np.integer[Any]], log_probabilities: Mapping[str, NDArray[Any]]) -> None:
    """Write `predictions.npz`: `labels`, and `AT.predicted` and `AT.log_probabilities` for `last` and `best`.

    Args:
        path: The file.
        labels: True classes, [image].
        log_probabilities: [image, class] for `last` and `best`. They are stored as float16, so the predicted classes
            are stored too, taken before rounding.
    """
    lowest = np.finfo(np.float16).min
    values = {"labels": _smallest(labels)}
    for at, full in log_probabilities.items():
        values[f"{at}.predicted"] = _smallest(full.argmax(axis=1))
        values[f"{at}.log_probabilities"] = np.maximum(full, lowest).astype(np.float16)
    arrays(path, values)


def _smallest(labels: NDArray[np.integer[Any]]) -> NDArray[Any]:
    return labels.astype(np.min_scalar_type(int(labels.max(initial=0))))


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case float() | np.floating():
            return f"{float(value):.9g}"
        case _:
            return str(value)
