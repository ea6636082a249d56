"""The user's own losses: three forms, what they may ask for, and what is said when they are wrong."""

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossbench.errors import PluginError
from lossbench.losses import binding, expression, labels, listing, plugin, registry, trial_call

CLASSES = 3
Y_TRUE = np.eye(CLASSES, dtype="float32")[[0, 1, 2, 0]]
Y_PRED = np.array([[1, 0, -1], [0, 0, 0], [2, 1, 0], [-1, 3, 0]], dtype="float32")


def written(folder: Path, source: str, name: str = "my_losses.py") -> Path:
    """A plugin file."""
    path = folder / name
    path.write_text(source, encoding="utf-8")
    return path


def losses(value: Any, **context: Any) -> Any:
    """The losses of the batch above, after the check that training makes."""
    terms = expression.parse(value)
    trial_call.try_call(terms, CLASSES, **context)
    return np.asarray(binding.bind(terms, **context)(Y_TRUE, Y_PRED))


CROSSENTROPY = np.log(np.exp(Y_PRED).sum(axis=-1)) - (Y_TRUE * Y_PRED).sum(axis=-1)

FUNCTION = '''
"""My losses."""
from typing import Annotated

from annotated_types import Gt
from keras import ops


def _helper(x):
    return x


def tempered(y_true, y_pred, *, temperature: Annotated[float, Gt(0)] = 2.0, sign=1):
    """Cross-entropy of logits divided by a temperature.

        -Σ e log softmax(z / T)

    Link: softmax.

    Args:
        temperature: T, what the logits are divided by.
        sign (float): A factor.

    Source: this file.
    """
    return -sign * ops.sum(y_true * ops.log_softmax(y_pred / temperature), axis=-1)


def smooth(values, amount):
    """Neither a loss nor a factory: ignored."""
    return values * amount
'''

FACTORY = '''
def scaled(factor, *, power=1.0):
    """Cross-entropy times a factor."""
    from keras import ops

    def loss(y_true, y_pred):
        return factor * (-ops.sum(y_true * ops.log_softmax(y_pred), axis=-1)) ** power

    return loss
'''

CLASS = '''
import keras
from keras import ops


class Sparse(keras.losses.Loss):
    """Written for Keras: integer labels and probabilities."""

    labels = "integer"
    outputs = "probabilities"

    def __init__(self, factor: float = 1.0, name="sparse", reduction="sum_over_batch_size"):
        super().__init__(name=name, reduction=reduction)
        self.factor = factor

    def call(self, y_true, y_pred):
        picked = ops.take_along_axis(y_pred, ops.cast(y_true, "int32")[:, None], axis=-1)
        return -self.factor * ops.log(picked[:, 0])


class NotALoss:
    """Ignored."""
'''


def test_function(tmp_path: Path) -> None:
    """A function is a loss like any other: validated, listed, documented from its docstring."""
    path = written(tmp_path, FUNCTION)
    loaded = plugin.load(path)
    assert loaded == plugin.PluginLoaded(path, hashlib.sha256(FUNCTION.encode()).hexdigest(), ("tempered",))
    np.testing.assert_allclose(losses({"name": "tempered", "temperature": 1}), CROSSENTROPY, rtol=1e-5)
    np.testing.assert_allclose(
        losses({"name": "tempered", "temperature": 1, "sign": 2.5}), 2.5 * CROSSENTROPY, rtol=1e-5
    )
    signature = registry.find("tempered")
    assert (signature.plugin, signature.family, signature.link, signature.source) == (
        path,
        "my_losses",
        "softmax",
        "this file",
    )
    assert signature.summary == "Cross-entropy of logits divided by a temperature."
    assert signature.formula == "-Σ e log softmax(z / T)"
    assert signature.hyperparameters["temperature"].description == "T, what the logits are divided by."
    assert signature.hyperparameters["temperature"].expected == "a number > 0"
    assert signature.hyperparameters["sign"].description == "A factor."
    assert "`tempered`" in listing.table()
    assert labels.label(expression.parse({"name": "tempered", "sign": 3})) == "tempered sign=3"
    with pytest.raises(expression.InvalidLossError, match="did you mean 'temperature'"):
        expression.parse({"name": "tempered", "temprature": 1})


def test_factory(tmp_path: Path) -> None:
    """A function of hyperparameters that returns a loss; what has no default is required."""
    assert plugin.load(written(tmp_path, FACTORY)).names == ("scaled",)
    np.testing.assert_allclose(losses({"name": "scaled", "factor": 3}), 3 * CROSSENTROPY, rtol=1e-5)
    np.testing.assert_allclose(losses({"name": "scaled", "factor": 1, "power": 2}), CROSSENTROPY**2, rtol=1e-5)
    assert labels.label(expression.parse({"name": "scaled", "factor": 3})) == "scaled factor=3"
    with pytest.raises(expression.InvalidLossError, match="'factor' is required: a value"):
        expression.parse("scaled")


