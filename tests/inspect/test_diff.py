"""What differs between two runs."""

import pytest

from lossbench.inspect import diff
from lossbench.runs import read


def pairs(differences):
    return {each.key: (each.a, each.b) for each in differences}


def test_only_what_differs_is_told_part_by_part(fabricate, tmp_path):
    """Configuration, environment and metrics of two runs that agree in most keys."""
    a = read.read(fabricate(tmp_path, "focal", 0, config={"loss": {"name": "focal", "gamma": 2.0}}, threads=1))
    b = read.read(fabricate(tmp_path, "brier", 0, strength=4.0, config={"train.epochs": 7}, threads=2))
    found = diff.between(a, b)
    assert pairs(found.configuration) == {
        "loss.name": ("focal", "brier"),
        "loss.gamma": (2.0, None),
        "train.epochs": (5, 7),
    }
    assert pairs(found.environment) == {"threads": (1, 2)}
    changed = {each.key: each.change for each in found.metrics}
    expected = {name: b.metrics[name] - a.metrics[name] for name in a.metrics if a.metrics[name] != b.metrics[name]}
    assert changed == expected
    assert "test.last.accuracy" in changed


def test_a_run_of_another_lossbench_is_known_by_its_commit(fabricate, tmp_path):
    """Not by that of the folder in which it was started; older run folders have none and stay readable."""
    a, b, old = (read.read(fabricate(tmp_path, seed=seed)) for seed in range(3))
    b.summary["lossbench_commit"] = "0123456789ab, modified"
    del old.summary["lossbench_commit"]
    assert pairs(diff.between(a, b).environment) == {"lossbench_commit": ("fedcba987654", "0123456789ab, modified")}
    assert pairs(diff.between(old, a).environment) == {"lossbench_commit": (None, "fedcba987654")}
    assert diff.between(old, old).environment == ()


def test_a_run_does_not_differ_from_itself(fabricate, tmp_path):
    """Every part is empty."""
    run = read.read(fabricate(tmp_path))
    found = diff.between(run, run)
    assert (found.configuration, found.environment, found.metrics) == ((), (), ())


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ({"x": None}, {}, {}),
        ({"x": 2}, {"x": 2.0}, {}),
        ({"x": {"y": 1}}, {"x": None}, {"x.y": (1, None)}),
        ({"x": [1, 2]}, {"x": [1, 3]}, {"x": ([1, 2], [1, 3])}),
        ({"l": [{"w": 1}, {"w": 2}]}, {"l": [{"w": 1}, {"w": 3}]}, {"l.1.w": (2, 3)}),
    ],
)
def test_mappings_differ_by_dotted_key(a, b, expected):
    """Null is as good as not there; items of a weighted list are counted; other lists are one value."""
    assert pairs(diff.differences(a, b)) == expected


@pytest.mark.parametrize(("a", "b", "change"), [(1, 3.5, 2.5), (1, None, None), ("a", "b", None), (True, 2, None)])
def test_only_numbers_have_a_change(a, b, change):
    """B - A; a flag is no number."""
    assert diff.KeyDifference("key", a, b).change == change
