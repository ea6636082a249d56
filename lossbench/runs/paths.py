"""Names used in a run folder: files, columns, statuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lossbench import metrics
from lossbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION: Final = 1
"""Version of `run.json`; readers refuse newer ones."""

RUN: Final = "run.json"
CONFIG: Final = "config.yaml"
CONFIG_SECTIONS: Final = ("loss", "data", "model", "optimizer", "train", "log")
"""Sections of every `config.yaml`; `log` comes last because no number depends on it."""
METRICS: Final = "metrics.csv"
PER_CLASS: Final = "per_class.csv"
CONFUSION: Final = "confusion.csv"
PREDICTIONS: Final = "predictions.npz"
WEIGHTS: Final = "weights.npz"
FEATURES: Final = "features.npz"
"""The plane of a penultimate layer with two units; other runs have no such file."""
LOG: Final = "log.txt"
CHECKPOINT: Final = "checkpoint"
TENSORBOARD: Final = "tb"
LOCKS: Final = ".locks"
JOURNAL: Final = "sweep.jsonl"
DECISION: Final = "decision.json"
"""The plan and the looks of a sweep that adds seeds until it is decided, beside its run folders."""
DECISION_VERSION: Final = 2
"""Version of `decision.json`; readers refuse newer ones. With version 1 the test of equivalence had an α of its own."""
TUNING: Final = "tuning.json"
"""The settings that a sweep tried for each loss, their scores and choices, beside its run folders."""
TUNING_VERSION: Final = 1
"""Version of `tuning.json`; readers refuse newer ones."""
TUNING_RUNS: Final = "tuning"
"""The folder beside `tuning.json` that holds the runs of these settings; a search does not enter it."""
INDEX: Final = ".index.json"
"""A cache of run rows, in the folder that was searched."""

STATUSES: Final = ("running", "completed", "diverged", "failed", "interrupted")

METRICS_COLUMNS: Final = (
    "epoch",
    "accuracy",
    "loss",
    *metrics.VALIDATION_COLUMNS,
    "learning_rate",
    "seconds",
    "regularization",
    "memorized",
    "recovered",
    "clean_accuracy",
)
PER_CLASS_COLUMNS: Final = ("at", "class", *metrics.CLASS_METRICS, "support")
CONFUSION_COLUMNS: Final = ("at", "true", "predicted", "count")

_COMPONENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)


def run_folder(runs_dir: Path, name: str, folder: str) -> Path:
    """Return the path `runs_dir/name/folder`; refuse a name that could lead anywhere else.

    Raises:
        UsageError: A component is not made of letters, digits, `.`, `_` and `-`, or starts with `.` or `-`.
    """
    return runs_dir / _component("name", name) / _component("folder", folder)


def _component(what: str, text: str) -> str:
    if _COMPONENT.fullmatch(text):
        return text
    raise UsageError(
        f"{what}: expected at most 128 letters, digits, '.', '_', '-', not starting with '.' or '-', got {text[:80]!r}"
    )
