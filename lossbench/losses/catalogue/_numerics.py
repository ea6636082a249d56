"""Expressions that several losses share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench import ops
from lossbench.errors import UsageError

if TYPE_CHECKING:
    from lossbench.losses.types import PerClass, Tensor


def expectation(y_true: Tensor, values: Tensor) -> Tensor:
    """Return Σ_j e_j x_j per image: with one-hot targets, the value of the true class."""
    return ops.sum(y_true * values, axis=-1)


def smooth(y_true: Tensor, label_smoothing: float) -> Tensor:
    """Return (1-ε) e + ε/C: the convention of Keras and PyTorch, where the true class gets its share of ε too."""
    return (1 - label_smoothing) * y_true + label_smoothing / y_true.shape[-1]


def smooth_binary(y_true: Tensor, label_smoothing: float) -> Tensor:
    """Return (1-ε) e + ε/2, which moves each one-vs-rest target towards 1/2."""
    return (1 - label_smoothing) * y_true + label_smoothing / 2


def power(base: Tensor, exponent: float) -> Tensor:
    """Return base^exponent for a base ≥ 0, with a finite gradient at 0 for an exponent < 1 too."""
    return ops.exp(exponent * ops.log(ops.maximum(base, 1e-37)))


def per_class(name: str, value: PerClass, y_pred: Tensor) -> Tensor:
    """Return one number, or a list of one per class, as a tensor that multiplies `[batch, classes]`."""
    classes = y_pred.shape[-1]
    if isinstance(value, tuple | list) and len(value) != classes:
        raise UsageError(f"{name}: expected one number or {classes}, one per class, got a list of {len(value)}")
    return ops.convert_to_tensor(value, dtype=y_pred.dtype)
