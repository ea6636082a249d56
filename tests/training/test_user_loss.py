"""A user's loss with state or random numbers has equal bytes alone, among trials and continued, or is refused."""

import random
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from run_tables import tables

from lossbench import errors
from lossbench.config import resolve
from lossbench.losses import expression, in_memory, plugin, registry
from lossbench.runs import read
from lossbench.training import identify, settings, train, user_loss_check, verify
from lossbench.training.progress import Silent
from lossbench.training.setup import set_up

HEAD = """
import functools, itertools, random, secrets, time, uuid
from typing import Annotated

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from lossbench.losses.types import State, Uniform

def _ce(y_true, y_pred):
    return -ops.sum(y_true * ops.log_softmax(y_pred), axis=-1)
"""


def function(body, head=""):
    """A loss that is a function."""
    return f"{HEAD}\n{head}\ndef mine(y_true, y_pred):\n    {body}\n"


def factory(head, body):
    """A loss in a factory."""
    return f"{HEAD}\ndef mine(rate=0.01):\n    {head}\n    def loss(y_true, y_pred):\n        {body}\n    return loss\n"


def subclass(head, body):
    """A loss that is a Keras loss."""
    return (
        f"{HEAD}\nclass mine(keras.losses.Loss):\n    def __init__(self):\n        super().__init__()\n"
        f"        {head}\n\n    def call(self, y_true, y_pred):\n        {body}\n"
    )


WEIGHTED = "return _ce(y_true, y_pred) * ops.exp(-0.05 * {})"
NOISY = "return _ce(y_true, y_pred + {})"
LAZY = "if not made:\n        made.append({})\n    made[0].assign_add(1.0)\n    " + WEIGHTED.format("made[0]")

