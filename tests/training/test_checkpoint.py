"""Checkpoints come back as they were, or not at all."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lossbench.runs import write
from lossbench.runs.paths import METRICS_COLUMNS
from lossbench.training import checkpoint
from lossbench.training.checkpoint import Checkpoint, Position


@pytest.fixture
def saved(tmp_path):
    """A run folder with a checkpoint of twelve variables."""
    variables = [np.full((2, number), number / 7, np.float32) for number in range(12)]
    row = dict.fromkeys(METRICS_COLUMNS, 1 / 3) | {"epoch": 0, "val_nll": float("nan"), "memorized": None}
    state = Checkpoint(Position([row], 17, 1.25, {"train": 0.1}), variables, [np.arange(3)])
    checkpoint.save(tmp_path, "identity", state)
    return tmp_path, state


def test_a_checkpoint_comes_back_exactly(saved):
    """Arrays in order, floats to the last bit, NaN and None as they were."""
    run, state = saved
    found = checkpoint.load(run, "identity", numbers=100)
    assert [a.tolist() for a in found.variables] == [a.tolist() for a in state.variables]
    assert [a.tolist() for a in found.best_weights] == [[0, 1, 2]]
    assert repr(found.position) == repr(state.position)


def test_another_trials_checkpoint_is_none_of_ours(saved):
    """The identity must agree."""
    assert checkpoint.load(saved[0], "another", numbers=100) is None


def test_a_damaged_checkpoint_is_no_checkpoint(saved):
    """Cut anywhere, or flipped in its header, it is not used and raises nothing."""
    run, _ = saved
    path = run / "checkpoint" / checkpoint.FILE
    content = path.read_bytes()
    for cut in range(0, len(content), 97):
        path.write_bytes(content[:cut])
        assert checkpoint.load(run, "identity", numbers=100) is None
    path.write_bytes(content.replace(b'"batches"', b'"nothing"'))
    assert checkpoint.load(run, "identity", numbers=100) is None


ROW = dict.fromkeys(METRICS_COLUMNS, 0.5) | {"epoch": 0}
NONSENSE = {
    "a list": "[]",
    "no position": '{"identity": "identity"}',
    "deep": "[" * 100_000,
    "a history that is text": {"history": "abc"},
    "rows that are text": {"history": ["abc"]},
    "an empty row": {"history": [{}]},
    "an epoch too far": {"history": [ROW | {"epoch": 7}]},
    "a text for a number": {"history": [ROW | {"loss": "0.5"}]},
    "no loss": {"history": [ROW | {"loss": None}]},
    "validation in one epoch only": {"history": [ROW, ROW | {"epoch": 1, "val_nll": None}]},
    "batches below none": {"batches": -1},
    "batches that are text": {"batches": "1"},
    "seconds that are a list": {"seconds": [1]},
    "seconds that are text": {"seconds": {"train": "1"}},
    "a key that is not known": {"command": "rm"},
}


USUAL = {"identity": "identity", "history": [ROW], "batches": 1, "epoch_seconds": 1.0, "seconds": {}}


def with_header(run, text):
    (run / "checkpoint").mkdir()
    write.arrays(run / "checkpoint" / checkpoint.FILE, {"header": np.frombuffer(text.encode(), np.uint8)})
    return checkpoint.load(run, "identity", numbers=100)


def test_a_usual_header_is_understood(tmp_path):
    """Else the test below could not fail."""
    assert with_header(tmp_path, json.dumps(USUAL)).position == Position([ROW], 1, 1.0, {})


@pytest.mark.parametrize("header", NONSENSE.values(), ids=NONSENSE)
def test_a_header_of_nonsense_is_no_checkpoint(header, tmp_path):
    """Though it names the right trial, it is not used and raises nothing."""
    text = header if isinstance(header, str) else json.dumps(USUAL | header)
    assert with_header(tmp_path, text) is None


def test_a_file_that_is_far_longer_than_the_variables_is_not_read(saved, monkeypatch):
    """What it may have beside them is for the rows of the epochs; the twelve variables have 132 numbers."""
    monkeypatch.setattr(checkpoint, "LARGEST_HEADER_BYTES", 1 << 12)
    assert checkpoint.load(saved[0], "identity", numbers=132) is not None
    monkeypatch.setattr(checkpoint, "LARGEST_HEADER_BYTES", 0)
    assert checkpoint.load(saved[0], "identity", numbers=132) is None


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_packed_checkpoint_is_no_checkpoint(packing, saved):
    """None was ever written so, and what is packed can grow as it is read."""
    path = saved[0] / "checkpoint" / checkpoint.FILE
    with zipfile.ZipFile(path) as plain:
        members = {name: plain.read(name) for name in plain.namelist()}
    with zipfile.ZipFile(path, "w", packing) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    assert checkpoint.load(saved[0], "identity", numbers=100) is None


def test_objects_in_a_checkpoint_are_not_made(saved):
    """The file that unpickling them would write does not come into being."""
    run, _ = saved
    canary = run / "canary"
    with (run / "checkpoint" / checkpoint.FILE).open("wb") as file:
        np.savez(file, allow_pickle=True, header=np.array([Explosive(canary)], dtype=object))
    assert checkpoint.load(run, "identity", numbers=100) is None
    assert not canary.exists()


class Explosive:
    """Writes a file as it is unpickled."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        """Tell pickle to make the file."""
        return (Path.touch, (self._path,))


def test_a_removed_checkpoint_is_gone(saved):
    """And removing it twice is no error."""
    for _ in range(2):
        checkpoint.remove(saved[0])
    assert checkpoint.load(saved[0], "identity", numbers=100) is None
    assert list(saved[0].iterdir()) == []
