"""Losses with their arguments the other way round: one sentence, with the line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lossbench.errors import PluginError
from lossbench.losses import plugin, registry

PAIRS = [
    ("y_pred", "y_true"),
    ("input", "target"),
    ("inputs", "targets"),
    ("predictions", "labels"),
    ("logits", "targets"),
    ("output", "label"),
    ("pred", "gt"),
    ("y_hat", "y"),
    ("yPred", "yTrue"),
]
FORMS = {
    "function": "def mine({0}, {1}, gamma=2.0):\n    return {0}[:, 0]\n",
    "decorated": "import tensorflow as tf\n\n@tf.function\ndef mine({0}, {1}):\n    return {0}[:, 0]\n",
    "lambda": "mine = lambda {0}, {1}: {0}[:, 0]\n",
    "factory": "def mine(gamma=2.0):\n    def loss({0}, {1}):\n        return {0}[:, 0]\n    return loss\n",
    "class": "import keras\nclass mine(keras.losses.Loss):\n    def call(self, {0}, {1}):\n        return {0}[:, 0]\n",
    "instance": "import keras\nclass _M(keras.losses.Loss):\n  def call(self, {0}, {1}):\n        return 0\n"
    "mine = _M()\n",
    "callable": "class mine:\n    def __call__(self, {0}, {1}):\n        return {0}[:, 0]\n",
}
LINES = {"function": 1, "decorated": 4, "lambda": 1, "factory": 2, "class": 3, "instance": 3, "callable": 2}
CASES = [("function", pair) for pair in PAIRS] + [(form, PAIRS[0]) for form in FORMS if form != "function"]

GOOD = """
def good(y_true, y_pred):
    def distance(pred, target):
        return pred - target
    return distance(y_pred, y_true)[:, 0]


def made(gamma=2.0):
    def distance(pred, target):
        return pred - target
    def loss(y_true, y_pred):
        return distance(y_pred, y_true)[:, 0]
    return loss


def ce(pred, target):
    return pred


def accuracy(pred, target):
    return pred
"""


@pytest.fixture(autouse=True)
def _no_plugins() -> Iterator[None]:
    yield
    registry.clear_plugins()


def load(tmp_path: Path, source: str) -> plugin.PluginLoaded:
    """A file with this source."""
    path = tmp_path / "mine.py"
    path.write_text(source, encoding="utf-8")
    return plugin.load(path)


@pytest.mark.parametrize(("form", "pair"), CASES)
def test_the_other_order_is_refused_with_the_line(tmp_path: Path, form: str, pair: tuple[str, str]) -> None:
    """Where it is the only one in its file, and where it is named; the others can be used."""
    source = FORMS[form].format(*pair)
    sentence = rf"mine\.py:{LINES[form]}: mine takes \({pair[0]}, {pair[1]}\), but .*\(y_true, y_pred, \.\.\.\)"
    with pytest.raises(PluginError, match=sentence):
        load(tmp_path, source)
    assert load(tmp_path, source + GOOD).names == ("good", "made")
    with pytest.raises(PluginError, match=sentence):
        registry.check_usable("mine")


def test_helpers_beside_losses_hide_nothing(tmp_path: Path) -> None:
    """A helper with the name of a loss of lossbench leaves that as it is."""
    assert load(tmp_path, GOOD).names == ("good", "made")
    registry.check_usable("ce")
    assert registry.find("ce").plugin is None


@pytest.mark.parametrize("pair", [("labels", "logits"), ("target", "input"), ("y", "y_hat")])
def test_other_names_in_the_right_order_are_to_be_renamed(tmp_path: Path, pair: tuple[str, str]) -> None:
    """A function is known to be a loss by these names only."""
    with pytest.raises(PluginError, match=r"mine\.py:1: mine takes .*: rename these parameters"):
        load(tmp_path, FORMS["function"].format(*pair))


@pytest.mark.parametrize("pair", [("a", "b"), ("x", "y"), ("image", "mask"), ("student_logits", "teacher_logits")])
def test_other_functions_are_no_losses(tmp_path: Path, pair: tuple[str, str]) -> None:
    """Nothing is said about what may be anything."""
    with pytest.raises(PluginError, match="has no loss"):
        load(tmp_path, FORMS["function"].format(*pair))