KEPT = {
    "variable of the module": function(
        f"step.assign_add(1.0)\n    {WEIGHTED.format('step')}", "step = tf.Variable(0.0)"
    ),
    "variable of Keras": function(f"step.assign_add(1.0)\n    {WEIGHTED.format('step')}", "step = keras.Variable(0.0)"),
    "variable with an integer": function(
        f"step.assign_add(1)\n    {WEIGHTED.format('tf.cast(step, tf.float32)')}",
        "step = tf.Variable(0, dtype=tf.int64)",
    ),
    "variable in bfloat16": function(
        f"step.assign_add(tf.ones([], tf.bfloat16))\n    {WEIGHTED.format('tf.cast(step, tf.float32)')}",
        "step = tf.Variable(0.0, dtype=tf.bfloat16)",
    ),
    "variable of a factory": factory(
        "step = tf.Variable(0.0)", f"step.assign_add(1.0)\n        {WEIGHTED.format('step')}"
    ),
    "variable of an instance": subclass(
        "self.step = tf.Variable(3.0); self.step.assign(0.0)",
        f"self.step.assign_add(1.0)\n        {WEIGHTED.format('self.step')}",
    ),
    "variable of a class": (
        f"{HEAD}\nclass mine(keras.losses.Loss):\n    step = tf.Variable(0.0)\n\n    def call(self, y_true, y_pred):\n"
        f"        self.step.assign_add(1.0)\n        {WEIGHTED.format('self.step')}\n"
    ),
    "variable of a default": (
        f"{HEAD}\ndef mine(y_true, y_pred):\n    return _inner(y_true, y_pred)\n\n"
        f"def _inner(y_true, y_pred, step=tf.Variable(0.0)):\n    step.assign_add(1.0)\n    {WEIGHTED.format('step')}\n"
    ),
    "variable of the first call": function(LAZY.format("tf.Variable(0.0)"), "made = []"),
    "Keras' variable of the first call": function(LAZY.format("keras.Variable(0.0)"), "made = []"),
    "variable of an instance's first call": subclass(
        "self.step = None",
        "if self.step is None:\n            self.step = tf.Variable(0.0)\n"
        f"        self.step.assign_add(1.0)\n        {WEIGHTED.format('self.step')}",
    ),
    "moving average of logits": function(
        "mean.assign(0.9 * mean + 0.1 * ops.mean(y_pred, axis=0))\n    return _ce(y_true, y_pred - mean)",
        "mean = tf.Variable(tf.zeros([10]))",
    ),
    "metric of Keras": function(
        f"seen.update_state(ops.mean(y_pred))\n    {WEIGHTED.format('seen.result()')}", "seen = keras.metrics.Mean()"
    ),
    "layer of Keras": function(
        "return _ce(y_true, y_pred + 0.1 * layer(y_pred))", "layer = keras.layers.Dense(10, kernel_initializer='ones')"
    ),
    "keras.random": function(NOISY.format("keras.random.normal(ops.shape(y_pred))")),
    "SeedGenerator of the module": function(
        NOISY.format("keras.random.normal(ops.shape(y_pred), seed=draws)"), "draws = keras.random.SeedGenerator()"
    ),
    "SeedGenerator of an instance": subclass(
        "self.draws = keras.random.SeedGenerator()",
        NOISY.format("keras.random.uniform(ops.shape(y_pred), seed=self.draws)"),
    ),
    "dropout of Keras": function(NOISY.format("drop(y_pred, training=True)"), "drop = keras.layers.Dropout(0.5)"),
    "tf.random.Generator": function(
        NOISY.format("draws.normal(tf.shape(y_pred))"), "draws = tf.random.Generator.from_seed(1)"
    ),
    "global generator of TensorFlow": function(
        NOISY.format("tf.random.get_global_generator().normal(tf.shape(y_pred))")
    ),
    "stateless numbers by step": function(
        f"step.assign_add(1)\n    {NOISY.format('tf.random.stateless_normal(tf.shape(y_pred), [step, 7])')}",
        "step = tf.Variable(0)",
    ),
    "numpy.random of the module": function(
        NOISY.format("shift"), "shift = np.random.normal(size=10).astype('float32')"
    ),
    "random of the module": function(WEIGHTED.format("shift"), "shift = random.random()"),
    "random of an instance": subclass("self.shift = random.gauss(0, 1)", WEIGHTED.format("self.shift")),
    "tf.random of the module": function(NOISY.format("shift"), "shift = tf.random.normal([10])"),
    "default_rng with a seed": function(NOISY.format("np.random.default_rng(1).normal(size=10).astype('float32')")),
    "cache of a pure function": function(
        NOISY.format("noise(3)"),
        "@functools.lru_cache\ndef noise(n):\n    return np.linspace(0, n, 10, dtype='float32')",
    ),
    "dictionary of constants": function(
        f"if 0 not in made:\n        made[0] = np.linspace(0, 1, 10, dtype='float32')\n    {NOISY.format('made[0]')}",
        "made = {}",
    ),
    "tensor kept in an object of the standard library": function(
        "kept.last = _ce(y_true, y_pred)\n    return kept.last", "import argparse\nkept = argparse.Namespace(last=None)"
    ),
    "layer with a regularizer": function(
        "return _ce(y_true, layer(y_pred))",
        "layer = keras.layers.Dense(10, kernel_initializer='ones', activity_regularizer='l2')",
    ),
    "model of Keras": function(
        "return _ce(y_true, y_pred + 0.1 * model(y_pred))",
        "model = keras.Sequential([keras.Input([10]), *[keras.layers.Dense(10, 'relu') for _ in range(12)]])",
    ),
    "logger and lock": function(
        "with lock:\n        log.debug('called')\n    return _ce(y_true, y_pred)",
        "import logging, threading\nlog, lock = logging.getLogger('mine'), threading.RLock()",
    ),
    "tensor kept to look at": subclass("self.last = None", "self.last = _ce(y_true, y_pred)\n        return self.last"),
    "State": (
        f"{HEAD}\ndef mine(y_true, y_pred, *, step: Annotated[object, State((), 0.0)]):\n"
        "    return _ce(y_true, y_pred) * ops.exp(-0.05 * step), {'step': step + 1}\n"
    ),
    "Uniform": f"{HEAD}\ndef mine(y_true, y_pred, *, uniform: Uniform):\n    return _ce(y_true, y_pred + uniform)\n",
}
"""Losses whose runs have equal bytes, however they are trained."""

