"""Oracles of the focal family."""

import math

import numpy as np

from oracles.case import CLASSES, WEIGHTS, Array, Case, sigmoid, smoothed, softmax
from oracles.likelihood import bce


def binary_focal(z: Array, e: Array, gamma: float, alpha: float | None, epsilon: float) -> float:
    """Keras' definition."""
    t = smoothed(e, epsilon, 2)
    p_t = t * sigmoid(z) + (1 - t) * (1 - sigmoid(z))
    weight = 1.0 if alpha is None else t * alpha + (1 - t) * (1 - alpha)
    return float(np.mean(weight * (1 - p_t) ** gamma * bce(z, t)))


CASES = [
    Case("focal", {}, lambda z, y, p, e: -((1 - p[y]) ** 2) * math.log(p[y])),
    Case("focal", {"gamma": 0.5, "alpha": 0.25}, lambda z, y, p, e: -0.25 * (1 - p[y]) ** 0.5 * math.log(p[y])),
    Case(
        "focal",
        {"alpha": WEIGHTS, "label_smoothing": 0.2},
        lambda z, y, p, e: -float(smoothed(e, 0.2, CLASSES) @ (np.array(WEIGHTS) * (1 - p) ** 2 * np.log(p))),
        soft=True,
    ),
    Case(
        "focal",
        {"stop_gradient": True},
        lambda z, y, p, e, at: -((1 - softmax(at)[y]) ** 2) * math.log(p[y]),
        held=True,
    ),
    Case("binary_focal_crossentropy", {}, lambda z, y, p, e: binary_focal(z, e, 2, None, 0)),
    Case(
        "binary_focal_crossentropy",
        {"gamma": 0.5, "apply_class_balancing": True, "label_smoothing": 0.2},
        lambda z, y, p, e: binary_focal(z, e, 0.5, 0.25, 0.2),
    ),
]
