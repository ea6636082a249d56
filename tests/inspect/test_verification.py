"""Two sets of numbers held against each other: what is equal, near, or wrong, and where first."""

import numpy as np
import pytest

from lossbench.inspect import numbers, verification
from lossbench.runs import read

TINY = np.nextafter(1.0, 2.0)


def table(values, columns=("a", "b"), exact=()):
    return numbers.Numbers("epoch", columns, np.array(values, dtype=float), frozenset(exact))


def compared(recorded, again, tolerance=1e-3):
    return verification.compare("metrics.csv", recorded, again, tolerance)


def test_equal_bits_are_no_deviation():
    """NaN is as recorded where NaN was recorded, infinity where infinity was."""
    values = [[1.0, np.nan], [np.inf, -0.0]]
    found = compared(table(values), table(values))
    assert (found.numbers, found.different, found.largest, found.first) == (3, 0, None, None)


def test_the_last_bit_is_seen_and_within_tolerance():
    """One unit in the last place of 1.0: different, the largest deviation, and not beyond 1/1000."""
    found = compared(table([[1.0, 2.0]]), table([[TINY, 2.0]]))
    assert (found.different, found.first) == (1, None)
    assert (found.largest.column, found.largest.distance) == ("a", TINY - 1)


def test_the_first_deviation_beyond_the_tolerance_is_the_earliest_epoch():
    """Row by row, though an earlier column deviates later, and by more."""
    found = compared(table([[1, 1], [1, 1], [1, 1]]), table([[1, 1.0001], [1, 1.01], [9, 1]]))
    first, largest = found.first, found.largest
    assert (found.different, first.row, first.column, first.recorded, first.again) == (3, 1, "b", 1, 1.01)
    assert (largest.row, largest.column, largest.distance) == (2, "a", 8)


@pytest.mark.parametrize(("recorded", "again", "beyond"), [(0.5, 0.5009, False), (0.5, 0.5011, True)])
def test_below_one_the_tolerance_is_absolute(recorded, again, beyond):
    """0.0009 is within 0.001, 0.0011 is not."""
    assert bool(compared(table([[recorded, 0]]), table([[again, 0]])).first) is beyond


@pytest.mark.parametrize(("again", "beyond"), [(20.019, False), (20.021, True), (-20, True)])
def test_above_one_the_tolerance_is_a_share(again, beyond):
    """A thousandth of 20 is 0.02."""
    assert bool(compared(table([[20, 0]]), table([[again, 0]])).first) is beyond


def test_counts_and_labels_are_equal_or_wrong():
    """However large the tolerance is."""
    found = compared(table([[10_000, 0]], exact=["a"]), table([[10_001, 0]]), tolerance=1e9)
    assert (found.first.column, found.first.distance) == ("a", np.inf)


@pytest.mark.parametrize(
    ("again", "place"),
    [
        (table([[1, 2]]), (1, "a")),
        (table([[1, 2], [3, 4], [5, 6]]), (2, "a")),
        (table([[1], [3]], ["a"]), (0, "b")),
        (table([[1, 2, 9], [3, 4, 9]], ["a", "b", "c"]), (0, "c")),
        (table([[1, 2], [3, np.nan]]), (1, "b")),
        (None, (0, "a")),
    ],
    ids=["row gone", "row more", "column gone", "column more", "no number", "file gone"],
)
def test_what_only_one_side_has_is_wrong(again, place):
    """An epoch, a column, a number, a whole file."""
    found = compared(table([[1, 2], [3, 4]]), again)
    assert (found.first.row, found.first.column) == place
    assert found.first.distance == np.inf


def test_every_number_of_a_run_is_held_against_itself(fabricate, tmp_path):
    """All five files, as many numbers as they hold but for the seconds."""
    run = read.read(fabricate(tmp_path, images=50, device={"kind": "cpu"}, config={"train.deterministic": False}))
    found = verification.verify(run, numbers.read_numbers(run), run, tolerance=0)
    counted = {each.file: each.numbers for each in found.files}
    assert counted["predictions.npz"] == 50 * (1 + 2 * 11)
    assert counted["confusion.csv"] == 2 * 100
    assert counted["per_class.csv"] == 2 * 10 * 4
    assert counted["metrics.csv"] == 5 * 6
    assert counted["run.json"] == len(run.metrics)
    assert (found.status, found.different, found.first, found.largest) == ("bit-equal", 0, None, None)


@pytest.mark.parametrize("file", ["metrics.csv", "predictions.npz", "confusion.csv", "per_class.csv"])
def test_a_file_that_cannot_be_read_is_named(fabricate, tmp_path, file):
    """With the run's folder before it."""
    run = read.read(fabricate(tmp_path))
    (run.folder / file).unlink()
    with pytest.raises(read.BrokenRunError) as raised:
        numbers.read_numbers(run)
    assert str(raised.value).startswith(f"{run.folder}: {file}")


@pytest.mark.parametrize(
    "arrays",
    [
        {"labels": np.array(["a"])},
        {"labels": np.zeros((2, 3, 4))},
        {"labels": np.array(1.0)},
        {"labels": np.zeros((1, 257))},
        {"labels": np.zeros(2), "last.predicted": np.zeros(3)},
        {},
    ],
    ids=["text", "three dimensions", "none", "too wide", "unequal", "empty"],
)
def test_arrays_that_are_no_table_are_refused(fabricate, tmp_path, arrays):
    """Anyone may have written predictions.npz."""
    run = read.read(fabricate(tmp_path))
    np.savez(run.folder / "predictions.npz", **arrays)
    with pytest.raises(read.BrokenRunError, match=r"predictions\.npz: .*expected"):
        numbers.read_numbers(run)
