"""Verdicts are wrong as rarely as they say, and intervals hold as often as they say: simulated, so it takes minutes."""

from __future__ import annotations

import pytest
from benchmarks import coverage


@pytest.mark.slow
def test_equal_losses_are_rarely_told_apart() -> None:
    """In at most 6 % of 2,000 comparisons of five equal losses, 5 % and two standard errors, is any verdict given."""
    wrong, _ = coverage.verdicts(0.0)
    assert wrong <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_intervals_hold_the_true_value(seeds: int) -> None:
    """Between 93 and 97 % of the time: of a mean, of a difference, of a difference over seeds and images."""
    for held in (*coverage.coverage(seeds), coverage.crossed_coverage(seeds)):
        assert 0.93 <= held <= 0.97
