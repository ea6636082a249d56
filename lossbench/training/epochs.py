"""The sums of an epoch, and pure functions of the rows of finished ones: best epoch, early stopping, divergence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossbench.metrics import BEST_EPOCH, METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lossbench.config.schema import EarlyStopping


@dataclass(frozen=True)
class Sums:
    """Sums over the images of an epoch so far; `means` divides them."""

    images: float
    loss: float
    regularization: float
    correct: float
    clean_correct: float
    wrong_labels: float
    memorized: float
    recovered: float


def best_epoch(history: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the index of the best epoch by the validation metrics of `metrics.BEST_EPOCH`, the earliest of equal ones.

    None without validation.
    """
    columns = [f"val_{name}" for name in BEST_EPOCH]
    if not history or history[0][columns[0]] is None:
        return None
    return max(range(len(history)), key=lambda epoch: [_gain(column, history[epoch][column]) for column in columns])


def is_over(history: Sequence[Mapping[str, Any]], early_stopping: EarlyStopping | None) -> bool:
    """Return whether the monitored column has not improved for `patience` epochs."""
    if early_stopping is None:
        return False
    column = early_stopping.monitor
    gains = [_gain(column, row[column]) for row in history if row.get(column) is not None]
    return bool(gains) and len(gains) - 1 - gains.index(max(gains)) >= early_stopping.patience


def _gain(column: str, value: float) -> float:
    """Return the value of a validation column with the sign that makes more better."""
    metric = METRICS.get(column.removeprefix("val_"))
    return metric.gain(value) if metric else -value


def diverged(row: Mapping[str, Any]) -> bool:
    """Return whether the training loss or the validation NLL of an epoch is not finite."""
    return not all(math.isfinite(row[name]) for name in ("loss", "val_nll") if row[name] is not None)


def means(sums: Sums) -> dict[str, float | None]:
    """Return the training columns of an epoch's row; without wrong labels, their shares are None."""
    wrong = sums.wrong_labels
    return {
        "accuracy": sums.correct / sums.images,
        "loss": sums.loss / sums.images,
        "regularization": sums.regularization / sums.images,
        "memorized": sums.memorized / wrong if wrong else None,
        "recovered": sums.recovered / wrong if wrong else None,
        "clean_accuracy": sums.clean_correct / sums.images,
    }


def line(row: Mapping[str, Any], epochs: int) -> str:
    """Return an epoch in one line of text, for logs and pipes."""
    text = f"epoch {row['epoch'] + 1}/{epochs}  loss {row['loss']:.4f}  accuracy {row['accuracy']:.4f}"
    if row["val_accuracy"] is not None:
        text += f"  val {row['val_accuracy']:.4f}  val_nll {row['val_nll']:.4f}"
    return f"{text}  {row['seconds']:.1f} s"
