"""Holm's correction equals the closed test and a published example."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench import statistics


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
