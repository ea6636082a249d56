"""The training step compiled by XLA: every loss, any number of threads, and losses that cannot be compiled."""

import json
import subprocess
import sys

import numpy as np
import pytest

from lossbench.config import resolve
from lossbench.losses import expression, plugin, registry
from lossbench.runs import read
from lossbench.training import checkpoint, identify, runtime, train
from lossbench.training.progress import Silent
from lossbench.training.setup import set_up


class Notes(Silent):
    """Progress that keeps the sentences for the user."""

    def __init__(self):
        """Start with none."""
        self.notes = []

    def note(self, sentence):
        """Keep it."""
        self.notes.append(sentence)


@pytest.fixture
def compiles(monkeypatch):
    """Any number of steps is worth compiling."""
    monkeypatch.setattr(runtime, "FEWEST_STEPS", 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.signatures())
def test_every_loss_is_compiled_and_trains_the_same_weights(name, monkeypatch):
    """Eight steps of a small MLP with and without XLA: weights within 1e-3."""
    config = {"loss": name, "data": {"train_size": 512, "validation_size": 100}, "train": {"threads": 1}}
    config["model"] = {"name": "mlp", "hidden": [16]}
    if expression.needs_head(expression.parse(name)):
        config["model"]["head"] = "cosine"
    weights = []
    for fewest in (0, 10**9):
        monkeypatch.setattr(runtime, "FEWEST_STEPS", fewest)
        setup = set_up(identify(resolve.from_mapping(config)), device="cpu", threads=1)
        setup.loop.begin_epoch(0)
        setup.loop.steps(np.arange(512, dtype=np.int32).reshape(8, 64), np.full(8, 1e-3))
        weights.append([each.numpy() for each in setup.model.weights])
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


DIGEST = """
import hashlib, json, sys
import numpy as np
from lossbench.config import resolve
from lossbench.training import identify, runtime
from lossbench.training.setup import set_up

runtime.FEWEST_STEPS = 0
for config in json.loads(sys.argv[1]):
    setup = set_up(identify(resolve.from_mapping(config)), device="cpu", threads=int(sys.argv[2]))
    size = config["train"]["batch_size"]
    order = np.random.default_rng(0).integers(0, 2048, (9, size)).astype(np.int32)
    setup.loop.begin_epoch(0)
    setup.loop.steps(order[:8], np.full(8, 1e-3))
    setup.loop.steps(order[8:, : size * 3 // 8], np.full(1, 1e-3))
    numbers = b"".join(variable.numpy().tobytes() for variable in setup.loop.variables)
    print(hashlib.sha256(numbers).hexdigest())
"""


def digests(configs, threads):
    """Those of all variables after some steps, in a process with a number of threads."""
    given = [sys.executable, "-c", DIGEST, json.dumps(configs), str(threads)]
    return subprocess.run(given, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.slow
def test_one_two_and_four_threads_give_the_default_mlp_the_same_bits():
    """Weights, moments and sums, also of the smaller batch at the end."""
    config = [{"data": {"train_size": 2048}, "train": {"batch_size": 64}}]
    one, two, four = (digests(config, threads) for threads in (1, 2, 4))
    assert one == two == four


@pytest.mark.slow
def test_a_run_alone_has_the_bits_of_a_run_in_a_sweep():
    """One thread gives the bits of the default number, for sizes of batches and layers of compiled models."""
    configs = [
        {"model": model, "data": {"train_size": 2048}, "train": {"batch_size": size}}
        for size in (8, 32, 64, 100, 128, 256)
        for model in (*({"name": "mlp", "hidden": hidden} for hidden in ([32], [512, 300], [2000])), "linear", "lenet5")
    ]
    several = [config for config in configs if runtime.default_threads(resolve.from_mapping(config)) > 1]
    assert len(several) == 15, "on a machine of at least two cores"
    assert digests(several, runtime.MOST_THREADS) == digests(several, 1)


OBSTACLES = {
    "py_function": ("tf.py_function(lambda z: z, [ce], tf.float32)", "XLA cannot compile it"),
    "strings": ("ce + tf.strings.to_number(tf.strings.as_string(ce)) * 0", "XLA cannot compile it"),
    "print": ("_printed(ce)", "XLA cannot compile it"),
    "assertion": ("_asserted(ce)", "XLA leaves out its Assert"),
}
USERS = '''
"""Cross-entropy with an operation that only TensorFlow's own executor knows."""
import tensorflow as tf

def _printed(ce):
    tf.print("mean", tf.reduce_mean(ce), output_stream="file:///dev/null")
    return ce

def _asserted(ce):
    with tf.control_dependencies([tf.debugging.assert_less(ce, 1e9)]):
        return tf.identity(ce)

def mine(y_true, y_pred):
    """Cross-entropy."""
    ce = tf.nn.softmax_cross_entropy_with_logits(y_true, y_pred)
    result = {result}
    return tf.reshape(result, tf.shape(ce))
'''


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.usefixtures("compiles")
def test_a_loss_that_xla_cannot_compile_trains_without_it_and_says_so(obstacle, tmp_path):
    """One sentence names the loss and the reason; the run completes."""
    result, reason = OBSTACLES[obstacle]
    path = tmp_path / "users.py"
    path.write_text(USERS.replace("{result}", result))
    loaded = [plugin.load(path)]
    config = {"loss": "mine", "data": {"train_size": 500, "validation_size": 100}, "train": {"epochs": 1}}
    notes = Notes()
    done = train(identify(resolve.from_mapping(config), loaded), runs_dir=tmp_path, plugins=loaded, progress=notes)
    registry.clear_plugins()
    assert done.status == "completed"
    (note,) = notes.notes
    assert note.startswith(f"loss mine: {reason}")
    assert note.endswith("the training runs without XLA, which is slower")


def test_a_checkpoint_of_another_version_is_not_continued(tmp_path, monkeypatch):
    """Its numbers differ in the last digits: the run starts again, and a sentence says so."""
    config = {"data": {"train_size": 200, "validation_size": 100}, "train": {"epochs": 2}}
    trial = identify(resolve.from_mapping(config))
    expected = train(trial, runs_dir=tmp_path / "whole").run
    saved = []
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", -1.0)
    original = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", lambda *given: saved.append(given) or original(*given))
    monkeypatch.setattr(checkpoint, "remove", lambda _: None)
    run = train(trial, runs_dir=tmp_path / "again").run
    (run / "run.json").unlink()
    folder, identity, state = saved[0]
    original(folder, identity, checkpoint.Checkpoint(state.position, state.variables, state.best_weights, "0.1.0"))
    notes = Notes()
    assert train(trial, runs_dir=tmp_path / "again", progress=notes).status == "completed"
    (note,) = notes.notes
    assert "training starts again: numbers of lossbench 0.1.0 and" in note
    assert read.read(run).summary["metrics"] == read.read(expected).summary["metrics"]
