"""`sweep.jsonl`, what happened when: a line an event, for people and programs. Nothing is ever decided by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lossbench.errors import MachineError
from lossbench.runs import links, paths, write
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
        write.folder(folder)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append an event.

        Raises:
            MachineError: It cannot be written.
        """
        line = f"{json.dumps(entry, ensure_ascii=False)}\n".encode()
        try:
            with open(self._path, "ab", buffering=0, opener=links.opener) as file:
                write.whole(file, line)
        except OSError as error:
            raise MachineError(f"{self._path}: cannot be written: {error.strerror}") from error