STATE = r"changes ['\"]{}['\"] while it is called\. .*`State`: lossbench guide own-loss"
DRAWS = r"draws from '{}'\. .*: Uniform`: lossbench guide own-loss"
OPERATION = r"draws random numbers by TensorFlow's {}.*\(line \d+\); .*: Uniform`: lossbench guide own-loss"
OTHER = "returns other numbers for the same batch after another batch.*`State`.*: Uniform`"
COUNTED = "global step\n    step += 1\n    " + WEIGHTED.format("step")

REFUSED = {
    "counter of the module": (function(COUNTED, "step = 0"), STATE.format("step")),
    "counter in a list": (
        function(f"steps[0] += 1\n    {WEIGHTED.format('steps[0]')}", "steps = [0]"),
        STATE.format(r"steps\[0\]"),
    ),
    "list that grows": (function("seen.append(1)\n    return _ce(y_true, y_pred)", "seen = []"), STATE.format("seen")),
    "array that changes": (
        function(f"steps[:] += 1\n    {WEIGHTED.format('steps[0]')}", "steps = np.zeros(1, 'float32')"),
        STATE.format("steps"),
    ),
    "counter in a closure": (
        factory("step = 0", f"nonlocal step\n        step += 1\n        {WEIGHTED.format('step')}"),
        STATE.format(r"mine\.step"),
    ),
    "counter of an instance": (
        subclass("self.step = 0", f"self.step += 1\n        {WEIGHTED.format('self.step')}"),
        STATE.format(r"mine\.step"),
    ),
    "counter of a class": (
        subclass("pass\n    step = 0", f"mine.step += 1\n        {WEIGHTED.format('self.step')}"),
        STATE.format(r"mine\.step"),
    ),
    "counter of a function": (
        function(f"mine.step = getattr(mine, 'step', 0) + 1\n    {WEIGHTED.format('mine.step')}"),
        STATE.format(r"mine\.step"),
    ),
    "counter in a default": (
        function(
            "return _inner(y_true, y_pred)",
            f"def _inner(y_true, y_pred, steps=[0]):\n    steps[0] += 1\n    {WEIGHTED.format('steps[0]')}\n",
        ),
        STATE.format(r"_inner\[0\]\[0\]"),
    ),
    "counter in an object": (
        function(
            f"counter.step += 1\n    {WEIGHTED.format('counter.step')}",
            "class Counter:\n    __slots__ = ['step']\n\ncounter = Counter()\ncounter.step = 0",
        ),
        STATE.format(r"counter\.step"),
    ),
    "counter in a tf.function": (
        f"{HEAD}\nstep = 0\n@tf.function\ndef mine(y_true, y_pred):\n    {COUNTED}\n",
        STATE.format("step"),
    ),
    "counter of a late switch": (
        function("global step\n    step += 1\n    return _ce(y_true, y_pred) * (2 if step > 1000 else 1)", "step = 0"),
        STATE.format("step"),
    ),
    "iterator": (function(WEIGHTED.format("next(steps)"), "steps = itertools.count()"), STATE.format("steps")),
    "iterator of a list": (
        function(WEIGHTED.format("next(steps)"), "steps = iter([1, 2, 3])"),
        STATE.format("steps.*"),
    ),
    "generator": (
        function(WEIGHTED.format("next(steps)"), "def count():\n    yield from range(9)\nsteps = count()"),
        STATE.format("steps.*"),
    ),
    "previous logits": (
        function(
            "made.setdefault('first', y_pred)\n    return _ce(y_true, y_pred - ops.mean(made['first'], axis=0))",
            "made = {}",
        ),
        OTHER,
    ),
    "random": (function(WEIGHTED.format("random.random()")), DRAWS.format("random")),
    "numpy.random": (
        function(NOISY.format("np.random.normal(size=10).astype('float32')")),
        DRAWS.format(r"numpy\.random"),
    ),
    "generator of NumPy": (
        function(WEIGHTED.format("draws.normal()"), "draws = np.random.default_rng(0)"),
        DRAWS.format("draws"),
    ),
    "generator of Python": (
        function(WEIGHTED.format("draws.random()"), "draws = random.Random(0)"),
        DRAWS.format("draws"),
    ),
    "default_rng without a seed": (function(WEIGHTED.format("np.random.default_rng().normal()")), OTHER),
    "default_rng without a seed in the module": (
        function(WEIGHTED.format("shift"), "shift = np.random.default_rng().normal()"),
        OTHER,
    ),
    "numbers of the system": (function(WEIGHTED.format("secrets.randbelow(10 ** 6) / 1e6")), OTHER),
    "random in a NumPy function": (
        function(NOISY.format("tf.numpy_function(lambda: np.float32(np.random.normal()), [], tf.float32)")),
        DRAWS.format(r"numpy\.random"),
    ),
    "generator without a seed": (
        function(
            NOISY.format("draws.normal(tf.shape(y_pred))"), "draws = tf.random.Generator.from_non_deterministic_state()"
        ),
        "has variables that start with other values each time.*: Uniform`",
    ),
    "tf.random.normal": (
        function(NOISY.format("tf.random.normal(tf.shape(y_pred))")),
        OPERATION.format("RandomStandardNormal"),
    ),
    "tf.random.normal with a seed": (
        function(NOISY.format("tf.random.normal(tf.shape(y_pred), seed=3)")),
        OPERATION.format("RandomStandardNormal"),
    ),
    "tf.random.uniform": (
        function(NOISY.format("tf.random.uniform(tf.shape(y_pred))")),
        OPERATION.format("RandomUniform"),
    ),
    "tf.random.shuffle": (function(NOISY.format("tf.random.shuffle(y_pred)")), OPERATION.format("RandomShuffle")),
    "tf.nn.dropout": (function("return _ce(y_true, tf.nn.dropout(y_pred, 0.5))"), OPERATION.format("RandomUniform")),
    "tf.random in a gradient": (
        function(
            "return _ce(y_true, bent(y_pred))",
            "@tf.custom_gradient\ndef bent(x):\n    return x, lambda d: d * tf.random.uniform(tf.shape(d))",
        ),
        OPERATION.format("RandomUniform"),
    ),
    "table": (
        function(
            "table.insert(0, table.lookup(0) + 1.0)\n    " + WEIGHTED.format("table.lookup(0)"),
            "table = tf.lookup.experimental.MutableHashTable(tf.int32, tf.float32, 0.0)",
        ),
        "(uses TensorFlow's LookupTableInsert.*`State`|returns other numbers)",
    ),
    "clock": (function(WEIGHTED.format("tf.cast(tf.timestamp() % 1, tf.float32)")), "uses TensorFlow's Timestamp"),
    "variable of text": (
        function("step.assign('b')\n    return _ce(y_true, y_pred)", "step = tf.Variable('a')"),
        "is string \\(\\), not numbers of a fixed shape",
    ),
    "variable without a shape": (
        function(
            "memory.assign(y_pred)\n    return _ce(y_true, y_pred)",
            "memory = tf.Variable(tf.zeros([1, 10]), shape=tf.TensorShape([None, 10]))",
        ),
        r"is float32 \(None, 10\), not numbers of a fixed shape",
    ),
}
"""Losses that are refused before training, with the sentence that says why."""


