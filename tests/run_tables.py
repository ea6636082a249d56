"""What two sweeps of the same trials must have in common."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def tables(folder: Path) -> dict[str, Any]:
    """Every CSV of every run below a folder without the seconds, and the bytes of what was predicted."""
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("*/*.csv")):
        with path.open(newline="") as file:
            rows = [{key: cell for key, cell in row.items() if key != "seconds"} for row in csv.DictReader(file)]
        found[path.relative_to(folder).as_posix()] = rows
    return found | {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.glob("*/*.npz"))}
