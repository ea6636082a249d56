"""Detectable differences and needed seeds agree with each other and with simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lossbench import statistics


@pytest.mark.parametrize("comparisons", [1, 6])
def test_seeds_needed_and_detectable_agree(comparisons: int) -> None:
    """This number of seeds shows the difference and one fewer does not; both t quantiles come from SciPy."""
    needed = statistics.seeds_needed(0.5, 1.0, comparisons)
    assert needed is not None
    assert statistics.detectable(1.0, needed, comparisons) <= 0.5 < statistics.detectable(1.0, needed - 1, comparisons)
    level = math.floor(0.05 * 2 ** (needed - 1)) / 2 ** (needed - 1)
    quantiles = stats.t.ppf([1 - level / (2 * comparisons), 0.8], needed - 1).sum()
    assert statistics.detectable(1.0, needed, comparisons) == pytest.approx(quantiles / math.sqrt(needed))
    assert statistics.seeds_needed(100.0, 1.0, comparisons) == 6
    assert statistics.seeds_needed(1e-6, 1.0, comparisons) is None


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    """The t-test's true power at that difference, by the noncentral t, lies near 0.8."""
    for seeds in (6, 10, 30):
        shift = statistics.detectable(1.0, seeds, 1) * math.sqrt(seeds)
        level = math.floor(0.05 * 2 ** (seeds - 1)) / 2 ** (seeds - 1)
        power = 1 - stats.nct.cdf(stats.t.ppf(1 - level / 2, seeds - 1), seeds - 1, shift)
        assert power == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("comparisons", [1, 20])
def test_max_t_finds_the_detectable_difference(comparisons: int) -> None:
    """In 300 simulated families of ten seeds, normal numbers, between 70 and 90 % of the time."""
    generator = np.random.default_rng(comparisons)
    shift = statistics.detectable(1.0, 10, comparisons)
    found = 0
    for _ in range(300):
        table = generator.normal(0, 1, (10, comparisons))
        table[:, 0] += shift
        found += statistics.max_t(table).adjusted[0] <= 0.05
    assert 0.7 <= found / 300 <= 0.9
