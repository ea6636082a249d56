"""Readers of untrusted run folders: sizes are bounded, nothing is executed, every fault is one sentence."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np

from lossbench.errors import UsageError
from lossbench.files import open_regular
from lossbench.runs import arrays, paths, plain_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

EpochRow: TypeAlias = "dict[str, float | None]"

RUN_BYTES = 4 << 20
CONFIG_BYTES = 64 << 10
TABLE_BYTES = 64 << 20
TABLE_CELLS = 2_000_000
"""A cell takes more memory than bytes in the file; these are 140,000 epochs."""
ARRAYS_BYTES = 256 << 20
LARGEST = 1e300
"""Limit of numbers in a run folder, far below the largest float."""
LOG_BYTES = 4 << 10
"""Length of the end of `log.txt` that is read; it has the reason of a failure."""


class BrokenRunError(UsageError):
    """A run folder or a file in it cannot be read; the message is the reason."""


@dataclass(frozen=True)
class Run:
    """Contents of `config.yaml` and `run.json`.

    Attributes:
        folder: The run folder.
        status: One of `paths.STATUSES`.
        seed: The run's seed.
        loss: The loss's label, with the hyperparameters that differ from their defaults.
        config: `config.yaml` as plain data.
        summary: `run.json` as plain data.
        metrics: `test.last.accuracy` and so on; NaN is None.
    """

    folder: Path
    status: str
    seed: int
    loss: str
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    metrics: Mapping[str, float | None]


def find(roots: Iterable[Path]) -> list[Path]:
    """Return every run folder at or below some folders, sorted; each once, however many links lead to a root.

    Raises:
        UsageError: A folder does not exist, or is a file.
    """
    found: dict[Path, Path] = {}
    for root in roots:
        for name in names(root):
            found.setdefault((root / name).resolve(), root / name)
    return sorted(found.values())


def names(root: Path) -> list[str]:
    """Return the relative paths of the run folders at or below a folder; `""` is the folder itself.

    Neither hidden folders nor links are entered, nor the tuning runs of a sweep unless they are named.

    Raises:
        UsageError: The folder does not exist, or is a file.
    """
    try:
        if not root.is_dir():
            raise UsageError(f"{root}: {'expected a folder, got a file' if root.exists() else 'no such folder'}")
    except OSError as error:  # an invalid name, or no permission
        raise UsageError(f"{root}: {error.strerror}") from error
    found, pending = [], [""]
    while pending:
        name = pending.pop()
        with contextlib.suppress(OSError), os.scandir(f"{root}/{name}") as entries:
            folders, files = [], set()
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/{entry.name}" if name else entry.name)
                else:
                    files.add(entry.name)
            if paths.RUN in files or paths.METRICS in files:
                found.append(name)
            else:
                pending += [folder for folder in folders if not _is_skipped(folder.rpartition("/")[2], files)]
    return found


def _is_skipped(name: str, files: Collection[str]) -> bool:
    """Return whether a search leaves out a folder that lies beside some files."""
    return name.startswith(".") or (name == paths.TUNING_RUNS and paths.TUNING in files)


def read(folder: Path) -> Run:
    """Return the run in a folder.

    Raises:
        BrokenRunError: A file is missing, damaged or of a newer version.
    """
    summary = read_summary(folder)
    try:
        config = plain_yaml.parse(text(folder / paths.CONFIG, CONFIG_BYTES))
    except ValueError as error:
        raise BrokenRunError(f"{paths.CONFIG}: {error}") from error
    if missing := [section for section in paths.CONFIG_SECTIONS if section not in config]:
        raise BrokenRunError(f"{paths.CONFIG}: not complete: {missing[0]} is missing")
    return Run(
        folder=folder,
        status=summary["status"],
        seed=summary["seed"],
        loss=summary["loss"],
        config=config,
        summary=summary,
        metrics={name: None if value is None else float(value) for name, value in summary["metrics"].items()},
    )


def history(folder: Path) -> list[EpochRow]:
    """Return the rows of `metrics.csv`, one per epoch; a last line that is still being written is left out.

    Raises:
        BrokenRunError: The file is missing or damaged. All readers below raise it likewise.
    """
    rows = _table(folder / paths.METRICS, ("epoch",))
    return [{name: _number(paths.METRICS, cell) for name, cell in row.items()} for row in rows]


def per_class(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of `per_class.csv`, with the columns `paths.PER_CLASS_COLUMNS`."""
    rows = _table(folder / paths.PER_CLASS, paths.PER_CLASS_COLUMNS)
    numbers = paths.PER_CLASS_COLUMNS[1:]
    return [
        {"at": row["at"], **{name: _number(paths.PER_CLASS, row[name] or "nan") for name in numbers}} for row in rows
    ]


def confusion(folder: Path) -> dict[str, NDArray[np.int64]]:
    """Return the counts of `confusion.csv` for `last` and `best`, [true class, predicted class]."""
    cells: dict[str, dict[tuple[int, int], int]] = {}
    try:
        for row in _table(folder / paths.CONFUSION, paths.CONFUSION_COLUMNS):
            cells.setdefault(row["at"], {})[int(row["true"]), int(row["predicted"])] = int(row["count"])
        return {at: _square(counts) for at, counts in cells.items()}
    except (ValueError, IndexError, OverflowError) as error:
        raise BrokenRunError(f"{paths.CONFUSION}: expected whole numbers that fill a square") from error


