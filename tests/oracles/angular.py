"""Oracles of the margins between angles: the logits are s cos θ, and the oracles work with the angles themselves."""

import math

import numpy as np

from oracles.case import Case

SCALE = 16.0


def with_margin(z, y, margined):
    """Cross-entropy of s cos θ, the true class's cosine replaced by a function of its angle."""
    cosines = z / SCALE
    cosines[y] = margined(math.acos(cosines[y]))
    return np.logaddexp.reduce(SCALE * (cosines - cosines[y]))


def psi(theta, m):
    """Liu 2017: (-1)^k cos(mθ) - 2k on [kπ/m, (k+1)π/m]."""
    k = next(k for k in range(m) if theta <= (k + 1) * math.pi / m)
    return (-1) ** k * math.cos(m * theta) - 2 * k


HEAD = {"head_scale": SCALE}
CASES = [
    Case("arcface", {}, lambda z, y, p, e: with_margin(z, y, lambda theta: math.cos(theta + 0.5)), HEAD),
    Case("arcface", {"margin": 1.2}, lambda z, y, p, e: with_margin(z, y, lambda theta: math.cos(theta + 1.2)), HEAD),
    Case("cosface", {}, lambda z, y, p, e: with_margin(z, y, lambda theta: math.cos(theta) - 0.35), HEAD),
    Case("cosface", {"margin": 0}, lambda z, y, p, e: -math.log(p[y]), HEAD),
    Case("sphereface", {}, lambda z, y, p, e: with_margin(z, y, lambda theta: psi(theta, 4)), HEAD),
    Case("sphereface", {"margin": 3}, lambda z, y, p, e: with_margin(z, y, lambda theta: psi(theta, 3)), HEAD),
    Case("sphereface", {"margin": 1}, lambda z, y, p, e: -math.log(p[y]), HEAD),
    Case("normalized_softmax", {}, lambda z, y, p, e: -math.log(p[y]), HEAD),
]
