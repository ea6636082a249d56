"""Scores of single runs: the test metric of a run folder, or how the run ended without one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from lossbench.errors import UsageError
from lossbench.metrics import REPORTED
from lossbench.runs import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lossbench.runs.decision import Score


def class_scores(folder: Path, names: Iterable[str]) -> dict[str, float]:
    """Return the class metrics among some names from `per_class.csv`, as `test.last.recall.5`; without those it lacks.

    Raises:
        BrokenRunError: The file cannot be read.
    """
    return {
        f"test.{score['at']}.{name}": value
        for score in read.per_class(folder)
        for name in names
        if name.endswith(f".{score['class']:.0f}") and math.isfinite(value := score[name.partition(".")[0]])
    }


def read_score(folder: Path, metric: str) -> Score:
    """Return the test metric of a run that has ended, after its last epoch.

    Raises:
        BrokenRunError: The folder cannot be read.
        UsageError: The run is completed and lacks the metric.
    """
    summary = read.read_summary(folder)
    if ended := _ended_without(summary):
        return ended
    column = f"test.last.{metric}"
    found = summary["metrics"] if metric in REPORTED else class_scores(folder, [metric])
    if (value := found.get(column)) is None:
        raise UsageError(f"{folder}: the run has no {metric}; decide by another `metric`", mentions=("metric",))
    return float(value)


def read_validation_score(folder: Path, metric: str) -> Score:
    """Return a validation metric such as `val_accuracy` of a run that has ended, after its last epoch.

    Raises:
        BrokenRunError: The folder cannot be read.
        UsageError: The run is completed and lacks the metric.
    """
    summary = read.read_summary(folder)
    if ended := _ended_without(summary):
        return ended
    value = summary["metrics"].get(metric.replace("val_", "val.last.", 1))
    if value is None:
        raise UsageError(f"{folder}: the run has no {metric}; choose another sweep.tune.metric")
    return float(value)


def _ended_without(summary: Mapping[str, Any]) -> Literal["diverged", "failed"] | None:
    """Return how a run ended without a score; None for a completed one."""
    if summary["status"] == "completed":
        return None
    return "diverged" if summary["status"] == "diverged" else "failed"