def _counter(head, change, value, name):
    """A loss that counts its calls in an object, and the sentence that refuses it."""
    return function(f"{change}\n    {WEIGHTED.format(value)}", head), STATE.format(name)


COUNTERS = {
    "namespace of argparse": _counter(
        "import argparse\nargs = argparse.Namespace(step=0)", "args.step += 1", "args.step", r"args\.step"
    ),
    "namespace in a namespace": _counter(
        "import argparse\nargs = argparse.Namespace(of=argparse.Namespace(step=0))",
        "args.of.step += 1",
        "args.of.step",
        r"args\.of\.step",
    ),
    "bound method of an iterator": _counter("tick = itertools.count(1).__next__", "", "tick()", "tick"),
    "bound method of a list": _counter("seen = []\nnote = seen.append\ndel seen", "note(1)", "1", "note"),
    "bound method in a partial": _counter(
        "tick = functools.partial(next, itertools.count(1))", "", "tick()", r"tick.*"
    ),
    "attribute of a Keras loss": _counter(
        "ce = keras.losses.CategoricalCrossentropy()\nce.step = 0", "ce.step += 1", "ce.step", r"ce\.step"
    ),
    "private attribute of a Keras loss": _counter(
        "ce = keras.losses.CategoricalCrossentropy()\nce._step = 0", "ce._step += 1", "ce._step", r"ce\._step"
    ),
    "list of a Keras loss": _counter(
        "ce = keras.losses.CategoricalCrossentropy()\nce.steps = [0]",
        "ce.steps[0] += 1",
        "ce.steps[0]",
        r"ce\.steps\[0\]",
    ),
    "attribute of a Keras layer": _counter(
        "layer = keras.layers.Dense(10)\nlayer.step = 0", "layer.step += 1", "layer.step", r"layer\.step"
    ),
    "attribute of a variable": _counter(
        "kept = tf.Variable(0.0)\nkept.step = 0", "kept.step += 1", "kept.step", r"kept\.step"
    ),
    "attribute of tf.Module": _counter(
        "kept = tf.Module()\nkept.step = 0", "kept.step += 1", "kept.step", r"kept\.step"
    ),
    "attribute of a tf.function": _counter(
        "inner = tf.function(_ce)\ninner.step = 0", "inner.step += 1", "inner.step", r"inner\.step"
    ),
    "attribute of a cached function": _counter(
        "inner = functools.lru_cache(abs)\ninner.step = 0", "inner.step += 1", "inner.step", r"inner\.step"
    ),
    "attribute of a package": _counter("tf.counted = 0", "tf.counted += 1", "tf.counted", r"tf\.counted"),
    "attribute of a package's class": _counter(
        "from fractions import Fraction\nFraction.counted = 0",
        "Fraction.counted += 1",
        "Fraction.counted",
        r"Fraction\.counted",
    ),
    "attribute of a package's function": _counter(
        "relu = ops.relu\nrelu.counted = 0", "relu.counted += 1", "relu.counted", r"relu\.counted"
    ),
    "array of Python": _counter("import array\nsteps = array.array('i', [0])", "steps[0] += 1", "steps[0]", "steps"),
    "number of ctypes": _counter("import ctypes\nstep = ctypes.c_int(0)", "step.value += 1", "step.value", "step"),
    "local of a thread": _counter(
        "import threading\nkept = threading.local()\nkept.step = 0", "kept.step += 1", "kept.step", r"kept\.step"
    ),
    "variable of a context": _counter(
        "import contextvars\nstep = contextvars.ContextVar('step', default=0)",
        "step.set(step.get() + 1)",
        "step.get()",
        "step",
    ),
    "queue": _counter("import queue\nseen = queue.Queue()", "seen.put(1)", "seen.qsize()", "seen.*"),
    "simple queue": _counter("import queue\nseen = queue.SimpleQueue()", "seen.put(1)", "seen.qsize()", "seen"),
    "text buffer": _counter("import io\ntext = io.StringIO()", "text.write('a')", "text.tell()", "text"),
    "byte buffer": _counter("import io\ntext = io.BytesIO()", "text.write(b'a')", "text.tell()", "text"),
    "decimal": _counter("import decimal\nstep = decimal.Decimal(0)", "global step; step += 1", "float(step)", "step"),
    "date": _counter(
        "import datetime\nday = datetime.date(2020, 1, 1)",
        "global day; day += datetime.timedelta(1)",
        "day.toordinal()",
        "day",
    ),
    "fraction": _counter(
        "import fractions\nstep = fractions.Fraction(0)", "global step; step += 1", "float(step)", "step.*"
    ),
    "chained mapping": _counter(
        "import collections\nkept = collections.UserDict(step=0)",
        "kept['step'] += 1",
        "kept['step']",
        r"kept\.data\['step'\]",
    ),
    "member of an enumeration": _counter(
        "import enum\nclass Kind(enum.Enum):\n    A = 1\nKind.A.step = 0",
        "Kind.A.step += 1",
        "Kind.A.step",
        r"Kind\..*\.step",
    ),
    "subclass of int": _counter(
        "class Whole(int):\n    pass\nkept = Whole(1)\nkept.step = 0", "kept.step += 1", "kept.step", r"kept\.step"
    ),
    "subclass of float": _counter(
        "class Rate(float):\n    pass\nkept = Rate(1)\nkept.step = 0", "kept.step += 1", "kept.step", r"kept\.step"
    ),
    "name with underscores": _counter("__step__ = 0", "global __step__; __step__ += 1", "__step__", "__step__"),
    "private name": _counter("__step = 0", "global __step; __step += 1", "__step", "__step"),
    "private slot": _counter(
        "class Counter:\n    __slots__ = '__step'\n    def __init__(self):\n        self.__step = 0\n"
        "    def up(self):\n        self.__step += 1\n        return self.__step\nkept = Counter()",
        "",
        "kept.up()",
        r"kept\._Counter__step",
    ),
    "default of a special method": _counter(
        "class Counter:\n    def __call__(self, seen=[0]):\n        seen[0] += 1\n        return seen[0]\n"
        "up = Counter()",
        "",
        "up()",
        r".*__call__\[0\]\[0\]",
    ),
    "environment": _counter(
        "import os\nos.environ['COUNTED_STEPS'] = '0'",
        "os.environ['COUNTED_STEPS'] = str(int(os.environ['COUNTED_STEPS']) + 1)",
        "int(os.environ['COUNTED_STEPS'])",
        r"os\.environ\['COUNTED_STEPS'\]",
    ),
}
"""Counters in objects of other types than a user's own, each refused with its name."""


