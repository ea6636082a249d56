"""Oracles of the bounded losses."""

import math

import numpy as np

from oracles.case import Array, Case


def log_clipped(e: Array, a: float) -> Array:
    """Log e with A for log 0."""
    return np.array([max(math.log(x), a) if x else a for x in e])


def divergence(a: Array, b: Array) -> float:
    """Kullback-Leibler, with 0·log 0 = 0."""
    return sum(x * math.log(x / y) for x, y in zip(a, b, strict=True) if x)


def jensen_shannon(e: Array, p: Array, share: float) -> float:
    """Two divergences from the mixture, over the largest value that their sum takes for π₁ → 0."""
    m = share * e + (1 - share) * p
    mixed = share * divergence(e, m) + (1 - share) * divergence(p, m)
    return mixed / (-(1 - share) * math.log(1 - share))


CASES = [
    Case("mae_probability", {}, lambda z, y, p, e: 1 - p[y]),
    Case("generalized_crossentropy", {}, lambda z, y, p, e: (1 - p[y] ** 0.7) / 0.7),
    Case("generalized_crossentropy", {"q": 0.05}, lambda z, y, p, e: (1 - p[y] ** 0.05) / 0.05),
    Case("reverse_crossentropy", {}, lambda z, y, p, e: -math.log(1e-4) * (1 - p[y])),
    Case("reverse_crossentropy", {"log_zero": -4}, lambda z, y, p, e: -float(p @ log_clipped(e, -4)), soft=True),
    Case("symmetric_crossentropy", {}, lambda z, y, p, e: -0.1 * math.log(p[y]) - math.log(1e-4) * (1 - p[y])),
    Case(
        "symmetric_crossentropy",
        {"alpha": 6, "beta": 0.1, "log_zero": -4},
        lambda z, y, p, e: -6 * e @ np.log(p) - 0.1 * p @ log_clipped(e, -4),
        soft=True,
    ),
    Case("agce", {}, lambda z, y, p, e: (4 - (1 + p[y]) ** 2) / 2),
    Case("agce", {"a": 4, "q": 0.2}, lambda z, y, p, e: (5**0.2 - (4 + p[y]) ** 0.2) / 0.2),
    Case("aul", {}, lambda z, y, p, e: ((1.5 - p[y]) ** 0.9 - 0.5**0.9) / 0.9),
    Case("aul", {"a": 3, "q": 0.1}, lambda z, y, p, e: ((3 - p[y]) ** 0.1 - 2**0.1) / 0.1),
    Case("ael", {}, lambda z, y, p, e: math.exp(-p[y] / 2.5)),
    Case("ael", {"a": 3.5}, lambda z, y, p, e: math.exp(-p[y] / 3.5)),
    Case("amse", {}, lambda z, y, p, e: ((p - 30 * e) ** 2).mean(), soft=True),
    Case("amse", {"a": 2}, lambda z, y, p, e: ((p - 2 * e) ** 2).mean(), soft=True),
    Case("jensen_shannon", {}, lambda z, y, p, e: jensen_shannon(e, p, 0.5), soft=True),
    Case("jensen_shannon", {"pi1": 0.1}, lambda z, y, p, e: jensen_shannon(e, p, 0.1), soft=True),
    Case("jensen_shannon", {"pi1": 0.9}, lambda z, y, p, e: jensen_shannon(e, p, 0.9), soft=True),
]
