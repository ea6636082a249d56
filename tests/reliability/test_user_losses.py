"""Losses of a user's file give the same bytes alone, in a sweep, after a kill, and to `verify`."""

import time

import pytest
from disturb import complete, finish, kill, moment, start, study, tries
from run_tables import tables

pytestmark = pytest.mark.slow

OWN = """
import keras
import tensorflow as tf

STEP = tf.Variable(0.0, trainable=False)


def cross_entropy(y_true, y_pred):
    return tf.nn.softmax_cross_entropy_with_logits(y_true, y_pred)


def annealed(y_true, y_pred, *, rate: float = 0.01):
    STEP.assign_add(1.0)
    return tf.exp(-rate * STEP) * cross_entropy(y_true, y_pred) + 0.1 * tf.reduce_sum(y_pred**2, -1)


def jittered(y_true, y_pred):
    return cross_entropy(y_true, y_pred + keras.random.normal(tf.shape(y_pred)))


def weighted(y_true, y_pred, class_weight={0: 5.0}, offset=None):
    assert isinstance(class_weight, dict) and isinstance(offset, list)
    weights = tf.constant([class_weight.get(index, 1.0) for index in range(10)])
    return tf.reduce_sum(y_true * weights, -1) * cross_entropy(y_true, y_pred + tf.constant(offset, tf.float32))
"""
CASES = ("annealed", "jittered", "{name: weighted, class_weight: {1: 3}, offset: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]}")
STUDY = "name: study\ndata: {train_size: 3000, validation_size: 500}\ntrain: {epochs: 3, threads: 1}\n"
SWEEP = f"{STUDY}sweep: {{cases: [{', '.join(f'{{loss: {case}}}' for case in CASES)}], seeds: 0-1}}\n"


def own_study(folder, text):
    """A study's folder with the user's file beside it."""
    (study(folder, text) / "own.py").write_text(OWN)
    return folder


def swept(folder, *arguments):
    """Start the sweep with the user's file."""
    return start(folder, "sweep", "--config", "study.yaml", "--plugin", "own.py", "--quiet", *arguments)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The folder in which each trial was trained by a command of its own."""
    folder = own_study(tmp_path_factory.mktemp("alone"), STUDY)
    for case in CASES:
        for seed in (0, 1):
            arguments = ("--config", "study.yaml", "--plugin", "own.py", "--quiet", f"loss={case}", f"seed={seed}")
            finish(start(folder, "train", *arguments))
    return folder


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sweep_trains_the_numbers_of_single_runs(jobs, alone, tmp_path):
    """Neither the trial before in the same process nor the number of workers changes a number."""
    folder = own_study(tmp_path / "study", SWEEP)
    finish(swept(folder, "--jobs", str(jobs)))
    complete(folder, tables(alone / "runs" / "study"))


@pytest.mark.parametrize("number", tries(1))
def test_a_killed_sweep_continues_to_the_numbers_of_single_runs(number, alone, tmp_path):
    """Variables and random numbers continue where the checkpoint has them."""
    folder = own_study(tmp_path / "study", SWEEP)
    process = swept(folder, "--jobs", "2")
    time.sleep(moment(number, 5, 20))
    kill(process)
    finish(swept(folder, "--jobs", "2"))
    complete(folder, tables(alone / "runs" / "study"))


def test_verify_finds_equal_numbers(alone):
    """For each loss."""
    for run in sorted((alone / "runs" / "study").glob("*-s1-*")):
        finish(start(alone, "verify", str(run), "--plugin", "own.py"))
