"""Oracles of the losses that weigh classes."""

import math

import numpy as np

from oracles.case import CLASSES, COUNTS, WEIGHTS, Case, sigmoid, softmax

SCALE = 16.0
UNIFORM = np.random.default_rng(3).random((12, CLASSES))
SEEN = np.array([900.0, 300.0, 100.0, 7.0, 0.0])


def effective(beta):
    """Cui 2019: the inverse of 1 + β + β² + … of n_j terms, scaled to sum C."""
    weights = np.array([1 / sum(beta**i for i in range(int(count))) for count in COUNTS])
    return CLASSES * weights / weights.sum()


def ldam(z, y, max_margin):
    """Cao 2019, equation 13."""
    margin = max_margin * (COUNTS.min() / COUNTS[y]) ** 0.25
    lead = np.delete(z, y) - (z[y] - SCALE * margin)
    return math.log1p(np.exp(lead).sum())


def equalization(z, y, draws, threshold, probability):
    """Tan 2020, equation 9: w_k = 1 - β T(f_k) (1 - y_k)."""
    losses = []
    for image, label, draw in zip(z, y, draws, strict=True):
        beta, rare = draw < probability, threshold * COUNTS.sum() > COUNTS
        weights = [1 - beta[k] * rare[k] * (k != label) for k in range(CLASSES)]
        losses.append(-math.log(math.exp(image[label]) / (weights @ np.exp(image))))
    return np.array(losses)


def seesaw(z, y, held, p, q):
    """Wang 2021, equations 3 to 7, pair by pair, with the counts of this batch added first."""
    seen = np.maximum(SEEN + np.bincount(y, minlength=CLASSES), 1)
    losses = []
    for image, i, sigma in zip(z, y, softmax(held), strict=True):
        mitigation = [min(1, seen[j] / seen[i]) ** p for j in range(CLASSES)]
        compensation = [max(1, sigma[j] / sigma[i]) ** q for j in range(CLASSES)]
        total = sum(mitigation[j] * compensation[j] * math.exp(image[j]) for j in range(CLASSES))
        losses.append(-math.log(math.exp(image[i]) / total))
    return np.array(losses)


LDAM = {"head_scale": SCALE, "epoch": 7}
CASES = [
    Case("weighted_crossentropy", {}, lambda z, y, p, e: -150 / (CLASSES * COUNTS[y]) * math.log(p[y])),
    Case(
        "weighted_crossentropy",
        {"class_weight": "complement_frequency"},
        lambda z, y, p, e: -(1 - COUNTS[y] / 150) * math.log(p[y]),
    ),
    Case("weighted_crossentropy", {"class_weight": "none"}, lambda z, y, p, e: -math.log(p[y])),
    Case("weighted_crossentropy", {"class_weight": WEIGHTS}, lambda z, y, p, e: -WEIGHTS[y] * math.log(p[y])),
    Case("class_balanced", {}, lambda z, y, p, e: -effective(0.999)[y] * math.log(p[y])),
    Case(
        "class_balanced",
        {"beta": 0.9, "base": "focal", "gamma": 3},
        lambda z, y, p, e: -effective(0.9)[y] * (1 - p[y]) ** 3 * math.log(p[y]),
    ),
    Case(
        "class_balanced",
        {"base": "bce"},
        lambda z, y, p, e: effective(0.999)[y] * -np.log(np.where(e, sigmoid(z), sigmoid(-z))).mean(),
    ),
    Case("class_balanced", {"beta": 0}, lambda z, y, p, e: -math.log(p[y])),
    Case("ldam", {}, lambda z, y, p, e: ldam(z, y, 0.5), LDAM),
    Case("ldam", {"max_margin": 0.2, "drw_epoch": 8}, lambda z, y, p, e: ldam(z, y, 0.2), LDAM),
    Case("ldam", {"drw_epoch": 7}, lambda z, y, p, e: effective(0.9999)[y] * ldam(z, y, 0.5), LDAM),
    Case(
        "equalization",
        {"threshold": 0.25},
        lambda z, y, p, e: equalization(z, y, UNIFORM, 0.25, 0.9),
        {"uniform": UNIFORM},
        batch=True,
    ),
    Case(
        "equalization",
        {"threshold": 0.15, "probability": 0.5},
        lambda z, y, p, e: equalization(z, y, UNIFORM, 0.15, 0.5),
        {"uniform": UNIFORM},
        batch=True,
    ),
    Case("equalization", {"probability": 0}, lambda z, y, p, e: -math.log(p[y]), {"uniform": UNIFORM}),
    Case(
        "seesaw",
        {},
        lambda z, y, p, e, held: seesaw(z, y, held, 0.8, 2),
        batch=True,
        held=True,
        states={"0.seen": SEEN},
    ),
    Case(
        "seesaw",
        {"p": 2, "q": 0.5},
        lambda z, y, p, e, held: seesaw(z, y, held, 2, 0.5),
        batch=True,
        held=True,
        states={"0.seen": SEEN},
    ),
    Case("seesaw", {"p": 0, "q": 0}, lambda z, y, p, e: -math.log(p[y]), states={"0.seen": SEEN}),
]
