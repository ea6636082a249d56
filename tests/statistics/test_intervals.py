"""Intervals and Welch's test equal those of SciPy, of an analysis of variance, and of a published table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lossbench import statistics
from lossbench.statistics import Interval

RANDOM = np.random.default_rng(7)
SAMPLES = [RANDOM.normal(0.1, scale, size) for size in (2, 3, 5, 10, 40) for scale in (1e-3, 1.0)]


@pytest.mark.parametrize("values", SAMPLES, ids=len)
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_the_t_interval_is_scipys(values: np.ndarray, confidence: float) -> None:
    """`scipy.stats.t.interval` and `ttest_1samp` give the same ends."""
    actual = statistics.t_interval(values, confidence)
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert actual == pytest.approx(stats.t.interval(confidence, len(values) - 1, values.mean(), error), rel=1e-10)
    assert actual == pytest.approx(tuple(stats.ttest_1samp(values, 0).confidence_interval(confidence)), rel=1e-10)


def test_a_published_interval() -> None:
    """Darwin's maize (Fisher 1935, section 17): 15 pairs, mean 20.93 eighths of an inch, 95 % from 0.03 to 41.84."""
    differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert np.mean(differences) == pytest.approx(20.933, abs=5e-4)
    assert statistics.t_interval(differences) == pytest.approx((0.03, 41.84), abs=5e-3)


def test_one_value_has_no_interval() -> None:
    """Nor a standard deviation."""
    assert statistics.t_interval([0.5]) is None
    assert statistics.deviation([0.5]) is None


@pytest.mark.parametrize("sizes", [(2, 2), (3, 10), (40, 5)])
def test_welch_is_scipys(sizes: tuple[int, int]) -> None:
    """P and the ends of the interval."""
    first, second = (np.random.default_rng(size).normal(size, size, size) for size in sizes)
    expected = stats.ttest_ind(first, second, equal_var=False)
    actual = statistics.welch(list(first), list(second), 0.9)
    assert actual.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert actual.interval == pytest.approx(tuple(expected.confidence_interval(0.9)), rel=1e-9)


def test_welch_at_its_ends() -> None:
    """One run on a side tells nothing; without any scatter a difference is certain."""
    assert statistics.welch([1.0], [2.0, 3.0]) == (None, None)
    assert statistics.welch([1.0, 1.0], [2.0, 2.0]) == (Interval(-1, -1), 0.0)
    assert statistics.welch([2.0, 2.0], [2.0, 2.0]) == (Interval(0, 0), 1.0)


def test_the_crossed_interval_by_analysis_of_variance() -> None:
    """Mean squares of a two-way layout, computed cell by cell, give variance and degrees of freedom."""
    table = np.random.default_rng(1).normal(size=(5, 40)) + np.random.default_rng(2).normal(size=(5, 1))
    seeds, images = table.shape
    mean = table.mean()
    rows = sum(images * (table[s].mean() - mean) ** 2 for s in range(seeds)) / (seeds - 1)
    columns = sum(seeds * (table[:, i].mean() - mean) ** 2 for i in range(images)) / (images - 1)
    rest = sum(
        (table[s, i] - table[s].mean() - table[:, i].mean() + mean) ** 2 for s in range(seeds) for i in range(images)
    ) / ((seeds - 1) * (images - 1))
    total = rows + max(columns, rest) - rest
    freedom = total**2 / (rows**2 / (seeds - 1) + columns**2 / (images - 1) + rest**2 / ((seeds - 1) * (images - 1)))
    half = stats.t.ppf(0.975, freedom) * math.sqrt(total / (seeds * images))
    assert statistics.two_way_interval(table) == pytest.approx((mean - half, mean + half))


def test_the_crossed_interval_at_its_ends() -> None:
    """One seed tells nothing about seeds; without any scatter the difference is certain."""
    assert statistics.two_way_interval(np.ones((1, 10))) is None
    assert statistics.two_way_interval(np.zeros((3, 10))) == (0.0, 0.0)
