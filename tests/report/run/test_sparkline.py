"""A curve in one line."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench.report.run.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([1, 0], "█▁"),
        ([5, 5, 5], "▅▅▅"),
        ([0, math.nan, 1, math.inf], "▁×█×"),
        ([], ""),
        ([-1.7e308, 1.7e308], "▁█"),
    ],
)
def test_bars(values: list[float], expected: str) -> None:
    """The smallest is the lowest bar, the largest the highest; what is no number is a cross."""
    assert expected == sparkline(values)


def test_many_values_are_thinned_out() -> None:
    """First and last value stay, the width is kept."""
    assert sparkline(list(range(1000)), width=8) == "▁▂▃▄▅▆▇█"


@given(st.lists(st.floats()))
def test_never_wider_never_a_crash(values: list[float]) -> None:
    """Any numbers make a line of at most 40 signs."""
    assert len(sparkline(values)) == min(len(values), 40)
