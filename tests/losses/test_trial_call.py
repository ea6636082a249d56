"""Trial calls before training: losses that need other inputs, have no gradient, or cannot be compiled."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossbench.errors import PluginError
from lossbench.losses import behaviour, binding, expression, plugin, registry
from lossbench.losses.trial_call import try_call
from lossbench.training.differentiate import differentiate

CLASSES = 10

HEAD = """
import functools
import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops


def _clip(p):
    return tf.clip_by_value(p, 1e-7, 1 - 1e-7)


def _ce(y, z):
    return tf.nn.softmax_cross_entropy_with_logits(y, z)


def _margin(y, z):
    return tf.reduce_sum(y * z, -1) - tf.reduce_max(z - 1e9 * y, -1)

"""

OF_PROBABILITIES = {
    "crossentropy": "return -tf.reduce_sum(y_true * tf.math.log(_clip(y_pred)), -1)",
    "crossentropy_plus_epsilon": "return -tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-8), -1)",
    "crossentropy_maximum": "return -tf.reduce_sum(y_true * tf.math.log(tf.maximum(y_pred, 1e-8)), -1)",
    "crossentropy_normalized": "p = y_pred / tf.reduce_sum(y_pred, -1, keepdims=True)\n"
    "    return -tf.reduce_sum(y_true * tf.math.log(_clip(p)), -1)",
    "keras_crossentropy": "return keras.losses.categorical_crossentropy(y_true, y_pred)",
    "keras_crossentropy_smoothed": "return keras.losses.categorical_crossentropy(y_true, y_pred, label_smoothing=0.1)",
    "keras_crossentropy_class": "return keras.losses.CategoricalCrossentropy()(y_true, y_pred)",
    "keras_binary": "return keras.losses.binary_crossentropy(y_true, y_pred)",
    "keras_focal": "return keras.losses.categorical_focal_crossentropy(y_true, y_pred)",
    "keras_binary_focal": "return keras.losses.binary_focal_crossentropy(y_true, y_pred)",
    "keras_kl": "return keras.losses.kl_divergence(y_true, y_pred)",
    "keras_poisson": "return keras.losses.poisson(y_true, y_pred)",
    "keras_sparse": "return keras.losses.sparse_categorical_crossentropy(tf.argmax(y_true, -1), y_pred)",
    "focal": "p = _clip(y_pred)\n    return tf.reduce_sum(-y_true * (1 - p) ** 2 * tf.math.log(p), -1)",
    "focal_mean": "p = _clip(y_pred)\n    return tf.reduce_mean(-y_true * 0.25 * (1 - p) ** 2 * tf.math.log(p))",
    "binary_focal": "p = _clip(tf.where(y_true == 1, y_pred, 1 - y_pred))\n"
    "    return -tf.reduce_mean((1 - p) ** 2 * tf.math.log(p), -1)",
    "weighted_binary": "p = _clip(y_pred)\n"
    "    return -tf.reduce_mean(2 * y_true * tf.math.log(p) + (1 - y_true) * tf.math.log(1 - p), -1)",
    "gce": "return (1 - tf.pow(tf.reduce_sum(y_true * y_pred, -1), 0.7)) / 0.7",
    "gce_clipped": "return (1 - tf.pow(tf.clip_by_value(tf.reduce_sum(y_true * y_pred, -1), 1e-7, 1), 0.7)) / 0.7",
    "reverse": "return -tf.reduce_sum(y_pred * tf.math.log(tf.clip_by_value(y_true, 1e-4, 1.0)), -1)",
    "symmetric": "p, t = tf.clip_by_value(y_pred, 1e-7, 1.0), tf.clip_by_value(y_true, 1e-4, 1.0)\n"
    "    return tf.reduce_mean(-0.1 * tf.reduce_sum(y_true * tf.math.log(p), -1)"
    " - tf.reduce_sum(y_pred * tf.math.log(t), -1))",
    "forward": "T = tf.constant(0.78 * np.eye(10) + 0.022, tf.float32)\n"
    "    return -tf.reduce_sum(y_true * tf.math.log(tf.clip_by_value(y_pred, 1e-7, 1.0) @ T), -1)",
    "dice": "return 1 - (2 * tf.reduce_sum(y_true * y_pred) + 1) / (tf.reduce_sum(y_true + y_pred) + 1)",
    "jaccard": "i = tf.reduce_sum(y_true * y_pred, -1)\n    return 1 - i / (tf.reduce_sum(y_true + y_pred, -1) - i)",
    "tversky": "tp, fn = tf.reduce_sum(y_true * y_pred, 0), tf.reduce_sum(y_true * (1 - y_pred), 0)\n"
    "    fp = tf.reduce_sum((1 - y_true) * y_pred, 0)\n"
    "    return 1 - tf.reduce_mean((tp + 1) / (tp + 0.7 * fn + 0.3 * fp + 1))",
    "one_minus_p": "return 1 - tf.reduce_sum(y_true * y_pred, -1)",
    "minus_p": "return -tf.reduce_sum(y_true * y_pred, -1)",
    "taylor": "q = 1 - tf.reduce_sum(y_true * y_pred, -1)\n    return q + q ** 2 / 2",
    "hellinger": "return tf.reduce_sum((tf.sqrt(y_true) - tf.sqrt(y_pred)) ** 2, -1)",
    "jensen_shannon": "p, t = _clip(y_pred), _clip(y_true)\n    m = (p + t) / 2\n"
    "    return tf.reduce_sum(t * tf.math.log(t / m) + p * tf.math.log(p / m), -1) / 2",
    "bootstrap": "p = _clip(y_pred)\n    return -tf.reduce_sum((0.8 * y_true + 0.2 * p) * tf.math.log(p), -1)",
    "entropy_penalty": "p = _clip(y_pred)\n    return tf.reduce_sum((0.1 * p - y_true) * tf.math.log(p), -1)",
    "poly1": "p = tf.reduce_sum(y_true * _clip(y_pred), -1)\n    return -tf.math.log(p) + 1 - p",
}
"""Bodies of losses that were written for probabilities."""

OF_LOGITS = {
    "hardest_images": "hardest = tf.math.top_k(_ce(y_true, y_pred), 2).indices\n"
    "    return tf.reduce_mean(_ce(tf.gather(y_true, hardest), tf.gather(y_pred, hardest)))",
    "per_image": "return tf.vectorized_map(lambda x: _ce(x[0], x[1]), (y_true, y_pred))",
    "crossentropy": "return _ce(y_true, y_pred)",
    "crossentropy_mean": "return tf.reduce_mean(_ce(y_true, y_pred))",
    "keras_from_logits": "return keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)",
    "negative_accuracy": "return -tf.reduce_sum(y_true * tf.nn.softmax(y_pred), -1)",
    "negative_cosine": "return keras.losses.cosine_similarity(y_true, y_pred)",
    "mse": "return tf.reduce_mean((y_true - y_pred) ** 2, -1)",
    "mae": "return tf.reduce_mean(tf.abs(y_true - y_pred), -1)",
    "far_targets": "return tf.reduce_mean((10 * y_true - 5 - y_pred) ** 2, -1)",
    "log_cosh": "return keras.losses.log_cosh(y_true, y_pred)",
    "huber": "return keras.losses.huber(y_true, y_pred)",
    "categorical_hinge": "return keras.losses.categorical_hinge(y_true, y_pred)",
    "hinge": "return keras.losses.hinge(y_true, y_pred)",
    "squared_hinge": "return keras.losses.squared_hinge(y_true, y_pred)",
    "ramp": "return tf.clip_by_value((1 - _margin(y_true, y_pred)) / 2, 0.0, 1.0)",
    "wide_margin": "return tf.nn.relu(5 - _margin(y_true, y_pred))",
    "perceptron": "return tf.reduce_max(y_pred, -1) - tf.reduce_sum(y_true * y_pred, -1)",
    "negative_margin": "return -_margin(y_true, y_pred)",
    "all_margins": "z = tf.reduce_sum(y_true * y_pred, -1, keepdims=True)\n"
    "    return tf.reduce_sum(tf.nn.relu(1 + y_pred - z) * (1 - y_true), -1)",
    "unhinged": "return 1 - tf.reduce_sum(y_true * y_pred, -1) + tf.reduce_mean(y_pred, -1)",
    "exponential": "return tf.reduce_sum(tf.exp((1 - 2 * y_true) * y_pred), -1)",
    "bounded_tanh": "return tf.reduce_sum((2 * y_true - 1 - tf.tanh(y_pred)) ** 2, -1)",
    "confidence_penalty": "p = tf.nn.log_softmax(y_pred)\n"
    "    return _ce(y_true, y_pred) + 0.5 * tf.reduce_sum(tf.exp(p) * p, -1)",
    "clipped_logits": "return _ce(y_true, tf.clip_by_value(y_pred, -2.0, 2.0))",
    "normalized_logits": "return _ce(y_true, 25 * tf.math.l2_normalize(y_pred, -1))",
    "cold": "return _ce(y_true, 30 * y_pred)",
    "hot": "return 1e-6 * _ce(y_true, y_pred / 20)",
    "evidential": "a = tf.nn.relu(y_pred) + 1\n    total = tf.reduce_sum(a, -1, keepdims=True)\n"
    "    return tf.reduce_sum(y_true * (tf.math.digamma(total) - tf.math.digamma(a)), -1)",
    "one_vs_rest": "return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(y_true, y_pred), -1)",
    "contrastive": "z = tf.math.l2_normalize(y_pred, -1)\n    same = y_true @ tf.transpose(y_true)\n"
    "    return _ce(y_true, y_pred) + _ce(same / tf.reduce_sum(same, -1, keepdims=True), 5 * z @ tf.transpose(z))",
    "squared_logits": "return _ce(y_true, y_pred) + 0.01 * tf.reduce_sum(y_pred ** 2, -1)",
}
"""Bodies of losses that were written for logits: negative ones, bounded ones, ones with flat parts."""


def loaded(folder: Path, body: str, name: str = "mine", parameters: str = "y_true, y_pred") -> None:
    """Load a plugin with one loss."""
    path = folder / "my_losses.py"
    path.write_text(f"{HEAD}\ndef {name}({parameters}):\n    {body}\n", encoding="utf-8")
    plugin.load(path)


def tried(value: Any, classes: int = CLASSES) -> None:
    """Try a loss as training does."""
    try_call(expression.parse(value), classes, differentiate=differentiate)


@pytest.mark.parametrize("body", OF_PROBABILITIES.values(), ids=OF_PROBABILITIES)
def test_a_loss_of_probabilities_is_refused_on_logits(tmp_path: Path, body: str) -> None:
    """It is refused unless `outputs` is set, to either value."""
    loaded(tmp_path, body)
    with pytest.raises(PluginError, match=r"my_losses\.py:\d+: .*'mine'.* set `outputs: probabilities`") as caught:
        tried("mine")
    assert "\n" not in str(caught.value)
    tried({"name": "mine", "outputs": "probabilities"})
    tried({"name": "mine", "outputs": "logits"})


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("body", OF_LOGITS.values(), ids=OF_LOGITS)
@pytest.mark.slow
def test_a_loss_of_logits_is_accepted(tmp_path: Path, body: str, classes: int) -> None:
    """Negative values and flat parts are no fault by themselves, for any number of classes."""
    loaded(tmp_path, body)
    tried("mine", classes)


@pytest.mark.parametrize("name", registry.signatures())
@pytest.mark.slow
def test_no_loss_of_the_catalogue_would_be_refused(name: str) -> None:
    """The catalogue is sound on logits, so none of it would be taken for a loss of probabilities."""
    import tensorflow as tf

    context = {
        "class_counts": np.arange(1, CLASSES + 1),
        "transition_matrix": 0.8 * np.eye(CLASSES) + 0.02,
        "head_scale": 30.0,
        "epoch": 0.0,
    }
    bound = binding.bind(expression.parse(name), **context)

    def loss(y_true: Any, y_pred: Any) -> Any:
        images = tf.shape(y_pred)[0]
        states = {key: state.initialize(images=images, classes=CLASSES) for key, state in bound.states.items()}
        draws = {"uniform": tf.random.stateless_uniform(tf.shape(y_pred), [1, 2])}
        return bound.step(y_true, y_pred, states, **{key: draws[key] for key in bound.context})[0]

    observed = behaviour.observe(differentiate(loss, CLASSES), CLASSES)
    assert behaviour.is_sound(observed)
    assert behaviour.fault_of_logits(observed) is None or (name == "ldr_kl" and observed.negative)


def test_the_attributes_of_a_loss_settle_its_outputs(tmp_path: Path) -> None:
    """An attribute of the function, of either value, is as good as the configuration."""
    for value in ("probabilities", "logits"):
        (tmp_path / value).mkdir()
        name = f"of_{value}"
        loaded(tmp_path / value, f"{OF_PROBABILITIES['crossentropy']}\n\n\n{name}.outputs = '{value}'", name)
        tried(name)


def test_one_term_of_a_sum_is_named(tmp_path: Path) -> None:
    """Each user's loss of a weighted list is tried by itself."""
    loaded(tmp_path, OF_PROBABILITIES["gce"])
    with pytest.raises(PluginError, match="'mine': on logits it is not finite"):
        tried(["ce", {"name": "mine", "weight": 0.1}])


