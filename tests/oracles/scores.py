"""Oracles of the regression losses and scoring rules."""

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


CASES = [
    Case("mean_squared_error", {}, lambda z, y, p, e: ((p - e) ** 2).mean()),
    Case("mean_absolute_error", {}, lambda z, y, p, e: 2 * (1 - p[y]) / CLASSES),
    Case("mean_absolute_percentage_error", {}, lambda z, y, p, e: 100 * (1 - p[y]) * (1 + 1e7) / CLASSES),
    Case("mean_squared_logarithmic_error", {}, lambda z, y, p, e: (np.log((1 + p) / (1 + e)) ** 2).mean()),
    Case("huber", {}, lambda z, y, p, e: ((p - e) ** 2 / 2).mean()),
    Case(
        "huber",
        {"delta": 0.2},
        lambda z, y, p, e: np.mean([d * d / 2 if d <= 0.2 else 0.2 * (d - 0.1) for d in abs(p - e)]),
    ),
    Case(
        "smooth_l1",
        {"beta": 0.2},
        lambda z, y, p, e: np.mean([d * d / 0.4 if d < 0.2 else d - 0.1 for d in abs(p - e)]),
    ),
    Case("log_cosh", {}, lambda z, y, p, e: np.log(np.cosh(p - e)).mean()),
    Case("cosine_similarity", {}, lambda z, y, p, e: -p[y] / math.hypot(*p)),
    Case("brier", {}, lambda z, y, p, e: 1 - 2 * p[y] + p @ p),
    Case("spherical", {}, lambda z, y, p, e: 1 - p[y] / math.hypot(*p)),
    Case("rescaled_square", {}, lambda z, y, p, e: ((z - e) ** 2).mean()),
    Case(
        "rescaled_square",
        {"k": 3, "M": 4},
        lambda z, y, p, e: (3 * (z[y] - 4) ** 2 + (others(z, y) ** 2).sum()) / CLASSES,
    ),
    Case("sparsemax", {}, lambda z, y, p, e: sparsemax_loss(z, y)),
]
