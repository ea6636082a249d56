"""Expected best score of a search with fewer trials, estimated without bias from the scores of all of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def expected_best(gains: Sequence[float]) -> NDArray[np.float64]:
    """Compute the mean of the best of k scores over all subsets of k of n scores, for k = 1 … n.

    E_k = Σ_i C(i - 1, k - 1) / C(n, k) · v_(i), v_(i) the i-th smallest score. If the n trials are independent, this
    is the unbiased estimator of the expected best of k trials with the smallest variance.

    Source: Tang et al. (2020). Showing your work doesn't always work. arXiv:2004.13705.

    Args:
        gains: Scores, higher is better; -inf for a trial without one, which is worse than every other.

    Returns:
        `[n]`; -inf where a subset may have no score.

    Example:
        >>> expected_best([1.0, 2.0, 4.0]).round(2).tolist()
        [2.33, 3.33, 4.0]
    """
    ordered = sorted(gains)
    number = len(ordered)
    best = np.empty(number)
    for size in range(1, number + 1):
        weights = [math.comb(rank, size - 1) / math.comb(number, size) for rank in range(number)]
        best[size - 1] = sum(weight * gain for weight, gain in zip(weights, ordered, strict=True) if weight)
    return best
