"""Mean ranks are SciPy's; the critical difference is that of all rankings, and the studentised range's for many."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from lossbench.statistics import ALPHA, critical_difference, mean_ranks


@pytest.mark.parametrize("seed", range(10))
def test_ranks_are_those_of_scipy(seed: int) -> None:
    """`scipy.stats.rankdata` of each condition, with ties and failed losses."""
    scores = np.random.default_rng(seed).integers(0, 5, (6, 7)).astype(float)
    scores[scores == 0] = -np.inf
    assert mean_ranks(scores) == pytest.approx(stats.rankdata(-scores, axis=1).mean(axis=0))


@pytest.mark.parametrize(("conditions", "losses"), [(4, 3), (5, 3), (6, 3), (3, 4)])
def test_few_conditions_are_those_of_all_rankings(conditions: int, losses: int) -> None:
    """Every order of every condition is counted: the smallest range with probability at most 5 %."""
    orders = list(itertools.permutations(range(losses)))
    ranges = [np.ptp(np.sum(each, axis=0)) for each in itertools.product(orders, repeat=conditions)]
    expected = next(size for size in range(100) if np.mean(np.array(ranges) >= size) <= ALPHA) / conditions
    assert critical_difference(conditions, losses, ALPHA) == expected


@pytest.mark.parametrize(("conditions", "losses"), [(30, 4), (36, 20), (60, 10)])
def test_many_conditions_follow_the_studentised_range(conditions: int, losses: int) -> None:
    """The critical difference is q √(k (k + 1) / (6 N)) of Demšar (2006), q from SciPy, but for steps of 1/N."""
    q = stats.studentized_range.ppf(1 - ALPHA, losses, 1e6) / math.sqrt(2)
    expected = q * math.sqrt(losses * (losses + 1) / (6 * conditions))
    assert critical_difference(conditions, losses, ALPHA) == pytest.approx(expected, abs=1.5 / conditions)


@pytest.mark.parametrize("losses", [5, 20])
def test_one_condition_shows_nothing(losses: int) -> None:
    """The best and the worst of one ranking always have its whole range."""
    assert critical_difference(1, losses, ALPHA) == math.inf


@pytest.mark.parametrize("worse", [0, 2])
def test_equal_losses_rarely_differ(worse: int) -> None:
    """Of 400 studies of five losses, `worse` of them bad in every condition, at most 7 % separate two equal ones."""
    generator, false = np.random.default_rng(worse), 0
    limit = critical_difference(6, 5, ALPHA)
    for _ in range(400):
        scores = generator.exponential(size=(6, 5))
        scores[:, :worse] -= 10
        false += np.ptp(mean_ranks(scores)[worse:]) >= limit
    assert false <= 28
