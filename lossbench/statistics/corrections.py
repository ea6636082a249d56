"""Correction of p-values for the number of comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA = 0.05
"""Largest adjusted p at which a verdict is given."""

FEWEST_SEEDS = 6
"""The fewest seeds with which the p of sign flips can reach 0.05: the smallest of n seeds is 2 / 2ⁿ."""


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
