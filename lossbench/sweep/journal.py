"""Sweep events, and `sweep.jsonl`, which records them for people and programs; no decision depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossbench import files
from lossbench.json_data import to_json
from lossbench.runs import links, paths
from lossbench.training.provenance import now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class EventKind:
    """A kind of event.

    Attributes:
        meaning: What happened.
        is_logged: Progress as lines has a line for it.
        is_problem: The live screen has a line for it too.
    """

    meaning: str
    is_logged: bool = False
    is_problem: bool = False


EVENTS = {
    "sweep": EventKind("the sweep starts"),
    "started": EventKind("a trial starts or continues"),
    "progress": EventKind("a trial may have advanced; not recorded"),
    "retried": EventKind("a trial is dispatched again because its worker was lost", is_logged=True, is_problem=True),
    "completed": EventKind("a trial is complete", is_logged=True),
    "diverged": EventKind("the loss of a trial became NaN or infinite", is_logged=True, is_problem=True),
    "failed": EventKind("a trial failed", is_logged=True, is_problem=True),
    "interrupted": EventKind("a trial was stopped and can continue", is_logged=True),
    "tuned": EventKind("the settings of a sweep that tunes are chosen"),
    "look": EventKind("a look of a sweep that adds seeds until it is decided", is_logged=True),
    "end": EventKind("the sweep ends"),
}


def event(kind: str, **facts: Any) -> dict[str, Any]:
    """Return an event of one of the `EVENTS` at the current time; facts that are None are left out."""
    return {"time": now(), "event": kind, **{name: fact for name, fact in facts.items() if fact is not None}}


class Journal:
    """The file `sweep.jsonl`; several sweeps may write to one journal, because each event is one append.

    Raises:
        UsageError: The sweep's folder or the journal is a link.
        MachineError: The folder cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / paths.JOURNAL
        links.refuse([folder, self._path])
        files.make_folder(folder)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append an event.

        Raises:
            MachineError: The journal cannot be written.
        """
        files.append(self._path, to_json(entry, indent=None), durable=False)
