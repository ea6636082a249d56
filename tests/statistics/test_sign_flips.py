"""The sign-flip test equals SciPy's, a count of every assignment, and Fisher's own example."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lossbench import statistics

VALUES = st.lists(st.floats(-1, 1).map(lambda x: round(x, 4)), min_size=1, max_size=8)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_published_sign_flip() -> None:
    """Fisher's own example: of 32,768 assignments, 1,726 are as extreme (1935, section 21): p = 0.0527."""
    differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    assert statistics.sign_flip(differences, generator()) == 1726 / 32768


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
