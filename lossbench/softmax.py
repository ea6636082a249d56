"""Log-softmax, and temperature scaling of log-probabilities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Labels: TypeAlias = NDArray[np.integer[Any]]

LOG_TEMPERATURE, BISECTIONS = math.log(1e6), 48


def log_softmax(logits: NDArray[np.floating[Any]]) -> Floats:
    """Return log-probabilities of logits, z - max z - log Σ exp(z - max z), in float64."""
    import numpy as np

    wide = np.asarray(logits, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # an infinite logit has no softmax: its row is NaN
        shifted = wide - wide.max(axis=-1, keepdims=True)
    normalised: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return normalised


def temperature(log_probabilities: Floats, labels: Labels) -> float:
    """Return the temperature T that minimises the NLL of softmax(z/T); z may be logits or log-probabilities.

    The NLL is convex in β = 1/T and its slope, mean_i (Σ_j p_j z_j - z_y), grows with β, so bisection finds T. This
    gives sigmoid and margin losses their best softmax. Accuracy does not depend on T.

    Returns:
        T between 1e-6 and 1e6. An end of this range if no T inside it is best, e.g. 1e6 for a network no better than
        chance. 1 if every label is the most probable class already, since the NLL then has no minimum. NaN if a value
        is not finite.

    Example:
        >>> round(temperature(np.array([[9.0, 0.0]] * 4), np.array([0, 0, 0, 1])), 3)  # 9/T = log 3
        8.192

    Source: Guo et al. (2017). On calibration of modern neural networks. arXiv:1706.04599.
    """
    import numpy as np

    if not np.isfinite(log_probabilities).all():
        return float("nan")
    shifted = log_probabilities - log_probabilities.max(axis=1, keepdims=True)
    true = shifted[np.arange(len(labels)), labels]
    if not true.any():
        return 1.0
    low, high = -LOG_TEMPERATURE, LOG_TEMPERATURE
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        weights = np.exp(shifted * np.exp(-middle))
        expected = (weights * shifted).sum(axis=1) / weights.sum(axis=1)
        low, high = (middle, high) if expected.mean() > true.mean() else (low, middle)
    return float(np.exp((low + high) / 2))
