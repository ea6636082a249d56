"""Run folders become one frame, and what cannot be read is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lossbench.analysis import frame
from lossbench.errors import NothingMatchedError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_row_for_each_run(tmp_path: Path, fabricate: Any) -> None:
    """Dotted configuration, metrics, status, label and hashes stand in columns."""
    fabricate(tmp_path, "focal gamma=5", 3, strength=50.0, config={"data.train_size": 1000})
    runs, broken = frame.load_runs([tmp_path])
    assert broken == []
    row = runs.iloc[0]
    expected = {
        "loss": "focal gamma=5", "seed": 3, "status": "completed", "link": "softmax", "lossbench": "0.1.0",
        "loss.name": "focal gamma=5", "data.train_size": 1000, "model.hidden": "[256]", "model.head.name": "linear",
        "data.sha256": "d" * 64, "test.last.accuracy": 1.0, "settings": '[{"name": "focal gamma=5"}, null]',
    }  # fmt: skip
    assert expected == {key: row[key] for key in expected}


def test_broken_folders_are_listed(tmp_path: Path, fabricate: Any) -> None:
    """A folder that cannot be read is listed with its reason and does not hide the others."""
    fabricate(tmp_path, "focal", 0)
    damaged = fabricate(tmp_path, "focal", 1)
    (damaged / "run.json").write_text("{")
    runs, broken = frame.load_runs([tmp_path])
    assert len(runs) == 1
    assert [(each.folder, each.reason[:19]) for each in broken] == [(damaged, "run.json: not JSON:")]


def test_nothing_to_read(tmp_path: Path, fabricate: Any) -> None:
    """Where there is no run that can be read, the error says what is there instead."""
    with pytest.raises(NothingMatchedError, match=r"no run that can be read$"):
        frame.load_runs([tmp_path])
    damaged = fabricate(tmp_path, "focal", 1)
    (damaged / "config.yaml").unlink()
    with pytest.raises(NothingMatchedError, match=r"no run that can be read\n.*: config\.yaml is missing"):
        frame.load_runs([tmp_path])
