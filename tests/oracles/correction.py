"""Oracles of the losses that know the label noise."""

import math

import numpy as np

from oracles.case import CLASSES, Case

SYMMETRIC = 0.75 * np.eye(CLASSES) + 0.05
PAIR = 0.6 * np.eye(CLASSES) + 0.4 * np.roll(np.eye(CLASSES), 1, axis=1)
ROWS = np.random.default_rng(5).dirichlet(np.ones(CLASSES), CLASSES) / 2 + np.eye(CLASSES) / 2
IDENTITY = np.eye(CLASSES)


def forward(p, e, noise):
    """Patrini 2017, theorem 2: the cross-entropy of Tᵀp."""
    return -sum(e[j] * math.log(sum(p[i] * noise[i, j] for i in range(CLASSES))) for j in range(CLASSES))


def backward(p, e, noise):
    """Patrini 2017, theorem 1: T⁻¹ times the losses of all labels, by a linear system instead of the inverse."""
    return float(e @ np.linalg.solve(noise, -np.log(p)))


CASES = [
    *(
        Case("forward_correction", {}, lambda z, y, p, e, t=noise: forward(p, e, t), {"transition_matrix": noise})
        for noise in (SYMMETRIC, PAIR, ROWS)
    ),
    Case("forward_correction", {}, lambda z, y, p, e: -math.log(p[y]), {"transition_matrix": IDENTITY}),
    *(
        Case("backward_correction", {}, lambda z, y, p, e, t=noise: backward(p, e, t), {"transition_matrix": noise})
        for noise in (SYMMETRIC, PAIR, ROWS)
    ),
    Case("backward_correction", {}, lambda z, y, p, e: -math.log(p[y]), {"transition_matrix": IDENTITY}),
]
