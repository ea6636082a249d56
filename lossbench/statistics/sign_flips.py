"""Sign-flip test of paired differences, adjusted for a family of comparisons by step-down max-T."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from lossbench.statistics.intervals import Floats

EXACT = 16
"""Up to this number of seeds all 2ⁿ assignments of signs are counted."""

DRAWS = 2**16 - 1
RANDOM_SEED = 0
"""Seed of the random signs above 16 seeds, so that the same differences give the same p."""

CHUNK = 2**12
"""Sign vectors whose statistics are in memory at once."""

ROUNDING = 1e-12


class FlipTest(NamedTuple):
    """Two-sided p of each comparison, alone and adjusted for the family; both `[comparisons]`."""

    p: Floats
    adjusted: Floats


def max_t(differences: Floats) -> FlipTest:
    """Test a family of comparisons for a zero mean by sign flips and step-down max-T.

    A sign vector σ has one sign per seed, the same for all comparisons, so that their correlation is kept:

        T(σ, l) = |Σ_s σ_s d_sl| / √(Σ_s d_sl²)

    The p of a comparison is the share of sign vectors with T(σ, l) ≥ T(1, l). With the comparisons in descending order
    of T(1, l), the adjusted p of l is the share with max over k ≥ l of T(σ, k) ≥ T(1, l), and at least that of the
    comparison before. Up to 16 seeds all sign vectors are counted; above, 65,535 random ones and the identity.

    Source: Fisher (1935). The design of experiments. Section 21.
    Source: Westfall & Young (1993). Resampling-based multiple testing. ISBN 978-0-471-55761-6.
    Source: Romano & Wolf (2005). Exact and approximate stepdown methods for multiple hypothesis testing.
    doi:10.1198/016214504000000539.

    Args:
        differences: `[seeds, comparisons]`; NaN where a comparison lacks a seed.

    Returns:
        p and adjusted p; 1 for a comparison without a difference.

    Example:
        >>> max_t(np.array([[1.0, 0.1], [1.2, -0.1], [0.9, 0.2]])).adjusted
        array([0.25, 1.  ])
    """
    unit = unit_columns(np.nan_to_num(np.asarray(differences, dtype=np.float64)))
    observed = np.abs(unit.sum(axis=0)) - ROUNDING
    ascending = np.argsort(observed, kind="stable")
    alone, with_smaller = np.zeros(len(ascending)), np.zeros(len(ascending))
    signs = sign_vectors(len(unit))
    for start in range(0, len(signs), CHUNK):
        flipped = np.abs(signs[start : start + CHUNK] @ unit)[:, ascending]
        alone += (flipped >= observed[ascending]).sum(axis=0)
        with_smaller += (np.maximum.accumulate(flipped, axis=1) >= observed[ascending]).sum(axis=0)
    p, adjusted = np.empty(len(ascending)), np.empty(len(ascending))
    p[ascending] = alone / len(signs)
    adjusted[ascending] = np.maximum.accumulate(with_smaller[::-1])[::-1] / len(signs)
    return FlipTest(p, adjusted)


@lru_cache(maxsize=4)
def sign_vectors(seeds: int) -> Floats:
    """Return the sign vectors of a number of seeds, the identity first.

    Returns:
        `[2^seeds, seeds]` up to 16 seeds, else `[65,536, seeds]` at random; every entry 1 or -1.
    """
    if seeds <= EXACT:
        bits = np.arange(2**seeds)[:, None] >> np.arange(seeds) & 1
        return np.asarray(1 - 2 * bits, dtype=np.float64)
    random = np.random.default_rng(RANDOM_SEED).integers(0, 2, (DRAWS, seeds))
    return np.concatenate([np.ones((1, seeds)), 1 - 2 * random])


def unit_columns(differences: Floats) -> Floats:
    """Divide each column by its length √(Σ d²); a column of zeros remains zero."""
    lengths = np.sqrt(np.square(differences).sum(axis=0))
    return differences / np.where(lengths > 0, lengths, 1)
