"""Gradients by finite differences, to compare with automatic gradients."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import keras  # noqa: TID253  # imported on first use
import numpy as np

from lossbench import ops
from lossbench.losses.lab.probe import Array, Probe, values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from lossbench.losses.types import Tensor


def slopes(probe: Probe, y_true: Array, y_pred: Array, step: float) -> NDArray[np.float64]:
    """Return the slope of the summed loss in each logit, (8 (f₁ - f₋₁) - (f₂ - f₋₂)) / 12h, in float64.

    Where the images of a batch are independent, one logit of every image moves at a time.
    """

    def slope(index: Any) -> NDArray[np.float64]:
        at = []
        for shift in (-2, -1, 1, 2):
            moved = y_pred.copy()
            moved[index] += shift * step
            at.append(values(probe, y_true, moved).astype(np.float64))
        return np.asarray((8 * (at[2] - at[1]) - (at[3] - at[0])) / (12 * step))

    if probe.couples_batch:
        return np.reshape([slope(index).sum() for index in np.ndindex(y_pred.shape)], y_pred.shape)
    return np.stack([slope((slice(None), column)) for column in range(y_pred.shape[1])], axis=1)


@contextmanager
def frozen_stop_gradient(loss: Callable[[Tensor, Tensor], Tensor], y_true: Array, y_pred: Array) -> Iterator[None]:
    """Make `ops.stop_gradient` return its values at these logits, so that differences treat them as constants."""
    original, recorded = keras.ops.stop_gradient, list[Any]()
    calls = 0

    def record(tensor: Tensor) -> Tensor:
        recorded.append(original(tensor))
        return recorded[-1]

    def replay(_: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return recorded[(calls - 1) % len(recorded)]

    try:
        keras.ops.stop_gradient = ops.stop_gradient = record
        values(loss, y_true, y_pred)
        keras.ops.stop_gradient = ops.stop_gradient = replay
        yield
    finally:
        keras.ops.stop_gradient = ops.stop_gradient = original
