"""Oracles of the focal family."""

import math

import numpy as np

from oracles.case import CLASSES, WEIGHTS, Array, Case, sigmoid, smoothed, softmax
from oracles.likelihood import bce


def binary_focal(z: Array, e: Array, gamma: float, alpha: float | None, epsilon: float) -> float:
    """Keras' definition."""
    t = smoothed(e, epsilon, 2)
    doubt = t * sigmoid(-z) + (1 - t) * sigmoid(z)
    weight = 1.0 if alpha is None else t * alpha + (1 - t) * (1 - alpha)
    return float(np.mean(weight * doubt**gamma * bce(z, t)))


def one_side(e: Array, hit: Array, miss: Array) -> Array:
    """The first where the class is the true one, else the second."""
    return np.where(e == 1, hit, miss)


def asymmetric(z: Array, e: Array, gammas: tuple[float, float], clip: float) -> float:
    """The asymmetric loss with its probability shifted."""
    s, certain = sigmoid(z), np.minimum(sigmoid(-z) + clip, 1)
    r = np.maximum(s - clip, 0)
    return float(-np.mean(one_side(e, sigmoid(-z) ** gammas[0] * np.log(s), r ** gammas[1] * np.log(certain))))


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
    Case("binary_focal_crossentropy", {}, lambda z, y, p, e: binary_focal(z, e, 2, None, 0), soft=True),
    Case(
        "binary_focal_crossentropy",
        {"gamma": 0.5, "apply_class_balancing": True, "label_smoothing": 0.2},
        lambda z, y, p, e: binary_focal(z, e, 0.5, 0.25, 0.2),
        soft=True,
    ),
    Case("asymmetric", {}, lambda z, y, p, e: asymmetric(z, e, (1, 4), 0.05)),
    Case(
        "asymmetric",
        {"gamma_pos": 0.5, "gamma_neg": 0.5, "clip": 0},
        lambda z, y, p, e: asymmetric(z, e, (0.5, 0.5), 0),
    ),
    Case(
        "asymmetric_single_label",
        {},
        lambda z, y, p, e: -float(one_side(e, 1, p**4) * smoothed(e, 0.1, CLASSES) @ np.log(p)),
    ),
    Case(
        "asymmetric_single_label",
        {"gamma_pos": 2, "gamma_neg": 0.5, "label_smoothing": 0.4},
        lambda z, y, p, e: -float(one_side(e, (1 - p) ** 2, p**0.5) * smoothed(e, 0.4, CLASSES) @ np.log(p)),
    ),
]
