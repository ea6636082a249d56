"""Oracles of the normalized losses."""

import math

import numpy as np

from oracles.case import Array, Case, softmax


def focal(p: Array, gamma: float) -> Array:
    """The focal loss of each class."""
    return -((1 - p) ** gamma) * np.log(p)


def share(losses: Array, y: int) -> float:
    """The true class's part of the sum."""
    return float(losses[y] / losses.sum())


def held_focal(p: Array, fixed: Array, gamma: float) -> Array:
    """The focal loss of each class with a factor that does not move."""
    return -((1 - fixed) ** gamma) * np.log(p)


CASES = [
    Case("normalized_crossentropy", {}, lambda z, y, p, e: share(np.log(p), y)),
    Case("normalized_focal", {}, lambda z, y, p, e: share(focal(p, 0.5), y)),
    Case("normalized_focal", {"gamma": 3}, lambda z, y, p, e: share(focal(p, 3), y)),
    Case(
        "normalized_focal",
        {"stop_gradient": True},
        lambda z, y, p, e, at: share(held_focal(p, softmax(at), 0.5), y),
        held=True,
    ),
    Case("normalized_generalized_crossentropy", {}, lambda z, y, p, e: (1 - p[y] ** 0.7) / (5 - (p**0.7).sum())),
    Case(
        "normalized_generalized_crossentropy",
        {"q": 0.1},
        lambda z, y, p, e: (1 - p[y] ** 0.1) / (5 - (p**0.1).sum()),
    ),
    Case("normalized_negative_crossentropy", {}, lambda z, y, p, e: 1 - share(np.log(np.maximum(p / 1e-7, 1)), y)),
    Case(
        "normalized_negative_crossentropy",
        {"min_prob": 0.01},
        lambda z, y, p, e: 1 - share(np.log(np.maximum(p, 0.01) * 100), y),
    ),
    Case(
        "normalized_negative_focal",
        {},
        lambda z, y, p, e: 1 - share(7 * math.log(10) - focal(np.maximum(p, 1e-7), 0.5), y),
    ),
    Case(
        "normalized_negative_focal",
        {"gamma": 2, "min_prob": 0.01},
        lambda z, y, p, e: 1 - share(math.log(100) - focal(np.maximum(p, 0.01), 2), y),
    ),
]
