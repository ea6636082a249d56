"""Checkpoints come back as they were, or not at all."""

import numpy as np
import pytest

from lossbench.training import checkpoint
from lossbench.training.checkpoint import Checkpoint, Position


@pytest.fixture
def saved(tmp_path):
    """A run folder with a checkpoint of twelve variables."""
    variables = [np.full((2, number), number / 7, np.float32) for number in range(12)]
    row = {"epoch": 0, "loss": 1 / 3, "val_nll": float("nan"), "memorized": None}
    state = Checkpoint(Position([row], 17, 1.25, {"train": 0.1}), variables, [np.arange(3)])
    checkpoint.save(tmp_path, "identity", state)
    return tmp_path, state


def test_a_checkpoint_comes_back_exactly(saved):
    """Arrays in order, floats to the last bit, NaN and None as they were."""
    run, state = saved
    found = checkpoint.load(run, "identity")
    assert [a.tolist() for a in found.variables] == [a.tolist() for a in state.variables]
    assert [a.tolist() for a in found.best_weights] == [[0, 1, 2]]
    assert repr(found.position) == repr(state.position)


def test_another_trials_checkpoint_is_none_of_ours(saved):
    """The identity must agree."""
    assert checkpoint.load(saved[0], "another") is None


def test_a_damaged_checkpoint_is_no_checkpoint(saved):
    """Cut anywhere, or flipped in its header, it is not used and raises nothing."""
    run, _ = saved
    path = run / "checkpoint" / checkpoint.FILE
    content = path.read_bytes()
    for cut in range(0, len(content), 97):
        path.write_bytes(content[:cut])
        assert checkpoint.load(run, "identity") is None
    path.write_bytes(content.replace(b'"batches"', b'"nothing"'))
    assert checkpoint.load(run, "identity") is None


def test_a_removed_checkpoint_is_gone(saved):
    """And removing it twice is no error."""
    for _ in range(2):
        checkpoint.remove(saved[0])
    assert checkpoint.load(saved[0], "identity") is None
    assert list(saved[0].iterdir()) == []