@pytest.fixture
def config(few_images):
    """Ten batches in each of two epochs."""
    return {"name": "mine", "loss": "mine", "data": few_images, "train": {"epochs": 2, "batch_size": 50, "threads": 1}}


@pytest.fixture
def mine(tmp_path):
    """A function that loads a plugin with this source; forgotten afterwards."""

    def load(source):
        path = tmp_path / "mine.py"
        path.write_text(source)
        return plugin.load(path)

    yield load
    registry.clear_plugins()


class Stop(Silent):
    """Sends SIGTERM once, in the middle of the second epoch."""

    sent = False

    def steps(self, epoch, *, share, **_):
        """Stop."""
        if epoch == 1 and share >= 0.4 and not self.sent:
            self.sent = True
            signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            source, id=name, marks=[] if name == "variable of an instance's first call" else [pytest.mark.slow]
        )
        for name, source in KEPT.items()
    ],
)
def test_a_trial_has_the_same_bytes_however_it_is_trained(source, config, mine, tmp_path, monkeypatch):
    """Alone, after a trial of another seed, interrupted and continued, and by `verify`."""
    loaded = mine(source)

    def trained(where, seed=1, **options):
        trial = identify(resolve.from_mapping(config | {"seed": seed}), [loaded])
        return train(trial, runs_dir=tmp_path / where, plugins=[loaded], **options)

    alone = trained("alone")
    trained("other", seed=2)
    trained("after")
    monkeypatch.setattr("lossbench.training.trainer.CHUNK_SECONDS", 1e-9)
    with pytest.raises(errors.InterruptedRunError):
        trained("continued", progress=Stop())
    trained("continued")
    expected = tables(tmp_path / "alone" / "mine")
    assert len(expected) == 4
    assert tables(tmp_path / "after" / "mine") == expected
    assert tables(tmp_path / "continued" / "mine") == expected
    run = read.read(alone.run)
    with verify.trained_again(run, verify.trial_of(run, [loaded]), plugins=[loaded]) as again:
        assert read.history(again.folder)[-1]["loss"] == read.history(alone.run)[-1]["loss"]