WITHOUT_GRADIENT = {
    "round": "return tf.reduce_sum(tf.abs(y_true - tf.round(tf.nn.softmax(y_pred))), -1)",
    "argmax": "return tf.cast(tf.argmax(y_pred, -1) != tf.argmax(y_true, -1), tf.float32)",
    "comparison": "return 1.0 - tf.cast(tf.reduce_sum(y_true * y_pred, -1) > 0, tf.float32)",
    "stop_gradient": "return _ce(y_true, tf.stop_gradient(y_pred))",
    "keras_stop_gradient": "return ops.sum(ops.stop_gradient(y_pred) * y_true, -1)",
    "constant": "return tf.ones_like(y_true[:, 0])",
    "labels_only": "return tf.reduce_sum(y_true, -1)",
    "numpy_function": "return tf.numpy_function(lambda y, z: (y * z).sum(-1), [y_true, y_pred], tf.float32)",
    "py_function": "return tf.py_function(lambda z: tf.reduce_sum(tf.round(z), -1), [y_pred], tf.float32)",
    "cast": "return tf.cast(tf.cast(tf.reduce_sum(y_true * y_pred, -1), tf.int32), tf.float32)",
    "sign": "return tf.reduce_sum(tf.sign(y_pred) * y_true, -1)",
    "nan": "return 0 * tf.math.log(-1 - tf.reduce_sum(y_pred ** 2, -1))",
}


