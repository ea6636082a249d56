"""Repeated intervals hold what the sequential test does not reject, and hold the true mean at all looks at once."""

from __future__ import annotations

import numpy as np
import pytest
from naive_sequential import naive

from lossbench.statistics import Plan, repeated_interval, t_interval

LOOKS = (4, 6)


@pytest.mark.parametrize("seed", range(6))
def test_an_interval_holds_the_means_that_the_test_does_not_reject(seed: int) -> None:
    """Every sign vector counted one by one, for means on a grid; linear spending of 0.3 or 0.5 at 4 and 6 seeds."""
    values = np.random.default_rng(seed).normal(1, 1, LOOKS[-1])
    alpha = 0.5 - 0.2 * (seed % 2)
    for seeds in LOOKS:
        interval = repeated_interval(values[:seeds], Plan(LOOKS, alpha, "linear"))
        margin = 2e-3 * np.ptp(values)
        for mean in np.linspace(values.min() - 1, values.max() + 1, 60):
            (found,) = naive(values[:, None] - mean, LOOKS, alpha)
            rejected_here, open_here = found is not None and found[1] == seeds, found is None or found[1] > seeds
            if interval is None:
                assert not rejected_here
            elif not min(abs(mean - end) for end in interval) < margin:
                inside = interval.low < mean < interval.high
                assert not (rejected_here and inside)
                assert not (open_here and not inside)


def test_few_seeds_have_no_interval() -> None:
    """No mean is rejected where the smallest share of sign vectors is more than a look may spend."""
    values = np.random.default_rng(0).normal(size=30)
    assert [repeated_interval(values[:seeds], Plan()) is None for seeds in (5, 6, 8, 10, 12, 30)] == [
        *[True] * 4,
        *[False] * 2,
    ]


def test_one_look_is_near_students_interval() -> None:
    """For normal differences, within a tenth of its width."""
    values = np.random.default_rng(0).normal(size=16)
    interval, student = repeated_interval(values, Plan((16,))), t_interval(values)
    assert interval
    assert interval == pytest.approx(student, abs=0.1 * (student.high - student.low))


def test_units_and_missing_seeds_do_not_matter() -> None:
    """The interval moves and scales with the differences; a seed without a difference is as if it did not exist."""
    values, plan = np.random.default_rng(3).normal(size=12), Plan((12,))
    interval = repeated_interval(values, plan)
    assert repeated_interval(5 - values / 1000, plan) == pytest.approx(
        (5 - interval.high / 1000, 5 - interval.low / 1000), abs=2e-6
    )
    with_gap = np.insert(values, 4, np.nan)
    assert repeated_interval(with_gap, Plan((13,))) == pytest.approx(interval, abs=0.01)


def test_equal_differences_have_an_interval_of_no_width() -> None:
    """Of twelve equal differences, up to rounding."""
    assert repeated_interval(np.full(12, 0.25), Plan((12,))) == pytest.approx((0.25, 0.25))


@pytest.mark.slow
@pytest.mark.parametrize("law", ["normal", "exponential"])
def test_all_intervals_of_a_study_hold_the_mean(law: str) -> None:
    """In at least 92.5 % of 300 studies, 95 % less two standard errors; the differences of two losses are symmetric."""
    generator, plan, missed = np.random.default_rng(0), Plan((6, 8, 10, 12), 0.05, "pocock"), 0
    for _ in range(300):
        scores = getattr(generator, law)(size=(12, 2))
        values = scores[:, 0] - scores[:, 1] + 0.5
        found = [repeated_interval(values[:seeds], plan) for seeds in plan.looks]
        missed += any(each and not each.low <= 0.5 <= each.high for each in found)
    assert missed <= 22
