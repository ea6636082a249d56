"""Oracles of the regression losses."""

import math

import numpy as np

from oracles.case import Case

CASES = [
    Case("mean_squared_error", {}, lambda z, y, p, e: ((p - e) ** 2).mean(), soft=True),
    Case("mean_absolute_error", {}, lambda z, y, p, e: abs(p - e).mean(), soft=True),
    Case(
        "mean_absolute_percentage_error",
        {},
        lambda z, y, p, e: 100 * np.mean([abs(a - b) / max(b, 1e-7) for a, b in zip(p, e, strict=True)]),
        soft=True,
    ),
    Case("mean_squared_logarithmic_error", {}, lambda z, y, p, e: (np.log((1 + p) / (1 + e)) ** 2).mean(), soft=True),
    Case("huber", {}, lambda z, y, p, e: ((p - e) ** 2 / 2).mean(), soft=True),
    Case(
        "huber",
        {"delta": 0.2},
        lambda z, y, p, e: np.mean([d * d / 2 if d <= 0.2 else 0.2 * (d - 0.1) for d in abs(p - e)]),
        soft=True,
    ),
    Case(
        "smooth_l1",
        {"beta": 0.2},
        lambda z, y, p, e: np.mean([d * d / 0.4 if d < 0.2 else d - 0.1 for d in abs(p - e)]),
        soft=True,
    ),
    Case("log_cosh", {}, lambda z, y, p, e: np.log(np.cosh(p - e)).mean(), soft=True),
    Case("cosine_similarity", {}, lambda z, y, p, e: -(p @ e) / math.hypot(*p) / math.hypot(*e), soft=True),
]
