"""Correction of p-values for the number of comparisons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA = 0.05
"""Largest adjusted p at which a verdict is given."""

ROUNDING = 1e-12


def holm(p_values: Sequence[float]) -> list[float]:
    """Compute Holm's adjusted p-values: for the k-th smallest of m, min(1, max over j ≤ k of (m - j + 1) p_j).

    Source: Holm (1979). A simple sequentially rejective multiple test procedure. jstor:4615733.

    Args:
        p_values: `[m]`.

    Returns:
        `[m]`, in the same order.
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, dtype=np.float64)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(scaled))
    return [float(value) for value in adjusted]


def fewest_seeds(comparisons: int) -> int:
    """Compute the fewest seeds with which Holm's p can reach 0.05 among m comparisons: ⌈1 + log₂(m / 0.05)⌉.

    With fewer, even differences that all have one sign do not reach it, as the smallest p of n sign flips is 2 / 2ⁿ.
    """
    return math.ceil(1 + math.log2(max(1, comparisons) / ALPHA) - ROUNDING)