@pytest.mark.parametrize("body", WITHOUT_GRADIENT.values(), ids=WITHOUT_GRADIENT)
def test_a_loss_without_a_gradient_is_refused(tmp_path: Path, body: str) -> None:
    """By itself and in a sum, whatever its outputs."""
    loaded(tmp_path, body)
    for value in ("mine", ["ce", "mine"], {"name": "mine", "outputs": "probabilities"}):
        with pytest.raises(PluginError, match=r"my_losses\.py:\d+: .*'mine': no gradient reaches the logits"):
            tried(value)


def test_a_term_that_is_switched_off_is_accepted(tmp_path: Path) -> None:
    """In a sum, a factor of 0 leaves the other terms; alone, it leaves nothing."""
    loaded(tmp_path, "return alpha * tf.reduce_sum(y_pred ** 2, -1)", parameters="y_true, y_pred, *, alpha=1.0")
    tried(["ce", {"name": "mine", "alpha": 0}])
    with pytest.raises(PluginError, match="no gradient reaches the logits with these hyperparameters"):
        tried({"name": "mine", "alpha": 0})


def test_a_loss_that_starts_later_is_accepted(tmp_path: Path) -> None:
    """Its gradient is looked for in later epochs, too."""
    path = tmp_path / "my_losses.py"
    path.write_text(
        "from lossbench import ops\nfrom lossbench.losses.types import Epoch\n\n\n"
        "def later(y_true, y_pred, *, epoch: Epoch):\n"
        "    return ops.minimum(epoch / 10, 1.0) * ops.sum((y_true - y_pred) ** 2, axis=-1)\n"
    )
    plugin.load(path)
    tried("later")


