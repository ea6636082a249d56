"""Sign-flip test of paired differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.statistics.intervals import Floats

EXACT = 16
"""Up to this number of differences all assignments of signs are counted, at most 2^16."""

DRAWS = 2**16 - 1
BLOCK = 8
"""Random signs are drawn for this number of differences at once, from all 2^8 assignments."""

ROUNDING = 1e-12


def sign_flip(differences: Sequence[float] | Floats, generator: np.random.Generator) -> float:
    """Compute the two-sided p of a zero mean: the share of sign vectors σ with |Σ σ d| ≥ |Σ d|.

    Exact up to 16 differences, where all 2ⁿ sign vectors are counted; above, (1 + hits) / (1 + draws) of 65,535 random
    ones.

    Source: Fisher (1935). The design of experiments. Section 21.

    Args:
        differences: `[n]`.
        generator: Source of the random signs above 16 differences.
    """
    values = np.asarray(differences, dtype=np.float64)
    least = abs(values.sum()) - ROUNDING * np.abs(values).sum()
    if len(values) <= EXACT:
        return float(np.mean(np.abs(_signed_sums(values)) >= least))
    parts = [_signed_sums(values[start : start + BLOCK]) for start in range(0, len(values), BLOCK)]
    sampled_sums = np.sum([generator.choice(sums, DRAWS) for sums in parts], axis=0)
    return float((1 + np.sum(np.abs(sampled_sums) >= least)) / (1 + DRAWS))


def _signed_sums(values: Floats) -> Floats:
    """Compute Σ ± x for every assignment of signs: `[n]` to `[2ⁿ]`."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums
