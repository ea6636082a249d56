"""Detectable differences and needed seeds agree with each other and with simulation."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from lossbench import statistics


@pytest.mark.parametrize("comparisons", [1, 6])
def test_seeds_needed_and_detectable_agree(comparisons: int) -> None:
    """This number of seeds shows the difference and one fewer does not; both t quantiles come from SciPy."""
    needed = statistics.seeds_needed(0.5, 1.0, comparisons)
    assert needed is not None
    assert statistics.detectable(1.0, needed, comparisons) <= 0.5 < statistics.detectable(1.0, needed - 1, comparisons)
    quantiles = stats.t.ppf([1 - 0.05 / (2 * comparisons), 0.8], needed - 1).sum()
    assert statistics.detectable(1.0, needed, comparisons) == pytest.approx(quantiles / math.sqrt(needed))
    assert statistics.seeds_needed(100.0, 1.0, comparisons) == statistics.fewest_seeds(comparisons)
    assert statistics.seeds_needed(1e-6, 1.0, comparisons) is None


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    """The t-test's true power at that difference, by the noncentral t, lies near 0.8."""
    for seeds in (6, 10, 30):
        shift = statistics.detectable(1.0, seeds, 1) * math.sqrt(seeds)
        power = 1 - stats.nct.cdf(stats.t.ppf(0.975, seeds - 1), seeds - 1, shift)
        assert power == pytest.approx(0.8, abs=0.03)
