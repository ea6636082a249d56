"""Oracles of the losses that make cross-entropy less steep or less trusting."""

import math

import numpy as np

from oracles.case import CLASSES, Array, Case, log_softmax, smoothed


def phuber_gce(p: float, q: float, tau: float) -> float:
    """Straight below the point where the slope p^(q-1) is τ."""
    k = tau ** (1 / (q - 1))
    return (1 - p**q) / q if p > k else (1 - k**q) / q + tau * (k - p)


def tempered_exp(x: Array, t: float) -> Array:
    """The inverse of the tempered logarithm."""
    return np.exp(x) if t == 1 else np.maximum(0, 1 + (1 - t) * x) ** (1 / (1 - t))


def tempered_log(x: Array, t: float) -> Array:
    """(x^(1-t) - 1) / (1-t)."""
    return np.log(x) if t == 1 else (x ** (1 - t) - 1) / (1 - t)


def tempered_softmax(z: Array, t: float) -> Array:
    """Normalised by bisection on λ, where the paper iterates."""
    low, high = z.max(), z.max() + 60.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if tempered_exp(z - middle, t).sum() > 1 else (low, middle)
    return tempered_exp(z - high, t)


def bi_tempered(z: Array, e: Array, t1: float, t2: float) -> float:
    """The Bregman divergence of Amid et al. 2019, with 0·log 0 = 0."""
    q = tempered_softmax(z, t2)
    entropy = sum(x * tempered_log(x, t1) for x in e if x)
    return entropy - e @ tempered_log(q, t1) - (e ** (2 - t1) - q ** (2 - t1)).sum() / (2 - t1)


def decision(p: Array) -> Array:
    """One-hot of the most likely class."""
    return np.eye(len(p))[p.argmax()]


def clipped(z: Array, tau: float, order: float) -> Array:
    """The logits, shortened to the norm τ."""
    return z * min(1, tau / np.linalg.norm(z, order))


CASES = [
    Case("phuber_crossentropy", {}, lambda z, y, p, e: -math.log(p[y]) if p[y] > 0.1 else 1 + math.log(10) - 10 * p[y]),
    Case(
        "phuber_crossentropy",
        {"tau": 2},
        lambda z, y, p, e: -math.log(p[y]) if p[y] > 0.5 else 1 + math.log(2) - 2 * p[y],
    ),
    Case("phuber_generalized_crossentropy", {}, lambda z, y, p, e: phuber_gce(p[y], 0.7, 10)),
    Case("phuber_generalized_crossentropy", {"q": 0.2, "tau": 3}, lambda z, y, p, e: phuber_gce(p[y], 0.2, 3)),
    Case("bi_tempered_logistic", {"num_iters": 30}, lambda z, y, p, e: bi_tempered(z, e, 0.8, 1.2), soft=True),
    Case(
        "bi_tempered_logistic",
        {"t1": 0, "t2": 3, "num_iters": 100},
        lambda z, y, p, e: bi_tempered(z, e, 0, 3),
        soft=True,
    ),
    Case(
        "bi_tempered_logistic",
        {"t1": 1, "t2": 1.5, "num_iters": 60, "label_smoothing": 0.2},
        lambda z, y, p, e: bi_tempered(z, smoothed(e, 0.2, CLASSES), 1, 1.5),
        soft=True,
    ),
    Case("bootstrap_soft", {}, lambda z, y, p, e: -(0.95 * e + 0.05 * p) @ np.log(p), soft=True),
    Case("bootstrap_soft", {"beta": 0.3}, lambda z, y, p, e: -(0.3 * e + 0.7 * p) @ np.log(p), soft=True),
    Case("bootstrap_hard", {}, lambda z, y, p, e: -(0.8 * e + 0.2 * decision(p)) @ np.log(p), soft=True),
    Case("bootstrap_hard", {"beta": 0.3}, lambda z, y, p, e: -(0.3 * e + 0.7 * decision(p)) @ np.log(p), soft=True),
    Case("eps_softmax_ce", {}, lambda z, y, p, e: -e @ np.log((p + 1e5 * decision(p)) / (1 + 1e5)), soft=True),
    Case("eps_softmax_ce", {"m": 0.5}, lambda z, y, p, e: -e @ np.log((p + decision(p) / 2) / 1.5), soft=True),
    Case("logit_clip", {}, lambda z, y, p, e: -e @ log_softmax(clipped(z, 1, 2)), soft=True),
    Case("logit_clip", {"tau": 4, "p": 1.5}, lambda z, y, p, e: -e @ log_softmax(clipped(z, 4, 1.5)), soft=True),
    Case(
        "logit_clip",
        {"tau": 3, "base": "focal"},
        lambda z, y, p, e: -((1 - np.exp(log_softmax(clipped(z, 3, 2))[y])) ** 2) * log_softmax(clipped(z, 3, 2))[y],
    ),
    Case(
        "logit_clip",
        {"tau": 3, "p": 8, "base": "gce"},
        lambda z, y, p, e: (1 - np.exp(0.7 * log_softmax(clipped(z, 3, 8))[y])) / 0.7,
    ),
]