def test_keras_class(tmp_path: Path) -> None:
    """A Keras loss gets integer labels and probabilities if it says so, and is not reduced."""
    assert plugin.load(written(tmp_path, CLASS)).names == ("Sparse",)
    assert tuple(registry.find("Sparse").hyperparameters) == ("factor",)
    np.testing.assert_allclose(losses({"name": "Sparse", "factor": 2}), 2 * CROSSENTROPY, rtol=1e-5)


INPUT_FORMS = '''
from keras import ops


def picked(y_true, y_pred):
    """The true class's output, negated."""
    return -ops.take_along_axis(y_pred, y_true[:, None], axis=-1)[:, 0]
'''


def test_yaml_says_what_a_loss_wants(tmp_path: Path) -> None:
    """`labels` and `outputs` in YAML do what the attributes do."""
    plugin.load(written(tmp_path, INPUT_FORMS))
    value = {"name": "picked", "labels": "integer", "outputs": "probabilities"}
    np.testing.assert_allclose(losses(value), -np.exp(-CROSSENTROPY), rtol=1e-5)
    terms = expression.parse(value)
    assert expression.parse(expression.dump(terms)) == terms
    assert labels.label(terms) == "picked labels=integer outputs=probabilities"
    with pytest.raises(expression.InvalidLossError, match="expected one of one_hot, integer, got 'int'"):
        expression.parse({"name": "picked", "labels": "int"})


def test_attributes_of_a_function(tmp_path: Path) -> None:
    """A function may carry the attributes too."""
    plugin.load(written(tmp_path, INPUT_FORMS + '\n\npicked.labels = "integer"\npicked.outputs = "probabilities"\n'))
    np.testing.assert_allclose(losses("picked"), -np.exp(-CROSSENTROPY), rtol=1e-5)


def test_context_and_scalar(tmp_path: Path) -> None:
    """A plugin's loss may ask for class counts, and may return a scalar."""
    source = '''
from keras import ops

from lossbench.losses.types import ClassCounts


def weighted(y_true, y_pred, *, class_counts: ClassCounts):
    """Cross-entropy over class counts, averaged over the batch."""
    return ops.mean(-ops.sum(y_true / class_counts * ops.log_softmax(y_pred), axis=-1))
'''
    plugin.load(written(tmp_path, source))
    actual = losses("weighted", class_counts=np.array([1, 2, 4]))
    assert actual == pytest.approx((CROSSENTROPY / [1, 2, 4, 1]).mean(), rel=1e-5)


def test_compiled_function(tmp_path: Path) -> None:
    """A loss that is already a `tf.function` is one too."""
    source = '''
import tensorflow as tf


@tf.function
def compiled(y_true, y_pred, *, factor=2.0):
    """Cross-entropy, compiled."""
    return factor * tf.nn.softmax_cross_entropy_with_logits(y_true, y_pred)
'''
    assert plugin.load(written(tmp_path, source)).names == ("compiled",)
    np.testing.assert_allclose(losses("compiled"), 2 * CROSSENTROPY, rtol=1e-5)


def test_loading_twice_changes_nothing(tmp_path: Path) -> None:
    """The same file named twice on a command line is loaded once."""
    path = written(tmp_path, FUNCTION)
    assert plugin.load(path) == plugin.load(path)


GOOD = "def {name}(y_true, y_pred):\n    return y_pred[:, 0]\n"
BAD_FILES: list[tuple[str, str]] = [
    ("import math\n\nx = mth.pi\n", r"my_losses\.py:3: NameError: name 'mth' is not defined"),
    ("import no_such_module\n", r"my_losses\.py:1: ModuleNotFoundError: No module named 'no_such_module'"),
    ("x = 1\ndef f(:\n", r"my_losses\.py:2: SyntaxError: "),
    ("def helper(x):\n    return x\n", r"has no loss: expected a public function \(y_true, y_pred"),
    ("", "has no loss"),
    (GOOD.format(name="focal"), "the loss 'focal' is already defined by lossbench: choose another name"),
    (GOOD.format(name="ce"), "the loss 'ce' is already defined"),
    (
        GOOD.format(name="categorical_focal_crossentropy"),
        "the loss 'categorical_focal_crossentropy' is already defined",
    ),
    (
        "def mine(y_true, y_pred, *, class_counts=1):\n    return 0\n",
        "parameter 'class_counts', a name that the engine uses",
    ),
    (
        "def mine(y_true, y_pred, *, a: float = 'x'):\n    return 0\n",
        "the default of 'a', 'x', does not match its annotation",
    ),
    ("def mine(y_true, y_pred, *, a: Nope = 1):\n    return 0\n", "NameError: name 'Nope' is not defined"),
    (
        "from lossbench.losses.types import Uniform\ndef mine(y_true, y_pred, *, noise: Uniform):\n    return noise\n",
        "its parameter 'noise' has the type of 'uniform': name it so",
    ),
    (
        GOOD.format(name="mine") + "mine.labels = 'ints'\n",
        r"mine\.labels should be one of one_hot, integer, not 'ints'",
    ),
]