@pytest.mark.parametrize("source", KEPT.values(), ids=KEPT)
@pytest.mark.slow
def test_losses_with_state_that_can_be_saved_are_accepted(source, mine):
    """Before training, as often as it is checked."""
    mine(source)
    for _ in range(2):
        user_loss_check.check(expression.parse("mine"), 10, {}, seed=1)


@pytest.mark.parametrize(("source", "message"), REFUSED.values(), ids=REFUSED)
def test_state_that_cannot_be_saved_is_refused_before_training(source, message, config, mine, tmp_path):
    """With the file, what changes and what to write instead; nothing is written."""
    loaded = mine(source)
    trial = identify(resolve.from_mapping(config), [loaded])
    with pytest.raises(errors.PluginError, match=message) as caught:
        train(trial, runs_dir=tmp_path / "runs", plugins=[loaded])
    assert str(caught.value).startswith(f"{loaded.path}: the loss 'mine' ")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("source", "message"), COUNTERS.values(), ids=COUNTERS)
def test_counters_in_objects_of_any_type_are_refused(source, message, mine):
    """With the name under which the file reaches them."""
    mine(source)
    with pytest.raises(errors.PluginError, match=message):
        user_loss_check.check(expression.parse("mine"), 10, {}, seed=1)


def test_a_counter_that_no_object_shows_is_found_by_its_numbers(mine):
    """A warm-up of five calls, counted in a file that the code opens in each call."""
    mine(
        function(
            "with open(path, 'a') as file:\n        file.write('.')\n"
            "    return _ce(y_true, y_pred) * (1 if os.path.getsize(path) % 1000 > 5 else 2)",
            "import os, tempfile\npath = tempfile.mkstemp()[1]",
        )
    )
    with pytest.raises(errors.PluginError, match=r"for the same batch after some calls\. .*`State`.*: Uniform`"):
        user_loss_check.check(expression.parse("mine"), 10, {}, seed=1)


