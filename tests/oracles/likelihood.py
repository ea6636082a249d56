"""Oracles of the likelihoods."""

import math
from typing import Any

import numpy as np

from oracles.case import CLASSES, WEIGHTS, Array, Case, others, sigmoid, smoothed


def bce(z: Array, t: Array, weight: Any = 1.0) -> Array:
    """Binary cross-entropy of each class."""
    return -weight * t * np.log(sigmoid(z)) - (1 - t) * np.log(sigmoid(-z))


def ldr_kl(z: Array, y: int, temperature: float, margin: float) -> float:
    """The mean of exponentials, written out."""
    positive = np.log1p(np.exp(z))
    s = positive / positive.mean()
    terms = [math.exp(((j != y) * margin + s[j] - s[y]) / temperature) for j in range(len(z))]
    return temperature * math.log(sum(terms) / len(z))


CASES = [
    Case("categorical_crossentropy", {}, lambda z, y, p, e: -math.log(p[y])),
    Case(
        "categorical_crossentropy",
        {"label_smoothing": 0.2},
        lambda z, y, p, e: -float(smoothed(e, 0.2, CLASSES) @ np.log(p)),
        soft=True,
    ),
    Case("binary_crossentropy", {}, lambda z, y, p, e: bce(z, e).mean(), soft=True),
    Case(
        "binary_crossentropy",
        {"label_smoothing": 0.2, "pos_weight": 3},
        lambda z, y, p, e: bce(z, smoothed(e, 0.2, 2), 3).mean(),
        soft=True,
    ),
    Case(
        "binary_crossentropy",
        {"pos_weight": WEIGHTS},
        lambda z, y, p, e: bce(z, e, np.array(WEIGHTS)).mean(),
        soft=True,
    ),
    Case("kl_divergence", {}, lambda z, y, p, e: -math.log(p[y])),
    Case(
        "kl_divergence",
        {"label_smoothing": 0.2},
        lambda z, y, p, e: sum(t * math.log(t / q) for t, q in zip(smoothed(e, 0.2, CLASSES), p, strict=True)),
        soft=True,
    ),
    Case("poisson", {}, lambda z, y, p, e: (p - e * np.log(p)).mean(), soft=True),
    Case("squentropy", {}, lambda z, y, p, e: -math.log(p[y]) + (others(z, y) ** 2).mean()),
    Case("poly1_crossentropy", {}, lambda z, y, p, e: -math.log(p[y]) + (1 - p[y])),
    Case("poly1_crossentropy", {"epsilon": -0.5}, lambda z, y, p, e: -math.log(p[y]) - 0.5 * (1 - p[y])),
    Case("taylor_crossentropy", {}, lambda z, y, p, e: (1 - p[y]) + (1 - p[y]) ** 2 / 2),
    Case("taylor_crossentropy", {"order": 6}, lambda z, y, p, e: sum((1 - p[y]) ** i / i for i in range(1, 7))),
    Case("alpha_loss", {}, lambda z, y, p, e: 3 * (1 - p[y] ** (1 / 3))),
    Case("alpha_loss", {"alpha": 1}, lambda z, y, p, e: -math.log(p[y])),
    Case("alpha_loss", {"alpha": 0.5}, lambda z, y, p, e: 1 / p[y] - 1),
    Case("ldr_kl", {}, lambda z, y, p, e: ldr_kl(z, y, 1, 0.1)),
    Case("ldr_kl", {"temperature": 0.3, "margin": 2}, lambda z, y, p, e: ldr_kl(z, y, 0.3, 2)),
]
