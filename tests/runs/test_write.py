"""Files of a run folder are complete or absent, whatever happens while they are written."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossbench import metrics
from lossbench.errors import LossbenchError, MachineError, UsageError
from lossbench.runs import paths, write


def disk_full(*_: Any, **__: Any) -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_killed_writers_leave_whole_files(tmp_path: Path) -> None:
    """Whenever SIGKILL comes, the JSON parses and the CSV has whole lines only."""
    code = """
import sys, pathlib
from lossbench.runs import write
folder = pathlib.Path(sys.argv[1])
for epoch in range(10**9):
    write.summary(folder / "run.json", {"filler": ["x" * 100] * 1000, "epoch": epoch})
    write.append_epoch(folder / "metrics.csv", {"epoch": epoch, "loss": 0.1})
    if epoch == 0: print("started", flush=True)
"""
    for pause in (0.0, 0.01, 0.03):
        with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
        assert len(json.loads((tmp_path / "run.json").read_text())["filler"]) == 1000
        lines = (tmp_path / "metrics.csv").read_text().splitlines()
        assert {line.count(",") for line in lines} == {len(paths.METRICS_COLUMNS) - 1}


def test_json_has_no_nan(tmp_path: Path) -> None:
    """NaN and infinities become null at any depth, NumPy numbers numbers, paths text; lone surrogates survive."""
    value = {"a": [math.nan, {"b": np.float32(math.inf)}], "c": np.int64(3), "d": np.array([1.5, math.nan])}
    write.summary(tmp_path / "run.json", value | {"e": Path("x"), "f": "\udc80é"})
    actual = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert actual == {"a": [None, {"b": None}], "c": 3, "d": [1.5, None], "e": "x", "f": "\udc80é"}


def test_rows_are_appended_in_the_design_s_order(tmp_path: Path) -> None:
    """The header comes with the first row; None is empty, NaN is nan, floats keep nine digits."""
    path = tmp_path / "metrics.csv"
    write.append_epoch(path, {"epoch": 0, "loss": 1 / 3, "val_nll": math.nan})
    write.append_epoch(path, {"seconds": np.float32(0.1), "epoch": 1})
    header, *rows = csv.reader(path.read_text().splitlines())
    validation = [f"val_{name}" for name in metrics.METRICS]
    assert header == [
        "epoch", "accuracy", "loss", validation[0], "val_loss", *validation[1:], "learning_rate", "seconds",
        "regularization", "memorized", "recovered", "clean_accuracy",
    ]  # fmt: skip
    assert [{name: cell for name, cell in zip(header, row, strict=True) if cell} for row in rows] == [
        {"epoch": "0", "loss": "0.333333333", "val_nll": "nan"},
        {"epoch": "1", "seconds": "0.100000001"},
    ]


def test_a_torn_line_goes_with_the_next_row(tmp_path: Path) -> None:
    """What a crash left of a row is dropped when the next one is appended."""
    path = tmp_path / "metrics.csv"
    write.append_epoch(path, {"epoch": 0})
    whole = path.read_text()
    path.write_text(whole + "1,0.9123456789,0.123456789,0.9123456789")
    write.append_epoch(path, {"epoch": 1})
    assert path.read_text() == whole + "1" + "," * (len(paths.METRICS_COLUMNS) - 1) + "\n"


def test_a_row_that_does_not_fit_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up while a row is appended costs that row alone."""
    path = tmp_path / "metrics.csv"
    write.append_epoch(path, {"epoch": 0})
    whole = path.read_text()
    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(MachineError, match=r"metrics\.csv: cannot be written: No space left on device$"):
        write.append_epoch(path, {"epoch": 1})
    assert path.read_text() == whole


def test_cells_are_quoted(tmp_path: Path) -> None:
    """Commas, quotes and newlines in a cell come back as they were."""
    rows = [{"a": 'x, "y"\nz', "b": 1}]
    write.table(tmp_path / "t.csv", ["a", "b"], rows)
    with (tmp_path / "t.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"a": 'x, "y"\nz', "b": "1"}]


def test_equal_arrays_give_equal_bytes(tmp_path: Path) -> None:
    """No clock gets into a `.npz` file."""
    for name in ("a", "b"):
        write.arrays(tmp_path / name, {"x": np.arange(5), "y": np.ones(3)})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_objects_are_not_written(tmp_path: Path) -> None:
    """An array of objects would need pickle: it is refused, and no file is left."""
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write.arrays(tmp_path / "a.npz", {"x": np.array([{}], dtype=object)})
    assert list(tmp_path.iterdir()) == []


def test_predictions_fit_float16(tmp_path: Path) -> None:
    """Log-probabilities below float16's range are cut there; what was predicted is taken before rounding."""
    full = np.array([[-1e5, -1e-9, -2e-9], [-3.0, -1.0, -0.5]])
    write.predictions(tmp_path / "p.npz", np.array([1, 2]), {"last": full})
    with np.load(tmp_path / "p.npz", allow_pickle=False) as file:
        assert file["labels"].tolist() == [1, 2]
        assert file["last.predicted"].tolist() == [2 - 1, 2]
        assert file["last.predicted"].dtype == np.uint8
        assert file["last.log_probabilities"].dtype == np.float16
        assert file["last.log_probabilities"][0, 0] == -65504


def test_tables_of_classes(tmp_path: Path) -> None:
    """`per_class.csv` and `confusion.csv` are long tables with a column `at`."""
    write.per_class(tmp_path / "per_class.csv", {"last": [(0, 0.5, 1.0, 2 / 3, 4)], "best": [(0, 1.0, 1.0, 1.0, 4)]})
    write.confusion(tmp_path / "confusion.csv", {"last": np.array([[3, 1], [0, 2]])})
    assert (tmp_path / "per_class.csv").read_text().splitlines() == [
        "at,class,precision,recall,f1,support",
        "last,0,0.5,1,0.666666667,4",
        "best,0,1,1,1,4",
    ]
    assert (tmp_path / "confusion.csv").read_text().splitlines() == [
        "at,true,predicted,count",
        "last,0,0,3",
        "last,0,1,1",
        "last,1,0,0",
        "last,1,1,2",
    ]


@pytest.mark.parametrize(
    "name", ["..", "../x", "/etc", "a/b", "a\\b", "a\nb", "", ".hidden", "-rf", "x" * 300, "a\0b", "é", "a\n"]
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    """Nothing but a plain name becomes part of a path, in either place."""
    for name_and_folder in ((name, "focal-s0-0123456789ab"), ("mnist", name)):
        with pytest.raises(UsageError, match="expected at most 128 letters, digits") as caught:
            paths.run_folder(Path("runs"), *name_and_folder)
        assert "\n" not in str(caught.value)
    assert issubclass(UsageError, LossbenchError)


def test_run_folder() -> None:
    """A run's folder is runs/name/folder."""
    assert paths.run_folder(Path("runs"), "a.b", "focal-s0-0123456789ab") == Path("runs/a.b/focal-s0-0123456789ab")
