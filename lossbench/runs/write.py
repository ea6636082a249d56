"""Writing a run folder: at any moment, whatever happens, each file is complete or absent.

A file is written beside its place under a hidden unique name, fsynced, renamed, and its folder fsynced. A row is
appended whole or not at all. A fault of the machine is a `MachineError` of one line, and leaves nothing half.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import math
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from lossbench.errors import MachineError
from lossbench.runs import links, paths

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HALF_WRITTEN = re.compile(r"\..+\.[0-9a-f]{16}")


def folder(path: Path) -> None:
    """Make a folder and those above it, durably; an existing one is left as it is."""
    with _naming(path):
        missing = [path, *path.parents]
        new = [each for each in missing if not each.exists()]
        path.mkdir(parents=True, exist_ok=True)
        for each in new:
            sync(each.parent)


def tidy(path: Path) -> None:
    """Remove what killed processes have left half written in a folder; nobody else may be writing there."""
    with _naming(path):
        for each in path.iterdir():
            if _HALF_WRITTEN.fullmatch(each.name):
                each.unlink(missing_ok=True)


def text(path: Path, content: str) -> None:
    r"""Write a UTF-8 text file; what UTF-8 cannot hold, a lone surrogate, becomes its escape `\udc80`."""
    _atomic(path, lambda file: file.write(content.encode(errors="backslashreplace")))


def bytes_(path: Path, content: bytes) -> None:
    """Write a file as it is."""
    _atomic(path, lambda file: file.write(content))


def json_(path: Path, value: object) -> None:
    """Write JSON for people and machines: indented, UTF-8, NaN and infinities as null, NumPy numbers as numbers."""
    text(path, json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def arrays(path: Path, values: Mapping[str, NDArray[Any]]) -> None:
    """Write a `.npz` file of arrays of numbers; equal arrays give equal bytes."""
    _atomic(path, lambda file: np.savez(file, allow_pickle=False, **values))


def table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a CSV file: a header, then a line for each row, in the order of `columns`."""
    lines = [_csv_line(columns), *(_csv_line([_cell(row.get(name)) for name in columns]) for row in rows)]
    text(path, "".join(lines))


def append_row(path: Path, row: Mapping[str, object]) -> None:
    """Append an epoch to `metrics.csv`, durably; the header comes with the first row, a torn last line goes."""
    if not path.exists():
        table(path, paths.METRICS_COLUMNS, [])
    line = _csv_line([_cell(row.get(name)) for name in paths.METRICS_COLUMNS]).encode()
    with _naming(path), open(path, "r+b", buffering=0, opener=links.opener) as file:
        end = file.seek(file.read().rfind(b"\n") + 1)
        file.truncate(end)
        try:
            whole(file, line)
            os.fsync(file.fileno())
        except BaseException:
            file.truncate(end)
            raise


def append_line(path: Path, text: str) -> None:
    """Append text to a log, durably."""
    with _naming(path), open(path, "ab", buffering=0, opener=links.opener) as file:
        whole(file, f"{text.rstrip()}\n".encode(errors="backslashreplace"))
        os.fsync(file.fileno())


def whole(file: io.FileIO, line: bytes) -> None:
    """Append a line to an open file by one write, or nothing of it.

    Raises:
        OSError: It does not fit.
    """
    written = file.write(line)
    if written != len(line):
        file.truncate(file.tell() - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def per_class(path: Path, scores: Mapping[str, Iterable[Sequence[object]]]) -> None:
    """Write `per_class.csv`: for each of last and best, rows (class, precision, recall, F1, support)."""
    columns = paths.PER_CLASS_COLUMNS
    table(path, columns, [dict(zip(columns, (at, *row), strict=True)) for at, rows in scores.items() for row in rows])


def confusion(path: Path, counts: Mapping[str, NDArray[np.integer[Any]]]) -> None:
    """Write `confusion.csv`: for each of last and best, a line for each (true, predicted) pair."""
    columns = paths.CONFUSION_COLUMNS
    cells = [(at, *pair, count) for at, matrix in counts.items() for pair, count in np.ndenumerate(matrix)]
    table(path, columns, [dict(zip(columns, cell, strict=True)) for cell in cells])


def predictions(path: Path, labels: NDArray[np.integer[Any]], log_probabilities: Mapping[str, NDArray[Any]]) -> None:
    """Write `predictions.npz`: `labels`, and for each of last and best `AT.predicted` and `AT.log_probabilities`.

    Log-probabilities are kept as float16, so what was predicted is kept beside them, taken before rounding.
    """
    lowest = np.finfo(np.float16).min
    values = {"labels": _smallest(labels)}
    for at, full in log_probabilities.items():
        values[f"{at}.predicted"] = _smallest(full.argmax(axis=1))
        values[f"{at}.log_probabilities"] = np.maximum(full, lowest).astype(np.float16)
    arrays(path, values)


def _smallest(labels: NDArray[np.integer[Any]]) -> NDArray[Any]:
    return labels.astype(np.min_scalar_type(int(labels.max(initial=0))))


def _atomic(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    if path.exists() and not path.is_file():  # a device or a pipe is written to, never replaced
        with _naming(path), path.open("wb") as file:
            write(file)
        return
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with _naming(path):
        try:
            with beside.open("xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
        sync(path.parent)


def sync(path: Path) -> None:
    """Make durable what a file holds, or what was made, renamed or removed in a folder."""
    if os.name == "nt":  # a folder cannot be opened there, and a rename is durable by itself
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MachineError(f"{path}: cannot be written: {error.strerror or error}") from error


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


def _plain(value: Any) -> Any:
    match value:
        case np.ndarray() | np.generic():
            return _plain(value.tolist())
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case Path():
            return str(value)
        case _:
            return value
