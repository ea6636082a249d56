"""Oracles of the margin losses."""

import math

import numpy as np

from oracles.case import CLASSES, Array, Case, others


def lead(z: Array, y: int) -> float:
    """By how much the true class leads the mean of the others."""
    return z[y] - others(z, y).mean()


CASES = [
    Case("hinge", {}, lambda z, y, p, e: np.maximum(0, 1 - (2 * e - 1) * z).mean(), soft=True),
    Case("hinge", {"margin": 0.3}, lambda z, y, p, e: np.maximum(0, 0.3 - (2 * e - 1) * z).mean(), soft=True),
    Case("squared_hinge", {}, lambda z, y, p, e: (np.maximum(0, 1 - (2 * e - 1) * z) ** 2).mean(), soft=True),
    Case("categorical_hinge", {}, lambda z, y, p, e: max(0, 1 + others(z, y).max() - z[y])),
    Case("categorical_hinge", {"margin": 3}, lambda z, y, p, e: max(0, 3 + others(z, y).max() - z[y])),
    Case("multi_margin", {}, lambda z, y, p, e: np.maximum(0, 1 - z[y] + others(z, y)).sum() / CLASSES),
    Case(
        "multi_margin",
        {"p": 2, "margin": 0.5},
        lambda z, y, p, e: (np.maximum(0, 0.5 - z[y] + others(z, y)) ** 2).sum() / CLASSES,
    ),
    Case("multiclass_perceptron", {}, lambda z, y, p, e: z.max() - z[y]),
    Case("sigmoid_loss", {}, lambda z, y, p, e: 1 / (1 + math.exp(lead(z, y)))),
    Case("savage", {}, lambda z, y, p, e: (1 + math.exp(2 * lead(z, y))) ** -2),
    Case("ramp", {}, lambda z, y, p, e: min(1, max(0, (1 - lead(z, y)) / 2))),
    Case("unhinged", {}, lambda z, y, p, e: 1 - lead(z, y)),
]
