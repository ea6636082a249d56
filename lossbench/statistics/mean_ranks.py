"""Mean ranks of losses over conditions, and the difference between two of them that chance rarely reaches."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossbench.statistics.intervals import Floats

DRAWS = 2**14
"""Rankings from which a critical difference is computed: all, or this number of random ones if there are more."""

CHUNK = 2**10
RANDOM_SEED = 0
"""Seed of the random rankings, so that the same comparison has the same critical difference."""


def mean_ranks(scores: Floats) -> Floats:
    """Rank losses within each condition, and average over conditions.

    Args:
        scores: `[conditions, losses]`; higher is better; -inf for a loss that failed.

    Returns:
        `[losses]`; 1 is the best. Equal scores share the mean of their ranks.

    Example:
        >>> mean_ranks(np.array([[0.9, 0.8, 0.7], [0.7, 0.8, 0.7]]))
        array([1.75, 1.5 , 2.75])
    """
    higher = (scores[:, None, :] > scores[:, :, None]).sum(axis=2)
    equal = (scores[:, None, :] == scores[:, :, None]).sum(axis=2)
    ranks: Floats = (higher + (equal + 1) / 2).mean(axis=0)
    return ranks


@lru_cache
def critical_difference(conditions: int, losses: int, alpha: float) -> float:
    """Compute the difference of mean ranks from which two losses differ by Nemenyi's test.

    It is the smallest difference that the best and the worst of equal losses reach with probability at most α, so that
    all pairs may be compared with it. Its source approximates this by the studentised range, which is inaccurate for
    few conditions. Here, rankings of equal losses are counted: in each condition, every order is equally
    probable.

    Source: Demšar (2006). Statistical comparisons of classifiers over multiple data sets. jmlr.org/papers/v7.

    Args:
        conditions: Number of conditions.
        losses: Number of losses.
        alpha: α, in (0, 1).

    Returns:
        inf if no difference is that improbable.
    """
    is_exact = math.factorial(losses) ** max(1, conditions - 1) <= DRAWS
    ranges = _all_ranges(conditions, losses) if is_exact else _random_ranges(conditions, losses)
    reached = np.cumsum(np.bincount(ranges, minlength=conditions * (losses - 1) + 1)[::-1])[::-1]
    rare = np.flatnonzero(reached <= alpha * len(ranges))
    return int(rare[0]) / conditions if len(rare) else math.inf


def _all_ranges(conditions: int, losses: int) -> NDArray[np.int64]:
    """Return the difference between the largest and the smallest sum of ranks, for every ranking.

    The order of the first condition is fixed: other orders only rename the losses.
    """
    orders = np.array(list(itertools.permutations(range(losses))))
    sums = orders[:1]
    for _ in range(conditions - 1):
        sums = (sums[:, None] + orders).reshape(-1, losses)
    return _range(sums)


def _random_ranges(conditions: int, losses: int) -> NDArray[np.int64]:
    """Return the same for random rankings; `[DRAWS]`."""
    generator, shape = np.random.default_rng(RANDOM_SEED), (CHUNK, conditions, losses)
    orders = (np.argsort(generator.random(shape, dtype=np.float32), axis=2) for _ in range(DRAWS // CHUNK))
    return np.concatenate([_range(each.sum(axis=1)) for each in orders])


def _range(sums: NDArray[np.int64]) -> NDArray[np.int64]:
    ranges: NDArray[np.int64] = np.ptp(sums, axis=1)
    return ranges
