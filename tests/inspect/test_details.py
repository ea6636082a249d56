"""One run for a reader: everything its folder tells, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lossbench.errors import NothingMatchedError, UsageError
from lossbench.inspect import details
from lossbench.runs.read import BrokenRunError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_complete_run(tmp_path: Path, fabricate: Any) -> None:
    """The only run below a folder is found, and all its tables are there."""
    folder = fabricate(tmp_path, "focal", 0)
    actual = details.read_details(tmp_path)
    assert actual.run.folder == folder
    assert len(actual.history) == 5
    assert {at: len(rows) for at, rows in actual.per_class.items()} == {"last": 10, "best": 10}
    assert {at: counts.shape for at, counts in actual.confusion.items()} == {"last": (10, 10), "best": (10, 10)}
    assert actual.faults == ()


def test_a_run_that_did_not_end_lacks_nothing(tmp_path: Path, fabricate: Any) -> None:
    """A diverged run has no test results, and that is no fault."""
    actual = details.read_details(fabricate(tmp_path, "focal", 0, status="diverged"))
    assert (len(actual.history), actual.per_class, actual.confusion, actual.faults) == (2, {}, {}, ())


def test_missing_parts_are_named(tmp_path: Path, fabricate: Any) -> None:
    """A completed run whose tables are gone is shown as far as it goes, with the reasons."""
    folder = fabricate(tmp_path, "focal", 0)
    for name in ("metrics.csv", "per_class.csv", "confusion.csv"):
        (folder / name).unlink()
    assert details.read_details(folder).faults == (
        "metrics.csv is missing",
        "per_class.csv is missing",
        "confusion.csv is missing",
    )


def test_which_run_is_meant(tmp_path: Path, fabricate: Any) -> None:
    """None, several and a broken one are three different answers."""
    with pytest.raises(NothingMatchedError, match="no run in this folder"):
        details.read_details(tmp_path)
    folders = [fabricate(tmp_path, "focal", seed) for seed in (0, 1)]
    with pytest.raises(UsageError, match="expected one run, found 2") as caught:
        details.read_details(tmp_path)
    assert str(folders[0]) in str(caught.value) or str(folders[1]) in str(caught.value)
    (folders[0] / "run.json").write_text("{")
    with pytest.raises(BrokenRunError, match=r"focal-s0-.*: run\.json: not JSON"):
        details.read_details(folders[0])
