"""`sweep.jsonl`, what happened when: a line an event, for people and programs. Nothing is ever decided by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench import files
from lossbench.json_data import to_json
from lossbench.runs import links, paths
from lossbench.training.provenance import now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def event(kind: str, **facts: Any) -> dict[str, Any]:
    """An event with the time at which it happened, without what is not known."""
    return {"time": now(), "event": kind, **{name: fact for name, fact in facts.items() if fact is not None}}


class Journal:
    """Appends events, each by one write, so that several sweeps may keep one journal.

    Raises:
        UsageError: The sweep's folder, or the journal, is a link.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / paths.JOURNAL
        links.refuse([folder, self._path])
        files.make_folder(folder)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append an event.

        Raises:
            MachineError: It cannot be written.
        """
        files.append(self._path, to_json(entry, indent=None), durable=False)
