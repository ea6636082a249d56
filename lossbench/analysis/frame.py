"""Run folders as one pandas frame: a row for each run, a column for each key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossbench.errors import NothingMatchedError
from lossbench.runs import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd


RUN_COLUMNS = ("folder", "status", "seed", "loss", "link", "identity", "settings", "lossbench")
"""The columns that tell about a run rather than about its configuration."""


@dataclass(frozen=True)
class Broken:
    """A run folder that could not be read, and why."""

    folder: Path
    reason: str


def load_runs(places: Iterable[Path]) -> tuple[pd.DataFrame, list[Broken]]:
    """Every run at or below the places.

    Columns: `folder`, `status`, `seed`, `loss` (its label), `link`, `identity`, `settings` (what the label stands for:
    the complete loss and the hash of its plugin, as JSON), `lossbench` (the version); `data.sha256`; the
    configuration's keys, dotted, lists as JSON; the metrics as `test.last.accuracy`, missing where they were NaN.

    Returns:
        The frame, and the folders that could not be read.

    Raises:
        UsageError: A place does not exist.
        NothingMatchedError: There is no run that can be read.
    """
    import pandas as pd

    rows, broken = [], []
    for folder in read.find(places := list(places)):
        try:
            rows.append(_row(read.read(folder)))
        except read.BrokenRunError as error:
            broken.append(Broken(folder, str(error)))
    if not rows:
        reasons = "".join(f"\n{each.folder}: {each.reason}" for each in broken)
        raise NothingMatchedError(f"{', '.join(map(str, places))}: no run that can be read{reasons}")
    return pd.DataFrame(rows, dtype=object), broken


def _row(run: read.Run) -> dict[str, Any]:
    summary = run.summary
    hashes = summary["hashes"]
    config = {key: value for key, value in run.config.items() if key not in {"test", "val"}}
    return dict(_flat(config)) | {
        "folder": str(run.folder),
        "status": run.status,
        "seed": run.seed,
        "loss": run.loss,
        "link": _text(summary.get("link")),
        "identity": hashes["identity"],
        "settings": json.dumps([run.config.get("loss"), hashes.get("plugin")], sort_keys=True),
        "data.sha256": _text(hashes.get("data")),
        "lossbench": _text(_mapping(summary.get("versions")).get("lossbench")),
        **run.metrics,
    }


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in mapping.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", json.dumps(value) if isinstance(value, list | dict) else value


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
