"""The set of possibly best losses holds every loss that no pairwise test rejects, and the truly best one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from lossbench.statistics import possibly_best


def test_two_losses_are_one_sign_flip_test() -> None:
    """The worse of two is left out if SciPy's sign-flip test of their differences has p ≤ 0.05."""
    for seed in range(20):
        scores = np.random.default_rng(seed).normal([0, 0.8], 1, (9, 2))
        difference = scores[:, 0] - scores[:, 1]
        p = stats.permutation_test((difference,), np.sum, permutation_type="samples", n_resamples=2**9).pvalue
        expected = [True, True] if p > 0.05 else list(scores.mean(axis=0) == scores.mean(axis=0).max())
        assert list(possibly_best(scores)) == expected


def test_equal_and_too_few_scores_leave_all() -> None:
    """Neither equal losses nor five seeds leave any loss out; one loss is the best of one."""
    assert possibly_best(np.ones((10, 3))).all()
    assert possibly_best(np.arange(3) + np.random.default_rng(0).normal(0, 1e-3, (5, 3))).all()
    assert list(possibly_best(np.ones((6, 1)))) == [True]


@pytest.mark.parametrize("law", ["normal", "exponential"])
def test_the_best_loss_is_rarely_left_out(law: str) -> None:
    """Of 200 studies of four losses, two of them equally good, at most 9 % leave one of these out."""
    generator = np.random.default_rng(0)
    left_out = 0
    for _ in range(200):
        scores = getattr(generator, law)(size=(8, 4)) + np.array([1.0, 1.0, 0.5, 0.0])
        left_out += not possibly_best(scores)[:2].all()
    assert left_out <= 18


@pytest.mark.parametrize("seed", range(30))
def test_the_set_is_that_of_the_closed_test(seed: int) -> None:
    """Six seeds, three losses: a pair is significant if every set of pairs that holds it is, all signs counted."""
    scores = np.round(np.random.default_rng(seed).normal([0, 1, 2.5], 1, (6, 3)), 1)
    pairs = list(itertools.combinations(range(3), 2))
    table = np.array([scores[:, first] - scores[:, second] for first, second in pairs]).T
    lengths = np.sqrt((table**2).sum(axis=0))
    flips = np.abs(np.array(list(itertools.product((1, -1), repeat=6))) @ (table / np.where(lengths, lengths, 1)))
    sets = [each for size in (1, 2, 3) for each in itertools.combinations(range(3), size)]
    p_of_set = {each: np.mean(flips[:, each].max(axis=1) >= flips[0, each].max() - 1e-9) for each in sets}
    expected = [True] * 3
    for index, (first, second) in enumerate(pairs):
        if max(p for each, p in p_of_set.items() if index in each) <= 0.05:
            expected[second if table[:, index].mean() > 0 else first] = False
    assert list(possibly_best(scores)) == expected


def test_a_seed_that_a_loss_lacks_is_left_out_of_its_pairs() -> None:
    """Two losses are compared over the seeds of both; without a seed of both, neither is left out."""
    for seed in range(20):
        scores = np.random.default_rng(seed).normal([0, 1], 1, (12, 2))
        lacking = scores.copy()
        lacking[0, 0] = lacking[5, 1] = lacking[7, 1] = np.nan
        assert list(possibly_best(lacking)) == list(possibly_best(np.delete(scores, (0, 5, 7), axis=0)))
    apart = np.full((12, 2), np.nan)
    apart[:6, 0], apart[6:, 1] = 1, 2
    assert possibly_best(apart).all()
