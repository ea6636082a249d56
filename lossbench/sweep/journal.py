"""`sweep.jsonl`, what happened when: a line an event, for people and programs. Nothing is ever decided by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lossbench.errors import MachineError
from lossbench.runs import paths, write
from lossbench.training.provenance import now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def event(kind: str, **facts: Any) -> dict[str, Any]:
    """An event with the time at which it happened, without what is not known."""
    return {"time": now(), "event": kind, **{name: fact for name, fact in facts.items() if fact is not None}}


class Journal:
    """Appends events, each by one write, so that several sweeps may keep one journal."""

    def __init__(self, folder: Path) -> None:
        write.folder(folder)
        self._path = folder / paths.JOURNAL

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append an event.

        Raises:
            MachineError: It cannot be written.
        """
        line = f"{json.dumps(entry, ensure_ascii=False)}\n".encode()
        try:
            with self._path.open("ab", buffering=0) as file:
                write.whole(file, line)
        except OSError as error:
            raise MachineError(f"{self._path}: cannot be written: {error.strerror}") from error
