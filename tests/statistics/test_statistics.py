"""The statistics equal those of SciPy, of other ways to compute them, and of published tables."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lossbench import statistics
from lossbench.statistics import Interval

RANDOM = np.random.default_rng(7)
SAMPLES = [RANDOM.normal(0.1, scale, size) for size in (2, 3, 5, 10, 40) for scale in (1e-3, 1.0)]
VALUES = st.lists(st.floats(-1, 1).map(lambda x: round(x, 4)), min_size=1, max_size=8)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


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


def test_the_published_sign_flip() -> None:
    """Fisher's own example: of 32,768 assignments, 1,726 are as extreme (1935, section 21): p = 0.0527."""
    differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert statistics.sign_flip(differences, generator()) == 1726 / 32768


def test_one_value_has_no_interval() -> None:
    """Nor a standard deviation."""
    assert statistics.t_interval([0.5]) is None
    assert statistics.deviation([0.5]) is None


@given(VALUES)
def test_the_sign_flip_counts_every_assignment(values: list[float]) -> None:
    """Up to 8 differences, against all 2ⁿ products of signs."""
    total = abs(sum(values)) - 1e-9
    sums = [abs(sum(sign * value for sign, value in zip(signs, values, strict=True)))
            for signs in itertools.product((-1, 1), repeat=len(values))]  # fmt: skip
    close = sum(abs(each - total) < 2e-9 and each < total for each in sums)
    assert statistics.sign_flip(values, generator()) == pytest.approx(
        np.mean(np.array(sums) >= total) + close / len(sums)
    )


@pytest.mark.parametrize("size", [5, 12, 16])
def test_the_sign_flip_is_scipys(size: int) -> None:
    """`scipy.stats.permutation_test` with permuted signs, every assignment."""
    values = np.random.default_rng(size).normal(0.4, 1, size)
    expected = stats.permutation_test((values,), np.sum, permutation_type="samples", n_resamples=2**size)
    assert statistics.sign_flip(values, generator()) == pytest.approx(expected.pvalue, abs=1e-12)


@pytest.mark.parametrize("size", [17, 30, 100])
def test_above_16_signs_are_drawn(size: int) -> None:
    """The share of random assignments is near the t-test's p, the same each time, and never 0."""
    values = np.random.default_rng(size).normal(0.3, 1, size)
    actual = statistics.sign_flip(values, generator())
    assert actual == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.02)
    assert actual == statistics.sign_flip(values, generator())
    assert statistics.sign_flip(np.ones(size), generator()) == pytest.approx(2**-16, abs=2**-14)


def test_drawn_and_counted_agree() -> None:
    """16 differences counted, and the same with a 17th that is almost nothing drawn, differ by chance only."""
    values = np.random.default_rng(3).normal(0.4, 1, 16)
    counted = statistics.sign_flip(values, generator())
    drawn = statistics.sign_flip([*values, 1e-9], generator())
    assert drawn == pytest.approx(counted, abs=4 * math.sqrt(counted / 2**16))


def test_equal_differences_of_floats_are_ties() -> None:
    """0.1 + 0.2 and 0.3 are one sum: rounding does not make an assignment less extreme."""
    assert statistics.sign_flip([0.1, 0.2, 0.3], generator()) == 2 / 8
    assert statistics.sign_flip([0.1, 0.2, -0.3], generator()) == 1.0
    assert statistics.sign_flip([0.0, 0.0], generator()) == 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_the_closed_test(p_values: list[float]) -> None:
    """A hypothesis' adjusted p is the largest over all sets that hold it of the smallest p times the set's size."""
    adjusted = statistics.holm(p_values)
    for place in range(len(p_values)):
        others = [p for index, p in enumerate(p_values) if index != place]
        sets = itertools.chain.from_iterable(itertools.combinations(others, size) for size in range(len(p_values)))
        closed = max(min(1.0, (1 + len(each)) * min([p_values[place], *each])) for each in sets)
        assert adjusted[place] == pytest.approx(closed)


def test_holm_of_a_published_example() -> None:
    """0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02."""
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([]) == []


@pytest.mark.parametrize(("comparisons", "seeds"), [(1, 6), (2, 7), (3, 7), (4, 8), (6, 8), (9, 9), (99, 12)])
def test_the_fewest_seeds(comparisons: int, seeds: int) -> None:
    """With that many equal differences Holm's smallest p is at most 0.05; with one seed less it is above."""
    assert statistics.fewest_seeds(comparisons) == seeds
    assert comparisons * statistics.sign_flip(np.ones(seeds), generator()) <= 0.05
    assert comparisons * statistics.sign_flip(np.ones(seeds - 1), generator()) > 0.05


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


@pytest.mark.parametrize("comparisons", [1, 6])
def test_seeds_needed_and_detectable_agree(comparisons: int) -> None:
    """So many seeds show the difference, one less do not; both t quantiles are SciPy's."""
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
    assert statistics.crossed(table) == pytest.approx((mean - half, mean + half))


def test_the_crossed_interval_at_its_ends() -> None:
    """One seed tells nothing about seeds; without any scatter the difference is certain."""
    assert statistics.crossed(np.ones((1, 10))) is None
    assert statistics.crossed(np.zeros((3, 10))) == (0.0, 0.0)