def log(folder: Path) -> str:
    """Return the last 4 KiB of `log.txt`; empty if there is none."""
    path = folder / paths.LOG
    try:
        with open(path, "rb", opener=open_regular) as file:
            file.seek(max(0, path.stat().st_size - LOG_BYTES))
            return file.read(LOG_BYTES).decode(errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise BrokenRunError(f"{paths.LOG}: {error.strerror}") from error


def predictions(folder: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of `predictions.npz`, by name.

    Returns:
        `labels`, [image]; for `last` and `best`, `AT.predicted`, [image], and `AT.log_probabilities`, [image, class].
    """
    try:
        return arrays.load(folder / paths.PREDICTIONS, max_bytes=ARRAYS_BYTES)
    except (OSError, ValueError) as error:
        raise BrokenRunError(f"{paths.PREDICTIONS}: {_reason(error)}") from error


def read_summary(folder: Path) -> dict[str, Any]:
    """Return the contents of `run.json`, with schema version, status, seed, loss, hashes and metrics checked.

    Raises:
        BrokenRunError: The file is missing, damaged or of a newer version.
    """
    try:
        summary = json.loads(text(folder / paths.RUN, RUN_BYTES), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BrokenRunError(f"{paths.RUN}: not JSON: {_reason(error)}") from error
    version = summary.get("schema_version") if isinstance(summary, dict) else None
    if type(version) is int and version > paths.SCHEMA_VERSION:
        raise BrokenRunError(
            f"{paths.RUN}: written by a newer lossbench: expected schema_version {paths.SCHEMA_VERSION} at most, "
            f"got {reprlib.repr(version)}; update lossbench to read it"
        )
    for name, valid, expected in _RULES:
        value = summary.get(name) if isinstance(summary, dict) else None
        if not valid(value):
            raise BrokenRunError(f"{paths.RUN}: {name}: expected {expected}, got {reprlib.repr(value)}")
    valid_summary: dict[str, Any] = summary
    return valid_summary


def _has_identity(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("identity"), str)


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a finite number that a float can hold; booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def are_metrics(value: object) -> bool:
    """Return whether a value is a mapping of names to finite numbers or None."""
    return isinstance(value, dict) and all(number is None or is_number(number) for number in value.values())


_RULES: Sequence[tuple[str, Any, str]] = (
    ("schema_version", lambda value: type(value) is int and value >= 1, "a whole number from 1 on"),
    ("status", lambda value: value in paths.STATUSES, ", ".join(paths.STATUSES)),
    ("seed", lambda value: type(value) is int, "a whole number"),
    ("loss", lambda value: isinstance(value, str) and value, "the loss's label"),
    ("hashes", _has_identity, "a mapping with the trial's identity"),
    ("metrics", are_metrics, "a mapping of numbers"),
)


def text(path: Path, limit: int) -> str:
    """Return a UTF-8 text file of at most `limit` bytes; neither a link nor a pipe is opened.

    Raises:
        BrokenRunError: The file is missing, too large or not UTF-8.
    """
    try:
        with open(path, "rb", opener=open_regular) as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(limit + 1) if size <= limit else b""
        if max(size, len(content)) > limit:
            raise BrokenRunError(f"{path.name}: expected at most {limit >> 10} KiB")
        return content.decode()
    except UnicodeDecodeError as error:
        raise BrokenRunError(f"{path.name}: not UTF-8") from error
    except FileNotFoundError as error:
        raise BrokenRunError(f"{path.name} is missing") from error
    except OSError as error:
        raise BrokenRunError(f"{path.name}: {error.strerror}") from error


def _table(path: Path, required: Sequence[str]) -> list[dict[str, str]]:
    content, name = text(path, TABLE_BYTES), path.name
    if content.count("\n") * (content.partition("\n")[0].count(",") + 1) > TABLE_CELLS:
        raise BrokenRunError(f"{name}: expected at most {TABLE_CELLS:,} cells")
    try:
        complete_lines = io.StringIO(content[: content.rfind("\n") + 1], newline="")
        header, *rows = csv.reader(complete_lines, strict=True)
    except (csv.Error, ValueError) as error:
        raise BrokenRunError(f"{name}: not a CSV table") from error
    missing = [column for column in required if column not in header]
    if missing:
        raise BrokenRunError(f"{name}: column {missing[0]!r} is missing")
    if any(len(row) != len(header) for row in rows):
        raise BrokenRunError(f"{name}: a row has more or fewer cells than the header")
    return [dict(zip(header, row, strict=True)) for row in rows]


def _number(name: str, cell: str) -> float | None:
    try:
        return float(cell) if cell else None
    except ValueError as error:
        raise BrokenRunError(f"{name}: expected a number, got {cell[:40]!r}") from error


def _square(counts: Mapping[tuple[int, int], int]) -> NDArray[np.int64]:
    classes = math.isqrt(len(counts))
    matrix = np.full((classes, classes), -1, dtype=np.int64)
    for pair, count in counts.items():
        matrix[pair] = count
    if (matrix < 0).any() or min(map(min, counts)) < 0:
        raise ValueError
    return matrix


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