@pytest.mark.parametrize(
    "switch", ["tf.config.run_functions_eagerly(True)", "tf.config.experimental_run_functions_eagerly(True)"]
)
def test_a_file_that_runs_functions_eagerly_is_compiled_all_the_same(switch, mine):
    """The switch does not reach the check, nor the next file; one line says that it is reset."""
    with pytest.warns(UserWarning, match="run_functions_eagerly is switched off again") as warned:
        mine(function("return _ce(y_true, y_pred)", switch))
    assert not tf.config.functions_run_eagerly()
    for _ in range(2):  # another warning would be an error
        user_loss_check.try_loss(expression.parse("mine"), 10, {}, seed=1)
    assert not tf.config.functions_run_eagerly()
    assert [(Path(each.filename).name, each.lineno) for each in warned] == [("mine.py", HEAD.count("\n") + 2)]


CHANGES = {
    "set_floatx": "keras.config.set_floatx('float64')",
    "set_floatx of tf.keras": "tf.keras.backend.set_floatx('float16')",
    "set_epsilon": "keras.config.set_epsilon(0.1)",
    "set_image_data_format": "keras.config.set_image_data_format('channels_first')",
    "policy": "keras.mixed_precision.set_global_policy('mixed_float16')",
}


@pytest.mark.parametrize(("name", "change"), CHANGES.items())
@pytest.mark.parametrize("where", ["file", "constructor", "call"])
def test_a_file_changes_no_setting_of_the_process(name, change, where, mine):
    """Neither when it is executed nor in a call, so no other loss computes with it; one line says so."""
    before = settings.current()
    body = "return _ce(y_true, y_pred)"
    sources = {"file": function(body, change), "constructor": subclass(change, body)}
    sources["call"] = function(f"{change}\n    {body}")

    def tried():
        mine(sources[where])
        user_loss_check.try_loss(expression.parse("mine"), 10, {}, seed=1)

    with pytest.warns(UserWarning, match=f"^{name.partition(' ')[0]} has no effect: .*; remove it$") as warned:
        tried()
    after = settings.current()
    assert (after.pop("dtype_policy").name, before.pop("dtype_policy").name) == ("float32", "float32")
    assert after == before
    lines = sources[where].splitlines()
    assert [lines[each.lineno - 1].strip() for each in warned] == [change]


