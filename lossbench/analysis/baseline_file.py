"""Baseline files: the runs of a comparison, to compare later runs with, independent of their folders."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lossbench import files
from lossbench.analysis.result import Baseline
from lossbench.errors import UsageError
from lossbench.runs import read, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.runs.rows import RunRow

SCHEMA_VERSION: Final = 1
MOST_BYTES: Final = 256 << 20


def save(path: Path, runs: Sequence[RunRow]) -> None:
    """Write runs to a baseline file: label, seed, configuration and metrics of each.

    Raises:
        MachineError: The file cannot be written.
    """
    files.write_text(path, json.dumps({"schema_version": SCHEMA_VERSION, "runs": list(runs)}, indent=1) + "\n")


def load(path: Path) -> Baseline:
    """Read a baseline file.

    Returns:
        The runs, under the file's name.

    Raises:
        UsageError: The file is missing, damaged or of another version, or contains no run.
    """
    try:
        # The user may name a link; Path.resolve raises where links form a cycle.
        value = json.loads(read.text(Path(os.path.realpath(path)), MOST_BYTES))
    except (read.BrokenRunError, ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, read.BrokenRunError) else "not JSON"
        raise UsageError(f"{path}: {reason}; expected a baseline file") from error
    found = value.get("runs") if isinstance(value, dict) else None
    if not isinstance(found, list) or value.get("schema_version") != SCHEMA_VERSION:
        raise UsageError(f"{path}: expected a baseline file of version {SCHEMA_VERSION}")
    if not found or not all(isinstance(each, dict) and _is_row(each) for each in found):
        raise UsageError(f"{path}: expected runs with label, seed, status and numbers")
    return Baseline(path.name, found)


def _is_row(value: dict[str, Any]) -> bool:
    metrics = {name: each for name, each in value.items() if rows.is_metric(name)}
    return rows.are_facts({name: value[name] for name in value.keys() - metrics}) and read.are_metrics(metrics)