@pytest.mark.parametrize(("source", "message"), BAD_FILES)
def test_bad_file(tmp_path: Path, source: str, message: str) -> None:
    """A file that cannot be used is answered with its own error line."""
    with pytest.raises(PluginError, match=message) as caught:
        plugin.load(written(tmp_path, source))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


BAD_RESULTS: list[tuple[str, str]] = [
    (
        "return y_pred",
        r"should return one float per image, or a scalar; .* it returned float32 \(4, 3\), not float32",
    ),
    ("return y_pred[0]", r"it returned float32 \(3,\)"),
    ("return ops.argmax(y_pred, axis=-1)", r"it returned int\d+ \(4,\)"),
    ("return None", "it returned NoneType"),
    ("return 0.5", "it returned float,"),
    ("return ops.convert_to_numpy(y_pred)[:, 0]", "it returned ndarray"),
    ("return y_pred @ y_pred", r"my_losses\.py:5: InvalidArgumentError: .*Matrix size-incompatible"),
    ("return undefined", r"my_losses\.py:5: NameError: name 'undefined' is not defined"),
]


@pytest.mark.parametrize(("body", "message"), BAD_RESULTS)
def test_bad_result(tmp_path: Path, body: str, message: str) -> None:
    """A loss that fails or returns another shape is caught before training starts."""
    plugin.load(written(tmp_path, f"from keras import ops\n\n\ndef mine(y_true, y_pred):\n    {body}\n"))
    with pytest.raises(PluginError, match=message) as caught:
        trial_call.try_call(expression.parse("mine"), CLASSES)
    assert "\n" not in str(caught.value)


def test_the_nearest_line_is_shown(tmp_path: Path) -> None:
    """Where the user's functions call each other, the line that fails is shown, not the call."""
    source = "def mine(y_true, y_pred):\n    return _helper(y_pred)\n\n\ndef _helper(x):\n    return x.nothing\n"
    plugin.load(written(tmp_path, source))
    with pytest.raises(PluginError, match=r"my_losses\.py:6: a TensorFlow tensor has no attribute"):
        trial_call.try_call(expression.parse("mine"), CLASSES)


def test_failing_constructor(tmp_path: Path) -> None:
    """A Keras loss whose constructor fails is answered with its line."""
    source = CLASS.replace("self.factor = factor", "self.factor = factor / 0")
    plugin.load(written(tmp_path, source))
    line = source.splitlines().index("        self.factor = factor / 0") + 1
    with pytest.raises(PluginError, match=rf"my_losses\.py:{line}: ZeroDivisionError"):
        trial_call.try_call(expression.parse("Sparse"), CLASSES)


def test_two_plugins_with_one_name(tmp_path: Path) -> None:
    """The second plugin that defines a name is told whose it is."""
    first = written(tmp_path, GOOD.format(name="mine"), "first.py")
    plugin.load(first)
    with pytest.raises(PluginError, match=re.escape(f"the loss 'mine' is already defined by {first}")):
        plugin.load(written(tmp_path, "\n" + GOOD.format(name="mine"), "second.py"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.py", "No such file or directory"),
        ("notes.txt", "should end in .py"),
        ("endless.py", "/dev/zero: expected a Python file of at most 1 MiB"),
        ("loop.py", "Too many levels of symbolic links"),
    ],
)
def test_not_a_python_file(tmp_path: Path, name: str, message: str) -> None:
    """What cannot be imported as Python is said to be so."""
    written(tmp_path, "", "notes.txt")
    (tmp_path / "endless.py").symlink_to("/dev/zero")
    (tmp_path / "loop.py").symlink_to("loop.py")
    with pytest.raises(PluginError, match=message):
        plugin.load(tmp_path / name)


def test_check_passes_the_whole_catalogue() -> None:
    """The check that every training makes holds for the built-in losses."""
    for name in registry.signatures():
        trial_call.try_call(
            expression.parse(name), CLASSES, class_counts=[1, 2, 3], transition_matrix=np.eye(CLASSES), head_scale=30
        )
