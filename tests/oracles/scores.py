"""Oracles of the scoring rules."""

import math

import numpy as np

from oracles.case import CLASSES, Array, Case, others


def sparsemax_support(z: Array) -> Array:
    """The projection on the simplex, by bisection on its threshold."""
    low, high = z.min() - 1, z.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(z - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(z - high, 0)


def sparsemax_loss(z: Array, y: int) -> float:
    """Martins & Astudillo 2016, equation 13: -z_y + Σ_{j in support} (z_j² - τ²)/2 + 1/2."""
    support = sparsemax_support(z) > 0
    tau = (z[support].sum() - 1) / support.sum()
    return float(-z[y] + (z[support] ** 2 - tau**2).sum() / 2 + 0.5)


def fenchel_young(z: Array, s: Array, e: Array) -> float:
    """The gap between z's best value under half the square norm and e's."""
    return float(z @ s - s @ s / 2 - (z @ e - e @ e / 2))


CASES = [
    Case("brier", {}, lambda z, y, p, e: e @ e - 2 * p @ e + p @ p, soft=True),
    Case("spherical", {}, lambda z, y, p, e: 1 - p[y] / math.hypot(*p)),
    Case("rescaled_square", {}, lambda z, y, p, e: ((z - e) ** 2).mean()),
    Case(
        "rescaled_square",
        {"k": 3, "M": 4},
        lambda z, y, p, e: (3 * (z[y] - 4) ** 2 + (others(z, y) ** 2).sum()) / CLASSES,
    ),
    Case("sparsemax", {}, lambda z, y, p, e: sparsemax_loss(z, y)),
    Case("sparsemax", {}, lambda z, y, p, e: fenchel_young(z, sparsemax_support(z), e), soft=True),
]
