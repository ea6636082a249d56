"""What the engine hands to a loss: the epoch, drawn numbers, and what the loss remembers."""

import numpy as np
import pytest

from lossbench.config import resolve
from lossbench.runs import read
from lossbench.training import identify, train
from lossbench.training.progress import Silent

PLUGIN = '''
"""Losses that return what they are handed, so that the loss column shows it."""
from typing import Annotated

from lossbench import ops
from lossbench.losses.types import Epoch, State, Tensor, Uniform


def _zero(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Zeros with the gradient of cross-entropy."""
    crossentropy = -ops.sum(y_true * ops.log_softmax(y_pred), axis=-1)
    return crossentropy - ops.stop_gradient(crossentropy)


def epoch_itself(y_true: Tensor, y_pred: Tensor, *, epoch: Epoch) -> Tensor:
    """The epoch's number."""
    return _zero(y_true, y_pred) + epoch


def drawn(y_true: Tensor, y_pred: Tensor, *, uniform: Uniform) -> Tensor:
    """The mean of the drawn numbers."""
    return _zero(y_true, y_pred) + ops.mean(uniform, axis=-1)


def visits(y_true: Tensor, y_pred: Tensor, *, seen: Annotated[Tensor, State(("images",), 5.0)]):
    """How often this image has been seen, plus five."""
    return _zero(y_true, y_pred) + seen, {"seen": seen + 1}


def labels_met(y_true: Tensor, y_pred: Tensor, *, met: Annotated[Tensor, State(("classes",), 0.0)]):
    """How many labels have been met so far, this batch not counted."""
    return _zero(y_true, y_pred) + ops.sum(met), {"met": met + ops.sum(y_true, axis=0)}
'''


@pytest.fixture
def history(small, tmp_path, users):
    """The rows of a run with the named loss, three epochs of batches of 100."""

    def run(loss, where="runs", **options):
        small["train"] |= {"epochs": 3, "batch_size": 100}
        trial = identify(resolve.from_mapping(small | {"loss": loss}), [users])
        return read.history(train(trial, runs_dir=tmp_path / where, plugins=[users], **options).run)

    return run


def losses(rows, column="loss"):
    return [row[column] for row in rows]


def test_the_epoch_counts_from_0_in_training_and_validation(history):
    """Every image of epoch e has the loss e."""
    rows = history("epoch_itself")
    assert losses(rows) == losses(rows, "val_loss") == [0.0, 1.0, 2.0]


def test_numbers_are_drawn_anew_each_step_and_the_same_by_seed(history):
    """Their mean is near 1/2, another one in each epoch; validation always draws the same."""
    rows = history("drawn")
    assert losses(rows) == pytest.approx([0.5] * 3, abs=0.01)
    assert len(set(losses(rows))) == 3
    assert len(set(losses(rows, "val_loss"))) == 1
    assert losses(history("drawn", where="again")) == losses(rows)


def test_each_image_has_a_memory_of_its_own(history):
    """All images were seen e times before epoch e; validation images have no memory, so no `val_loss`."""
    rows = history("visits")
    assert losses(rows) == [5.0, 6.0, 7.0]
    assert losses(rows, "val_loss") == [None] * 3


def test_a_memory_of_the_run_grows_from_batch_to_batch(history):
    """Twenty batches of a hundred labels: 0, 100, … 1900 met before each, a mean of 950 in the first epoch."""
    assert losses(history("labels_met")) == [950.0, 2950.0, 4950.0]


class StopInTheSecondEpoch(Silent):
    """Sends SIGTERM once."""

    sent = False

    def steps(self, epoch, *, share, **_):
        """Stop in the middle of the second epoch."""
        import signal

        if epoch == 1 and share >= 0.4 and not self.sent:
            self.sent = True
            signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("loss", ["visits", "labels_met", "drawn", "epoch_itself"])
@pytest.mark.slow
def test_memory_epoch_and_draws_survive_an_interruption(history, loss, monkeypatch):
    """The continued run has the rows of an undisturbed one."""
    from lossbench.errors import InterruptedRunError

    monkeypatch.setattr("lossbench.training.trainer.CHUNK_SECONDS", 1e-9)
    with pytest.raises(InterruptedRunError):
        history(loss, progress=StopInTheSecondEpoch())
    continued, undisturbed = history(loss), history(loss, where="other")
    for column in ("loss", "val_loss", "accuracy"):
        np.testing.assert_array_equal(losses(continued, column), losses(undisturbed, column))


def test_early_stopping_on_a_val_loss_that_there_is_not_is_refused(small, tmp_path, users):
    """Before anything is written."""
    from lossbench.errors import ConfigError

    small["train"]["early_stopping"] = {"monitor": "val_loss"}
    trial = identify(resolve.from_mapping(small | {"loss": "visits"}), [users])
    with pytest.raises(ConfigError, match="no val_loss; monitor val_accuracy or val_nll"):
        train(trial, runs_dir=tmp_path / "runs", plugins=[users])
    assert not (tmp_path / "runs").exists()
