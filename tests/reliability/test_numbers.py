"""Numbers that end a run: not finite at any step, they are kept, told and never mistaken for a result."""

import csv

import numpy as np
import pytest
from run_tables import tables

from lossbench.config import resolve
from lossbench.losses import plugin, registry
from lossbench.training import identify, train

ENDS = '''
"""A loss that is no number once so many images have been seen."""
from typing import Annotated

from lossbench import ops
from lossbench.losses.types import State, Tensor


Seen = Annotated[Tensor, State((), 0.0)]


def ends(y_true: Tensor, y_pred: Tensor, *, after: int = 0, value: float = 0.0, seen: Seen):
    """Cross-entropy; `value` divided by zero from the image `after` on."""
    healthy = -ops.sum(y_true * ops.log_softmax(y_pred, axis=-1), axis=-1)
    ended = ops.sum(seen) >= after
    images = ops.cast(ops.shape(y_true)[0], "float32")
    return ops.where(ended, ops.cast(value, "float32") / ops.zeros_like(healthy), healthy), {"seen": seen + images}
'''
IMAGES, EPOCHS, BATCH = 2000, 2, 100
STEPS = {"second": BATCH, "middle": IMAGES + IMAGES // 2, "last": IMAGES * EPOCHS - BATCH}


@pytest.fixture
def ends(tmp_path):
    """The plugin, as a file."""
    path = tmp_path / "ends.py"
    path.write_text(ENDS)
    yield path
    registry.clear_plugins()


@pytest.fixture
def config(small):
    """A run of 40 batches."""
    small["train"] |= {"epochs": EPOCHS, "batch_size": BATCH}
    return small


@pytest.mark.parametrize(
    ("step", "value"),
    [
        pytest.param(step, value, id=f"{name}-{step}", marks=[pytest.mark.slow] if value and step != "middle" else [])
        for step in STEPS
        for name, value in {"nan": 0.0, "inf": 1.0, "-inf": -1.0}.items()
    ],
)
def test_a_loss_that_is_not_finite_ends_the_run_as_diverged(step, value, ends, config, tmp_path):
    """At the second, a middle, the last step: the rows before it stand, nothing is tested, nothing trained again."""
    plugins = [plugin.load(ends)]
    loss = {"name": "ends", "after": STEPS[step], "value": value}
    trial = identify(resolve.from_mapping(config | {"loss": loss}), plugins)
    outcome = train(trial, runs_dir=tmp_path / "runs", plugins=plugins)
    assert outcome.status == "diverged"
    assert outcome.summary["metrics"] == {}
    with (outcome.run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == (1 if step == "second" else 2)
    assert not np.isfinite(float(rows[-1]["loss"]))
    assert all(np.isfinite(float(row["loss"])) for row in rows[:-1])
    assert not (outcome.run / "predictions.npz").exists()
    assert train(trial, runs_dir=tmp_path / "runs", plugins=plugins).was_done


def test_a_diverged_run_is_told_in_a_line_and_its_own_exit_code(ends, lossbench, tmp_path):
    """Exit 4; `compare` counts it beside those that are complete, as what it is."""
    small = "data: {train_size: 2000, validation_size: 500}\ntrain: {epochs: 1}\n"
    (tmp_path / "run.yaml").write_text(f"{small}loss: {{name: ends, after: 1000}}\n")
    done = lossbench("train", "--config", "run.yaml", "--quiet", "--plugin", ends)
    assert done.returncode == 4, done.stderr
    assert done.stderr.startswith("error: the run diverged: ")
    assert len(done.stderr.splitlines()) == 1
    compared = lossbench("compare", "runs", check=0)
    assert "diverged" in compared.stdout


@pytest.mark.slow
def test_the_number_of_threads_changes_no_more_than_the_last_digits(with_threads):
    """Of the CNN: sums in another order, so equal but for rounding, which training lets grow."""
    found = []
    for threads in (1, 2):
        with next(with_threads("cnn", threads).glob("*/metrics.csv")).open(newline="") as file:
            found.append([float(row["val_nll"]) for row in csv.DictReader(file)])
    (one, two), (other_one, other_two) = found
    assert one == pytest.approx(other_one, rel=1e-3)
    assert two == pytest.approx(other_two, rel=1e-2)


@pytest.mark.slow
def test_the_number_of_threads_changes_nothing_of_an_mlp(with_threads):
    """Its weights are in as many blocks for one thread as for four: equal rows and predictions."""
    one, two, four = (list(tables(with_threads("mlp", threads)).values()) for threads in (1, 2, 4))
    assert len(one) >= 3
    assert one == two == four


@pytest.fixture
def with_threads(lossbench, tmp_path):
    """The folder of a model's only run, of two epochs, by so many threads."""

    def trained(model, threads):
        (tmp_path / "run.yaml").write_text("data: {train_size: 2000, validation_size: 500}\ntrain: {epochs: 2}\n")
        settings = (f"model={model}", f"train.threads={threads}", f"name=with-{threads}")
        lossbench("train", "--config", "run.yaml", "--quiet", *settings, check=0)
        return tmp_path / "runs" / f"with-{threads}"

    return trained
