"""The expected best of k trials, against every subset."""

from itertools import combinations
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench.statistics import expected_best


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=9))
def test_it_is_the_mean_of_the_best_over_all_subsets(scores):
    """Brute force: every subset of k of the scores."""
    expected = [fmean(map(max, combinations(scores, size))) for size in range(1, len(scores) + 1)]
    np.testing.assert_allclose(expected_best(scores), expected, rtol=1e-9, atol=1e-9)


def test_it_is_unbiased():
    """Over 4,000 searches of 6 trials, the estimate of the best of k has the mean of k draws: k/(k + 1) if uniform."""
    random = np.random.default_rng(0)
    estimates = np.mean([expected_best(random.random(6)) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(estimates, [size / (size + 1) for size in range(1, 7)], atol=0.01)


def test_a_subset_without_a_score_has_no_best():
    """With two trials without a score among four, two trials may have none; three always have one."""
    found = expected_best([1.0, -np.inf, 3.0, -np.inf])
    assert found[:2].tolist() == [-np.inf, -np.inf]
    assert found[2:] == pytest.approx([2.5, 3.0])  # 3 is missing in one of four subsets
