"""Run folders become rows and one frame, and what cannot be read is listed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

import lossbench
from lossbench.analysis import loading
from lossbench.errors import NothingMatchedError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_row_for_each_run(tmp_path: Path, fabricate: Any) -> None:
    """Dotted configuration, metrics, status, label and hashes stand in columns."""
    fabricate(tmp_path, "focal gamma=5", 3, strength=50.0, config={"data.train_size": 1000})
    runs = lossbench.load_runs(tmp_path)
    row = runs.iloc[0]
    expected = {
        "loss": "focal gamma=5", "loss.name": "focal gamma=5", "seed": 3, "status": "completed", "link": "softmax",
        "lossbench": "0.1.0", "data.train_size": 1000, "model.hidden": "[256]", "model.head.name": "linear",
        "data.sha256": "d" * 64, "test.last.accuracy": 1.0, "settings": '[{"name": "focal gamma=5"}, null]',
        "seconds": 11.0, "device": "CPU", "parameters": 203530,
    }  # fmt: skip
    assert expected == {key: row[key] for key in expected}
    assert runs["test.last.accuracy"].dtype == float
    assert next(iter(runs)) == "folder"


def test_broken_folders_are_rows_of_the_frame(tmp_path: Path, fabricate: Any) -> None:
    """A folder that cannot be read is there with its reason and does not hide the others."""
    fabricate(tmp_path, "focal", 0)
    damaged = fabricate(tmp_path, "focal", 1)
    (damaged / "run.json").write_text("{")
    rows, broken = loading.rows([tmp_path])
    assert [row["seed"] for row in rows] == [0]
    assert [(each.folder, each.reason[:19]) for each in broken] == [(damaged, "run.json: not JSON:")]
    runs = lossbench.load_runs(str(tmp_path)).set_index("status")
    assert runs.loc["broken", "folder"] == str(damaged)
    assert runs.loc["broken", "reason"].startswith("run.json: not JSON:")
    assert math.isnan(runs.loc["broken", "seed"])


def test_a_row_for_each_epoch(tmp_path: Path, fabricate: Any) -> None:
    """Each epoch has its own numbers and its run's, the label still `loss`; a run without a history is listed."""
    fabricate(tmp_path, "focal", 0, epochs=3)
    (fabricate(tmp_path, "focal", 1) / "metrics.csv").unlink()
    epochs = lossbench.load_runs([tmp_path], epochs=True)
    assert epochs["epoch"].tolist()[:3] == [0, 1, 2]
    assert epochs["val_nll"].tolist()[:3] == [0.1] * 3
    assert set(epochs["loss"][:3]) == {"focal"}  # the label, as in every frame
    assert epochs["train_loss"].tolist()[:3] == [0.5, 0.25, pytest.approx(1 / 6)]
    assert epochs.iloc[3][["status", "reason"]].tolist() == ["broken", "metrics.csv is missing"]


def test_nothing_to_read(tmp_path: Path, fabricate: Any) -> None:
    """Where there is no run that can be read, the error says what is there instead."""
    with pytest.raises(NothingMatchedError, match=r"no run that can be read$"):
        loading.rows([tmp_path])
    damaged = fabricate(tmp_path, "focal", 1)
    (damaged / "config.yaml").unlink()
    with pytest.raises(NothingMatchedError, match=r"no run that can be read\n.*: config\.yaml is missing"):
        loading.rows([tmp_path])
    with pytest.raises(UsageError, match="no such folder"):
        lossbench.load_runs(tmp_path / "absent")


def test_the_package_has_no_other_attribute() -> None:
    """A misspelt name is an AttributeError, as for any module."""
    with pytest.raises(AttributeError, match="load_run"):
        lossbench.load_run  # noqa: B018 - the access is the test