def test_a_variable_around_a_loss_in_memory_is_refused_with_what_helps():
    """The advice is not to keep it in a variable, which it is."""
    kept = tf.Variable(0.0)
    steps = [0]

    def in_variable(y_true, y_pred):
        return tf.nn.softmax_cross_entropy_with_logits(y_true, y_pred) * tf.exp(kept)

    def in_list(y_true, y_pred):
        steps[0] += 1
        return tf.nn.softmax_cross_entropy_with_logits(y_true, y_pred) * steps[0]

    try:
        for loss, reason in {in_variable: "uses the variable 'Variable:0' from outside", in_list: "changes"}.items():
            config, _ = in_memory.register_losses({"loss": loss})
            with pytest.raises(errors.PluginError, match=reason) as caught:
                user_loss_check.check(expression.parse(config["loss"]), 10, {}, seed=1)
            assert "put the loss in a file, create the variable in a constructor or factory" in str(caught.value)
            assert "keep it in a tf.Variable" not in str(caught.value)
    finally:
        registry.clear_plugins()


def test_validation_leaves_the_state_of_training_alone(config, mine, tmp_path):
    """A variable counts 10 steps per epoch; `val_loss` sees the number without changing it."""
    loaded = mine(
        function(
            "step.assign_add(1.0)\n    loss = _ce(y_true, y_pred)\n    return loss - ops.stop_gradient(loss) + step",
            "step = tf.Variable(0.0, trainable=False)",
        )
    )
    rows = read.history(
        train(identify(resolve.from_mapping(config), [loaded]), runs_dir=tmp_path / "runs", plugins=[loaded]).run
    )
    assert [row["loss"] for row in rows] == [5.5, 15.5]
    assert [row["val_loss"] for row in rows] == [11, 21]


def test_global_generators_are_left_as_they_were(config, mine):
    """A notebook's own random numbers do not change when it trains with a loss that draws some."""
    loaded = mine(KEPT["numpy.random of the module"])
    trial = identify(resolve.from_mapping(config), [loaded])
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002  # the global one is meant
    set_up(trial, device="cpu", threads=1)
    drawn = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    assert drawn == (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002


def test_a_step_that_cannot_be_compiled_is_an_error_with_its_line(config, mine, tmp_path):
    """A fault that only symbolic tensors meet."""
    loaded = mine(function("return _ce(y_true, y_pred) * float(ops.mean(y_pred))"))
    with pytest.raises(errors.PluginError, match=r"mine\.py:\d+: "):
        train(identify(resolve.from_mapping(config), [loaded]), runs_dir=tmp_path / "runs", plugins=[loaded])
    assert not (tmp_path / "runs").exists()
