"""Contents of one run folder, and the reasons for missing parts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossbench.errors import NothingMatchedError, UsageError
from lossbench.runs import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

NAMED = 5


@dataclass(frozen=True)
class RunDetails:
    """One run.

    Attributes:
        run: Its configuration, status and final metrics.
        history: Rows of `metrics.csv`, one per epoch.
        per_class: Rows of `per_class.csv`, for each of `last` and `best`.
        confusion: Counts `[true class, predicted class]` for each of `last` and `best`.
        faults: Reasons for empty parts, one sentence each.
    """

    run: read.Run
    history: Sequence[read.EpochRow]
    per_class: Mapping[str, Sequence[Mapping[str, Any]]]
    confusion: Mapping[str, NDArray[Any]]
    faults: tuple[str, ...]


def read_details(path: Path) -> RunDetails:
    """Read all files of the run in a folder, or of the only one below it; raises the errors of `read_run`."""
    run, faults = read_run(path), list[str]()
    history = _part(read.history, run.folder, faults)
    rows = defaultdict(list)
    if run.status == "completed":
        for row in _part(read.per_class, run.folder, faults) or ():
            rows[row["at"]].append(row)
    confusion = _part(read.confusion, run.folder, faults) if run.status == "completed" else None
    return RunDetails(run, history or [], dict(rows), confusion or {}, tuple(faults))


def read_run(path: Path) -> read.Run:
    """Read the run in a folder, or the only one below it.

    Raises:
        UsageError: The folder does not exist, or contains several runs.
        BrokenRunError: `run.json` or `config.yaml` cannot be read.
        NothingMatchedError: The folder contains no run.
    """
    folders = read.find([path])
    if not folders:
        raise NothingMatchedError(f"{path}: no run in this folder")
    if len(folders) > 1:
        some = "".join(f"\n  {folder}" for folder in folders[:NAMED])
        raise UsageError(f"{path}: expected one run, found {len(folders)}; name one of them, such as{some}")
    try:
        return read.read(folders[0])
    except read.BrokenRunError as error:
        raise read.BrokenRunError(f"{folders[0]}: {error}") from error


def _part(reader: Callable[[Path], Any], folder: Path, faults: list[str]) -> Any:
    """Return what a reader returns; if it fails, None, and add the reason to `faults`."""
    try:
        return reader(folder)
    except read.BrokenRunError as error:
        faults.append(str(error))
        return None
