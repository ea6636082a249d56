"""Rows of many runs, cached in `.index.json` of the folder that is searched; the run folders remain authoritative.

A cached row is used only while size, modification time and inode of `run.json` and `config.yaml` are unchanged; all
other folders are read again. An index that is damaged, missing or cannot be written costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lossbench import files
from lossbench.errors import MachineError, UsageError
from lossbench.runs import links, paths, read, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lossbench.runs.rows import RunRow

FORMAT: Final = 2
"""Increase it whenever `rows.read_row` changes."""

INDEX_BYTES: Final = 512 << 20


@dataclass(frozen=True)
class BrokenRun:
    """A run folder that cannot be read, and the reason."""

    folder: Path
    reason: str


@dataclass(frozen=True)
class _Entry:
    """An entry of the index: the stamp of the run's files, and the three parts of its row."""

    stamp: list[int]
    config: Mapping[str, Any]
    facts: Mapping[str, Any]
    metrics: Mapping[str, Any]


def load(roots: Iterable[Path], *, write_index: bool = False) -> tuple[list[RunRow], list[BrokenRun]]:
    """Return the rows of all runs at or below some folders, and the run folders that cannot be read.

    Args:
        roots: The folders.
        write_index: Whether to write `.index.json` to each folder, so that the next call reads changed runs only.

    Raises:
        UsageError: A folder does not exist, or is a file.
    """
    found: dict[str, RunRow | BrokenRun] = {}
    for root in roots:
        real = os.path.realpath(root)
        for name, loaded in _load(root, write_index=write_index).items():
            found.setdefault(os.path.normpath(f"{real}/{name}"), loaded)
    loaded_rows = [found[folder] for folder in sorted(found)]
    return [each for each in loaded_rows if isinstance(each, dict)], [
        each for each in loaded_rows if isinstance(each, BrokenRun)
    ]


def _load(root: Path, *, write_index: bool) -> dict[str, RunRow | BrokenRun]:
    known = _read(root)
    entries: dict[str, _Entry] = {}
    loaded: dict[str, RunRow | BrokenRun] = {}
    for name in read.names(root):
        folder = os.path.join(root, name) if name else str(root)  # noqa: PTH118 - thousands of them
        try:
            stamp = _stamp(folder)
            entry = known.get(name)
            if entry is None or entry.stamp != stamp:
                entry = _Entry(stamp, *rows.read_row(Path(folder)))
        except read.BrokenRunError as error:
            loaded[name] = BrokenRun(Path(folder), str(error))
        else:
            entries[name] = entry
            loaded[name] = {**entry.config, **entry.facts, **entry.metrics, "folder": folder}
    if write_index and entries != known and entries.keys() != {""}:
        _write(root, entries)
    return loaded


def _stamp(folder: str) -> list[int]:
    """Return mtime, size and inode of `run.json` and `config.yaml`; missing files add nothing."""
    stamp = []
    for name in (paths.RUN, paths.CONFIG):
        with contextlib.suppress(OSError):
            status = os.stat(f"{folder}/{name}")  # noqa: PTH116 - thousands of them
            stamp += [status.st_mtime_ns, status.st_size, status.st_ino]
    return stamp


def _read(root: Path) -> dict[str, _Entry]:
    """Return the entries of a folder's index by path; none if it is missing, damaged or of another format."""
    try:
        index = json.loads(read.text(root / paths.INDEX, INDEX_BYTES))
        configs = index["configs"]
        if index["format"] != FORMAT or not all(map(rows.are_scalars, configs)):
            return {}
        return {
            name: _Entry(stamp, configs[number], facts, metrics)
            for name, (stamp, number, facts, metrics) in index["runs"].items()
            if rows.are_facts(facts) and read.are_metrics(metrics)
        }
    except (read.BrokenRunError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def _write(root: Path, entries: Mapping[str, _Entry]) -> None:
    """Write the index, each configuration once; a folder that cannot be written to gets none."""
    numbers: dict[str, int] = {}
    runs = {
        name: [entry.stamp, numbers.setdefault(json.dumps(entry.config), len(numbers)), entry.facts, entry.metrics]
        for name, entry in entries.items()
    }
    text = f'{{"format": {FORMAT}, "configs": [{", ".join(numbers)}],\n"runs": {json.dumps(runs)}}}\n'
    with contextlib.suppress(MachineError, UsageError):
        links.refuse([root / paths.INDEX])
        files.write_text(root / paths.INDEX, text)
