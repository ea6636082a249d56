"""Oracles of the losses that move logits by how often classes occur."""

import math

import numpy as np

from oracles.case import COUNTS, Case


def shifted(z, y, gamma, tau):
    """Kini 2021, equation 5: exponentials of Δ_j z_j + ι_j, with Δ_j = (n_j / n_max)^γ and ι_j = τ log π_j."""
    exponentials = np.exp((COUNTS / COUNTS.max()) ** gamma * z) * (COUNTS / COUNTS.sum()) ** tau
    return -math.log(exponentials[y] / exponentials.sum())


CASES = [
    Case("logit_adjustment", {}, lambda z, y, p, e: -math.log(COUNTS[y] * p[y] / (COUNTS @ p))),
    Case("logit_adjustment", {"tau": 2.5}, lambda z, y, p, e: shifted(z, y, 0, 2.5)),
    Case("logit_adjustment", {"tau": 0}, lambda z, y, p, e: -math.log(p[y])),
    Case("vs", {}, lambda z, y, p, e: shifted(z, y, 0.3, 1)),
    Case("vs", {"gamma": 1.5, "tau": 0.5}, lambda z, y, p, e: shifted(z, y, 1.5, 0.5)),
    Case("vs", {"gamma": 0}, lambda z, y, p, e: shifted(z, y, 0, 1)),
]
