"""The settings to try: whole grids, and quasi-random draws."""

from itertools import islice

import numpy as np
import pytest

from lossbench.config import yaml
from lossbench.errors import ConfigError
from lossbench.sweep import space


def drawn(parameters, trials, count):
    """Return the first settings as plain values."""
    nodes = {key: yaml.node(value) for key, value in parameters.items()}
    found = islice(space.settings(nodes, trials), count)
    return [{key: value.plain() for key, value in each.items()} for each in found]


def test_a_small_grid_is_tried_completely():
    """Six settings for eight trials: each of them, once."""
    found = drawn({"a": [1, 2, 3], "b": ["x", "y"]}, 8, 100)
    assert sorted((each["a"], each["b"]) for each in found) == [(a, b) for a in (1, 2, 3) for b in "xy"]


@pytest.mark.parametrize(("values", "whole"), [([1, 1, 2], [1, 2]), ({"int_uniform": [3, 5]}, [3, 4, 5])])
def test_a_grid_has_each_value_once(values, whole):
    """A value that is written twice, or a short range of whole numbers."""
    assert [each["a"] for each in drawn({"a": values}, 8, 100)] == whole


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
@pytest.mark.parametrize("trials", [8, 32])
def test_draws_fill_the_space_more_evenly_than_random_ones(dimensions, trials):
    """The largest gap between neighbours in each dimension is below that of most random draws."""
    parameters = {f"k{number}": {"uniform": [0, 1]} for number in range(dimensions)}
    points = np.array([list(each.values()) for each in drawn(parameters, trials, trials)])
    random = np.random.default_rng(0).random((200, trials, dimensions))

    def gap(of):
        return np.diff(np.sort(of, axis=0), axis=0).max()

    assert gap(points) < np.quantile([gap(each) for each in random], 0.2)
    assert len({tuple(each) for each in points.tolist()}) == trials


@pytest.mark.parametrize(("values", "low", "high"), [
    ({"uniform": [0, 5]}, 0, 5), ({"log_uniform": [0.0003, 0.03]}, 0.0003, 0.03), ({"uniform": [-1, -0.5]}, -1, -0.5),
])  # fmt: skip
def test_draws_stay_in_their_range_with_four_digits(values, low, high):
    """So that they are equal on every machine, and fit into a table."""
    for each in drawn({"a": values}, 8, 200):
        assert low <= each["a"] <= high
        assert each["a"] == float(f"{each['a']:.4g}")


@pytest.mark.parametrize(("values", "different"), [
    ({"uniform": [0.1, 0.1000001]}, 1), ({"log_uniform": [1, 1.002]}, 3), ({"int_uniform": [0, 1000]}, 1001),
])  # fmt: skip
def test_a_range_with_fewer_values_than_trials_ends(values, different):
    """Each of its values comes once, and then nothing, instead of draws without end."""
    found = [each["a"] for each in drawn({"a": values}, 20, 10_000)]
    assert len(found) == len(set(found)) == different


def test_a_log_uniform_range_is_filled_on_its_own_scale():
    """Half of the draws lie below the geometric mean of the ends."""
    found = [each["a"] for each in drawn({"a": {"log_uniform": [0.001, 10]}}, 8, 100)]
    assert 48 <= sum(each < 0.1 for each in found) <= 52


def test_a_large_grid_ends_after_all_of_its_settings():
    """Draws come first; then the rest follows, so that a caller finds as many as there are."""
    found = drawn({"a": list(range(5)), "b": list(range(5))}, 8, 10_000)
    assert {(each["a"], each["b"]) for each in found[:800]} == {(a, b) for a in range(5) for b in range(5)}


def test_every_loss_is_searched_by_the_same_sequence():
    """A draw depends on nothing but its number."""
    assert drawn({"a": {"uniform": [0, 1]}}, 4, 4) == drawn({"a": {"uniform": [0, 1]}}, 9, 9)[:4]


@pytest.mark.parametrize("values", [{"uniform": [1, 0]}, {"normal": [0, 1]}, {"log_uniform": [0, 1]}, {}])
def test_a_range_in_another_form_is_refused(values):
    """With what was expected."""
    with pytest.raises(ConfigError, match=r"sweep\.tune: a: expected a list of values, or one of uniform, log_uniform"):
        drawn({"a": values}, 4, 4)
