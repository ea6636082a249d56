"""Oracles of the losses that change while training; what they remember is no part of the gradient."""

import numpy as np

from oracles.case import CLASSES, Case, log_softmax, softmax

MEMORY = 0.6 * np.random.default_rng(8).dirichlet(np.ones(CLASSES), 12)
KEPT = np.array([1.0, 0.0, 1.0] * 4)


def elr(p, y, held, memory, beta, weight):
    """Liu 2020, equation 6, with the authors' clipping; the new memory is that of the predictions as they are."""
    clipped = np.clip(softmax(held), 1e-4, 1 - 1e-4)
    remembered = beta * memory + (1 - beta) * clipped / clipped.sum(axis=-1, keepdims=True)
    agreement = (remembered * np.clip(p, 1e-4, 1 - 1e-4)).sum(axis=-1)
    return -np.log(p[np.arange(len(y)), y]) + weight * np.log(1 - agreement)


def lq(p, q):
    """Zhang & Sabuncu 2018, equation 6."""
    return (1 - p**q) / q


def truncated(p, y, kept, q, k):
    """Zhang & Sabuncu 2018, equation 10: v L_q(f) + (1 - v) L_q(k)."""
    return kept * lq(p[np.arange(len(y)), y], q) + (1 - kept) * lq(k, q)


def believed(p, y, k):
    """Which images are kept where they are judged."""
    return np.array([p[i, label] > k for i, label in enumerate(y)], dtype=float)


def sparse(z, y, tau, p, weight):
    """Zhou 2021, equation 8, for one image."""
    sharp = softmax(z / tau)
    return -log_softmax(z / tau)[y] + weight * sum(share**p for share in sharp)


CASES = [
    Case(
        "elr",
        {},
        lambda z, y, p, e, held: elr(p, y, held, MEMORY, 0.7, 3),
        batch=True,
        held=True,
        states={"0.memory": MEMORY},
    ),
    Case(
        "elr",
        {"beta": 0.2, "regularization_weight": 7},
        lambda z, y, p, e, held: elr(p, y, held, 0 * MEMORY, 0.2, 7),
        batch=True,
        held=True,
        states={"0.memory": 0 * MEMORY},
    ),
    Case(
        "truncated_gce",
        {},
        lambda z, y, p, e: truncated(p, y, KEPT, 0.7, 0.5),
        {"epoch": 39},
        batch=True,
        states={"0.kept": KEPT},
    ),
    Case(
        "truncated_gce",
        {"q": 0.3, "k": 0.2, "start_epoch": 2, "every": 3},
        lambda z, y, p, e, held: truncated(p, y, believed(softmax(held), y, 0.2), 0.3, 0.2),
        {"epoch": 5},
        batch=True,
        held=True,
        states={"0.kept": KEPT},
    ),
    Case("sparse_regularization", {}, lambda z, y, p, e: sparse(z, y, 0.1, 0.1, 4), {"epoch": 4}),
    Case("sparse_regularization", {}, lambda z, y, p, e: sparse(z, y, 0.1, 0.1, 16), {"epoch": 12}),
    Case(
        "sparse_regularization",
        {"tau": 2, "p": 0.5, "regularization_weight": 1, "rho": 1.5, "every": 1},
        lambda z, y, p, e: sparse(z, y, 2, 0.5, 2.25),
        {"epoch": 2},
    ),
]
