"""Many runs as rows, fast: `.index.json` in the folder searched keeps what was read. The run folders are the truth.

A row of the index counts only if size, time of change and inode of `run.json` and `config.yaml` are what they were;
everything else is read anew. An index that is damaged, missing or cannot be written costs time and nothing else.
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

FORMAT: Final = 1
"""Goes up whenever `rows.read_row` changes."""

INDEX_BYTES: Final = 512 << 20


@dataclass(frozen=True)
class BrokenRun:
    """A run folder that could not be read, and why."""

    folder: Path
    reason: str


@dataclass(frozen=True)
class _Entry:
    """A run as the index keeps it: what identifies its files, and the three parts of its row."""

    stamp: list[int]
    config: Mapping[str, Any]
    facts: Mapping[str, Any]
    metrics: Mapping[str, Any]


def load(places: Iterable[Path]) -> tuple[list[RunRow], list[BrokenRun]]:
    """Every run at or below the places, as a row each, and the folders that could not be read.

    Raises:
        UsageError: A place does not exist or is no folder.
    """
    found: dict[str, RunRow | BrokenRun] = {}
    for place in places:
        root = os.path.realpath(place)
        for name, loaded in _load(place).items():
            found.setdefault(os.path.normpath(f"{root}/{name}"), loaded)
    loaded_rows = [found[folder] for folder in sorted(found)]
    return [each for each in loaded_rows if isinstance(each, dict)], [
        each for each in loaded_rows if isinstance(each, BrokenRun)
    ]


def _load(place: Path) -> dict[str, RunRow | BrokenRun]:
    known = _read(place)
    entries: dict[str, _Entry] = {}
    loaded: dict[str, RunRow | BrokenRun] = {}
    for name in read.names(place):
        folder = os.path.join(place, name) if name else str(place)  # noqa: PTH118 - thousands of them
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
    if entries != known and entries.keys() != {""}:
        _write(place, entries)
    return loaded


def _stamp(folder: str) -> list[int]:
    """What changes when a file is written anew; of a file that is not there, nothing."""
    stamp = []
    for name in (paths.RUN, paths.CONFIG):
        with contextlib.suppress(OSError):
            status = os.stat(f"{folder}/{name}")  # noqa: PTH116 - thousands of them
            stamp += [status.st_mtime_ns, status.st_size, status.st_ino]
    return stamp


def _read(place: Path) -> dict[str, _Entry]:
    """What the index of a place holds; nothing where it is damaged or of another format."""
    try:
        index = json.loads(read.text(place / paths.INDEX, INDEX_BYTES))
        configs = index["configs"]
        if index["format"] != FORMAT or not all(map(rows.are_scalars, configs)):
            return {}
        return {
            name: _Entry(stamp, configs[number], facts, metrics)
            for name, (stamp, number, facts, metrics) in index["runs"].items()
            if rows.are_facts(facts) and rows.are_metrics(metrics)
        }
    except (read.BrokenRunError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def _write(place: Path, entries: Mapping[str, _Entry]) -> None:
    """Each configuration once, though many runs share it. A folder that is not ours to write in has no index."""
    numbers: dict[str, int] = {}
    runs = {
        name: [entry.stamp, numbers.setdefault(json.dumps(entry.config), len(numbers)), entry.facts, entry.metrics]
        for name, entry in entries.items()
    }
    text = f'{{"format": {FORMAT}, "configs": [{", ".join(numbers)}],\n"runs": {json.dumps(runs)}}}\n'
    with contextlib.suppress(MachineError, UsageError):
        links.refuse([place / paths.INDEX])
        files.write_text(place / paths.INDEX, text)