PRECISIONS = ("float64", "float16", "bfloat16")


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("form", ["one_per_image", "scalar"])
def test_a_loss_in_another_precision_is_cast(tmp_path: Path, precision: str, form: str) -> None:
    """The result is float32, equal to that of float32 up to rounding."""
    mean = "tf.reduce_mean" if form == "scalar" else ""
    loaded(tmp_path, f"return {mean}(_ce(tf.cast(y_true, '{precision}'), tf.cast(y_pred, '{precision}')))")
    tried("mine")
    y_true, y_pred = np.eye(3, dtype="float32"), np.arange(9, dtype="float32").reshape(3, 3) % 4
    actual = binding.bind(expression.parse(["ce", "mine"]))(y_true, y_pred)
    expected = binding.bind(expression.parse("ce"))(y_true, y_pred)
    assert actual.dtype == "float32"
    other = np.mean(expected) if form == "scalar" else expected
    np.testing.assert_allclose(actual, expected + other, rtol=2e-2)


MISTAKES = {
    "if": (
        "if tf.reduce_mean(y_pred) > 0:\n        return _ce(y_true, y_pred)\n    return _ce(y_true, y_pred)",
        "where",
    ),
    "and": ("return _ce(y_true, y_pred) * float(tf.reduce_mean(y_pred) > -9 and 1)", r"ops\.where"),
    "max": ("return _ce(y_true, y_pred) + max(tf.reduce_mean(y_pred), 0.0)", r"ops\.maximum"),
    "for": ("return sum(tf.reduce_sum(row ** 2) for row in y_pred)", "a Python loop cannot run over a tensor"),
    "numpy": ("return tf.constant(y_pred.numpy().sum(-1))", r"ops\.log for np\.log"),
    "np_sum": ("return np.sum(y_pred, -1)", r"ops\.log for np\.log"),
    "float": ("return _ce(y_true, y_pred) * float(tf.reduce_mean(y_pred))", "cannot take a tensor"),
    "math": ("return _ce(y_true, y_pred) * math.exp(tf.reduce_mean(y_pred))", r"ops\.exp for math\.exp"),
    "batch_size": ("return _ce(y_true, y_pred) / y_pred.shape[0]", r"ops\.shape\(y_pred\)\[0\]"),
    "reshape": ("return tf.reduce_sum(tf.reshape(y_pred, (y_pred.shape[0], -1)), -1)", r"ops\.shape\(y_pred\)\[0\]"),
    "len": ("return _ce(y_true, y_pred) / len(y_pred)", "a Python loop cannot run over a tensor"),
    "in_place": ("y_pred[0] = 1\n    return _ce(y_true, y_pred)", "cannot be changed in place"),
    "method": ("return y_pred.sum(-1)", "no attribute 'sum': use a function of ops"),
    "float64": ("return tf.reduce_sum(y_pred * tf.constant(2.0, tf.float64), -1)", "mixes the dtypes float.*cast"),
    "float16": ("return tf.reduce_sum(y_true * tf.cast(y_pred, tf.float16), -1)", "mixes the dtypes float.*cast"),
    "matrix": ("return y_pred ** 2", "reduce over the last axis"),
    "nothing": ("y_pred ** 2", "returned NoneType.*`return` on every path"),
    "tuple": ("return _ce(y_true, y_pred), y_pred", "returned tuple"),
    "integers": ("return tf.argmax(y_pred, -1)", "whole numbers have no gradient"),
    "keepdims": ("return ops.sum(y_pred ** 2, axis=-1, keepdims=True)", r"remove keepdims=True.*ops\.squeeze"),
    "over_images": ("return ops.sum(y_pred ** 2, axis=0)", "reduces over the images"),
    "dictionary": ("return {'loss': _ce(y_true, y_pred)}", "return the losses alone"),
    "variable_in_each_call": (
        "v = tf.Variable(0.0)\n    v.assign_add(1.0)\n    return _ce(y_true, y_pred) * v",
        "creates a variable in every call",
    ),
    "metric_in_each_call": (
        "m = keras.metrics.Mean()\n    m.update_state(y_pred)\n    return _ce(y_true, y_pred) + m.result()",
        "creates a variable in every call",
    ),
    "keras_2": ("return keras.backend.mean(keras.backend.square(y_pred - y_true), axis=-1)", r"ops\.mean for K\.mean"),
    "format": ("print(f'{y_pred[0, 0]:.3f}')\n    return _ce(y_true, y_pred)", r"tf\.print"),
    "assertion": ("assert y_pred.shape[0] == 128\n    return _ce(y_true, y_pred)", "AssertionError$"),
}


