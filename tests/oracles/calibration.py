"""Oracles of the calibration losses."""

import math

import numpy as np

from oracles.case import Array, Case, log_softmax


def dual(p: Array, y: int, gamma: float) -> float:
    """By sorting: the next value below p_y, or 0."""
    below = max([q for q in sorted(p) if q < p[y]], default=0.0)
    return -((1 - p[y] + below) ** gamma) * math.log(p[y])


def gap(p: Array, e: Array) -> float:
    """The mean over classes of the difference between confidence and frequency."""
    return sum(abs(p[:, j].sum() - e[:, j].sum()) for j in range(p.shape[1])) / p.size


def crossentropy(z: Array, e: Array) -> Array:
    """Of each image."""
    return -(e * log_softmax(z)).sum(axis=1)


CASES = [
    Case("confidence_penalty", {}, lambda z, y, p, e: -e @ np.log(p) + 0.1 * p @ np.log(p), soft=True),
    Case("confidence_penalty", {"beta": 2}, lambda z, y, p, e: -e @ np.log(p) + 2 * p @ np.log(p), soft=True),
    Case("mbls", {}, lambda z, y, p, e: -math.log(p[y]) + sum(max(0, max(z) - x - 10) for x in z) / 50),
    Case(
        "mbls",
        {"margin": 2, "alpha": 0.5},
        lambda z, y, p, e: -math.log(p[y]) + sum(max(0, max(z) - x - 2) for x in z) / 10,
    ),
    Case("focal_flsd53", {}, lambda z, y, p, e: -((1 - p[y]) ** (5 if p[y] < 0.2 else 3)) * math.log(p[y])),
    Case("dual_focal", {}, lambda z, y, p, e: dual(p, y, 5)),
    Case("dual_focal", {"gamma": 0.5}, lambda z, y, p, e: dual(p, y, 0.5)),
    Case("mdca", {}, lambda z, y, p, e: crossentropy(z, e) + gap(p, e), batch=True, soft=True),
    Case(
        "mdca",
        {"beta": 3, "base": "focal"},
        lambda z, y, p, e: (e * (1 - p) ** 2 * -log_softmax(z)).sum(axis=1) + 3 * gap(p, e),
        batch=True,
        soft=True,
    ),
]
