"""The sign-flip test equals SciPy's, a count of every assignment, and Fisher's example; max-T is the closed test."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats

from lossbench.statistics import max_t

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

VALUES = st.lists(st.floats(-1, 1).map(lambda x: round(x, 4)), min_size=1, max_size=8)
TABLES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.integers(-9, 9).map(float))


def p_of(differences: ArrayLike) -> float:
    """Compute the p of a single comparison."""
    return float(max_t(np.array(differences, dtype=np.float64)[:, None]).p[0])


def test_the_published_sign_flip() -> None:
    """Fisher's own example: of 32,768 assignments, 1,726 are as extreme (1935, section 21): p = 0.0527."""
    assert p_of([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]) == 1726 / 32768


@given(VALUES)
def test_the_sign_flip_counts_every_assignment(values: list[float]) -> None:
    """Up to 8 differences, against all 2ⁿ products of signs."""
    total = abs(sum(values)) - 1e-9
    sums = [abs(sum(sign * value for sign, value in zip(signs, values, strict=True)))
            for signs in itertools.product((-1, 1), repeat=len(values))]  # fmt: skip
    assert p_of(values) == pytest.approx(np.mean(np.array(sums) >= total))


@pytest.mark.parametrize("size", [5, 12, 16])
def test_the_sign_flip_is_scipys(size: int) -> None:
    """`scipy.stats.permutation_test` with permuted signs, every assignment."""
    values = np.random.default_rng(size).normal(0.4, 1, size)
    expected = stats.permutation_test((values,), np.sum, permutation_type="samples", n_resamples=2**size)
    assert p_of(values) == pytest.approx(expected.pvalue, abs=1e-12)


@pytest.mark.parametrize("size", [17, 30, 100])
def test_above_16_signs_are_drawn(size: int) -> None:
    """The share of random assignments is near the t-test's p, the same each time, and never 0."""
    values = np.random.default_rng(size).normal(0.3, 1, size)
    assert p_of(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.02)
    assert p_of(values) == p_of(values)
    assert p_of(np.ones(size)) == pytest.approx(2**-16, abs=2**-14)


def test_drawn_and_counted_agree() -> None:
    """16 differences counted, and the same with a 17th that is almost nothing drawn, differ by chance only."""
    values = np.random.default_rng(3).normal(0.4, 1, 16)
    counted = p_of(values)
    assert p_of([*values, 1e-9]) == pytest.approx(counted, abs=4 * math.sqrt(counted / 2**16))


def test_equal_differences_of_floats_are_ties() -> None:
    """0.1 + 0.2 and 0.3 are one sum: rounding does not make an assignment less extreme."""
    assert p_of([0.1, 0.2, 0.3]) == 2 / 8
    assert p_of([0.1, 0.2, -0.3]) == 1.0
    assert p_of([0.0, 0.0]) == 1.0


def closed_test(table: NDArray[np.float64]) -> list[float]:
    """Adjusted p by its definition: the largest p of max-T over every set of hypotheses that holds this one."""
    lengths = np.sqrt((table**2).sum(axis=0))
    units = table / np.where(lengths > 0, lengths, 1)
    flips = np.abs(np.array(list(itertools.product((1, -1), repeat=len(table)))) @ units)
    everyone = range(table.shape[1])
    sets = [each for size in everyone for each in itertools.combinations(everyone, size + 1)]
    p_of_set = {each: np.mean(flips[:, each].max(axis=1) >= flips[0, each].max() - 1e-9) for each in sets}
    return [max(p for each, p in p_of_set.items() if one in each) for one in everyone]


@given(TABLES)
def test_max_t_is_the_closed_test(table: NDArray[np.float64]) -> None:
    """Up to 5 comparisons and 5 seeds: every set of hypotheses, every sign vector."""
    assert max_t(table).adjusted == pytest.approx(closed_test(table))


@given(TABLES)
def test_adjusting_changes_neither_order_nor_single_comparisons(table: NDArray[np.float64]) -> None:
    """Adjusted p is never below p, and the p of a comparison is the same without the others."""
    test = max_t(table)
    assert (test.adjusted >= test.p).all()
    assert test.p == pytest.approx([p_of(column) for column in table.T])


def test_six_seeds_decide_however_many_comparisons() -> None:
    """One clear difference among 77 comparisons, the others random: p is the smallest of six seeds."""
    table = np.random.default_rng(0).normal(0, 1, (6, 77))
    table[:, 5] = [1.0, 1.01, 0.99, 1.0, 1.02, 0.98]
    assert max_t(table).adjusted[5] == 2 / 2**6
    assert p_of(np.ones(5)) > 0.05


def test_a_missing_seed_is_left_out() -> None:
    """A comparison without some of the seeds has the p of those that it has."""
    table = np.array([[1.0, 1.0], [2.0, np.nan], [1.5, 2.0], [1.0, np.nan], [0.5, 1.0]])
    assert max_t(table).p == pytest.approx([2 / 2**5, 2 / 2**3])


def test_drawn_and_counted_families_agree() -> None:
    """Adjusted p of four comparisons and 17 seeds: drawn signs against all 2¹⁶ vectors whose last sign is 1."""
    table = np.random.default_rng(2).normal([0.0, 0.3, 0.6, 0.9], 1, (17, 4))
    units = table / np.sqrt((table**2).sum(axis=0))
    flips = np.abs((1 - 2 * (np.arange(2**16)[:, None] >> np.arange(17) & 1)) @ units)
    expected, largest = np.empty(4), 0.0
    left = list(range(4))
    while left:
        index = max(left, key=lambda each: flips[0, each])
        largest = max(largest, float(np.mean(flips[:, left].max(axis=1) >= flips[0, index])))
        expected[index] = largest
        left.remove(index)
    assert max_t(table).adjusted == pytest.approx(expected, abs=4 * math.sqrt(0.25 / 2**16))
