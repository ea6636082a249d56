"""Run folders that say the same hostile thing wherever a file can carry a text."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from fabricate import fabricate

from lossbench import files
from lossbench.runs import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def poison(value: Any, text: str) -> Any:
    """The same value with the text behind every text and every key."""
    match value:
        case str():
            return value + text
        case dict():
            return {key: poison(item, text) for key, item in value.items()} | {text: text}
        case list():
            return [poison(item, text) for item in value] + [text]
    return value


def change(path: Path, edit: Callable[[list[list[str]]], list[list[str]]]) -> None:
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(edit(rows))


def hostile(runs: Path, text: str, seed: int = 0, label: str = "", **summary: Any) -> Path:
    """A completed run in whose files, and in whose name, the text stands wherever it can."""
    run = fabricate(runs, "focal", seed, images=100)
    kept = {"schema_version", "status", "metrics", "started", "finished", "seconds", "hashes"}
    told = json.loads((run / "run.json").read_text())
    told = {key: value if key in kept else poison(value, text) for key, value in told.items()}
    hashes = told["hashes"] | {"identity": label + str(seed), "plugin": text, "data": text}
    told |= {"loss": label or text, "reason": text, "hashes": hashes, "plugins": [{"path": text, "sha256": text}]}
    write.summary(run / "run.json", told | {text: text} | summary)
    config = yaml.safe_load((run / "config.yaml").read_text())
    config = {key: poison(value, text) for key, value in config.items()} | {text: text}
    files.write_text(run / "config.yaml", yaml.safe_dump(config, sort_keys=False))
    write.append_log(run / "log.txt", f"{text}\n{text}")
    change(run / "metrics.csv", lambda rows: [[*rows[0], text], *([*row, "0.5"] for row in rows[1:])])
    for name in ("per_class.csv", "confusion.csv"):
        change(run / name, lambda rows: rows + [[text, *row[1:]] for row in rows if row[0] == "last"])
    with np.load(run / "predictions.npz", allow_pickle=False) as arrays:
        write.arrays(run / "predictions.npz", {**arrays, text.replace("/", ""): arrays["labels"]})
    return run