@pytest.mark.parametrize(("body", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_common_mistake_is_one_sentence(tmp_path: Path, body: str, message: str) -> None:
    """The error names the line and says what to do, also for mistakes that only the compiled step shows."""
    loaded(tmp_path, body)
    with pytest.raises(PluginError, match=rf"my_losses\.py:\d+: .*{message}") as caught:
        tried("mine")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(tmp_path)) + 330


WITH_INTEGERS = {
    "one_hot_of_labels": "return _ce(tf.one_hot(tf.cast(y_true, tf.int32), 10), y_pred)",
    "keras_one_hot": "return _ce(ops.one_hot(ops.cast(y_true, 'int32'), 10), y_pred)",
    "sparse": "return keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)",
    "tf_sparse": "return tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(y_true, tf.int32), y_pred)",
    "gather": "return -tf.gather(tf.nn.log_softmax(y_pred), tf.cast(y_true, tf.int32), batch_dims=1)",
    "silent_mean": "labels = tf.cast(y_true, tf.int32)\n"
    "    return -tf.reduce_mean(tf.gather(tf.nn.log_softmax(y_pred), labels, batch_dims=1))",
}


@pytest.mark.parametrize("body", WITH_INTEGERS.values(), ids=WITH_INTEGERS)
def test_a_loss_of_integer_labels_is_named_as_such(tmp_path: Path, body: str) -> None:
    """It says which key to set, and the key makes it work."""
    loaded(tmp_path, body)
    with pytest.raises(PluginError, match=r"my_losses\.py:\d+: .*integer labels, .*: set `labels: integer`$"):
        tried("mine")
    tried({"name": "mine", "labels": "integer"})


def test_both_forms_are_named_at_once(tmp_path: Path) -> None:
    """A loss of integer labels and of probabilities needs both keys."""
    loaded(tmp_path, "return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)")
    with pytest.raises(PluginError, match="set `labels: integer` and `outputs: probabilities`"):
        tried("mine")
    with pytest.raises(PluginError, match="set `outputs: probabilities`"):
        tried({"name": "mine", "labels": "integer"})
    tried({"name": "mine", "labels": "integer", "outputs": "probabilities"})


def test_a_constructor_that_forgets_its_parent_is_named(tmp_path: Path) -> None:
    """The error says which call is missing, with the line of the class."""
    path = tmp_path / "my_losses.py"
    path.write_text(
        "import keras\n\n\nclass Mine(keras.losses.Loss):\n    def __init__(self, gamma=1.0):\n"
        "        self.gamma = gamma\n\n    def call(self, y_true, y_pred):\n        return self.gamma * y_pred\n"
    )
    plugin.load(path)
    with pytest.raises(PluginError, match=r"my_losses\.py:4: .*super\(\)\.__init__\(\*\*kwargs\)"):
        tried("Mine")


def test_a_variable_is_reported_with_its_line(tmp_path: Path) -> None:
    """An instance and a partial are tried like a function; how they were made settles their form."""
    path = tmp_path / "my_losses.py"
    path.write_text(
        f"{HEAD}\n"
        "class Powered(keras.losses.Loss):\n"
        "    def call(self, y_true, y_pred):\n"
        "        return (1 - tf.reduce_sum(y_true * y_pred, -1) ** 0.7) / 0.7\n\n\n"
        "powered = Powered()\n"
        "def gce(y_true, y_pred, q):\n"
        "    return (1 - tf.reduce_sum(y_true * y_pred, -1) ** q) / q\n\n\n"
        "with_q = functools.partial(gce, q=0.7)\n"
        "settled = keras.losses.CategoricalCrossentropy()\n"
        "of_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)\n"
    )
    plugin.load(path)
    lines = path.read_text().splitlines()
    for name in ("powered", "with_q"):
        number = next(number for number, line in enumerate(lines, 1) if line.startswith(f"{name} ="))
        with pytest.raises(PluginError, match=rf"my_losses\.py:{number}: .*'{name}'.*outputs: probabilities"):
            tried(name)
    tried("settled")
    tried("of_logits")
