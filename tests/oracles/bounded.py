"""Oracles of the bounded losses."""

import math

import numpy as np

from oracles.case import Array, Case


def log_clipped(e: Array, a: float) -> Array:
    """Log e with A for log 0."""
    return np.array([math.log(x) if x else a for x in e])


CASES = [
    Case("mae_probability", {}, lambda z, y, p, e: 1 - p[y]),
    Case("generalized_crossentropy", {}, lambda z, y, p, e: (1 - p[y] ** 0.7) / 0.7),
    Case("generalized_crossentropy", {"q": 0.05}, lambda z, y, p, e: (1 - p[y] ** 0.05) / 0.05),
    Case("reverse_crossentropy", {}, lambda z, y, p, e: -math.log(1e-4) * (1 - p[y])),
    Case("reverse_crossentropy", {"log_zero": -4}, lambda z, y, p, e: -float(p @ log_clipped(e, -4))),
    Case("symmetric_crossentropy", {}, lambda z, y, p, e: -0.1 * math.log(p[y]) - math.log(1e-4) * (1 - p[y])),
    Case(
        "symmetric_crossentropy",
        {"alpha": 6, "beta": 0.1, "log_zero": -4},
        lambda z, y, p, e: -6 * math.log(p[y]) + 0.4 * (1 - p[y]),
    ),
]
