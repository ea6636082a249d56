"""The report on a loss: what is sound passes, and each kind of mistake is found."""

import re

import pytest

from lossbench.losses import expression, plugin, registry
from lossbench.losses.lab import check, check_report

NAMES = (*registry.names(),)


def failed(findings):
    """The names of the checks that failed."""
    return [each.name for each in findings if each.passed is False]


@pytest.mark.parametrize(
    "loss",
    [
        "ce",
        "hinge",
        {"name": "focal", "stop_gradient": True},
        "weighted_crossentropy",
        "dice",
        "nce_rce",
        {"name": "bce", "pos_weight": [1, 2, 3, 4]},
    ],
    ids=str,
)
def test_sound_losses_pass(loss):
    """Among them one of the whole batch, one that stops a gradient, one that asks for class counts, a list."""
    findings = check.check(expression.parse(loss))
    assert failed(findings) == []
    assert [each.name for each in findings] == list(check.CHECKS)


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.names())
def test_every_loss_passes(name):
    """Every identifier, alias and preset of the catalogue passes the suite that users have."""
    assert [each for each in check.check(expression.parse(name)) if each.passed is False] == []


TWICE = "lambda x: (x, lambda *a, upstream=None: 2 * (a[0] if a else upstream))"
"""The identity with twice its slope."""

MISTAKES = {
    "overflows": (
        "p = ops.exp(z)\n    return -ops.log(ops.sum(y * p, axis=-1) / ops.sum(p, axis=-1))",
        "extreme logits",
    ),
    "divides_by_spread": ("return ops.sum(y * z, axis=-1) / ops.sqrt(ops.var(z, axis=-1))", "equal logits"),
    "false_slope": (f"once = ops.custom_gradient({TWICE})\n    return ops.sum(y * once(z), axis=-1)", "gradient"),
    "jumps": ("return ops.sum(z - ops.floor(50 * z), axis=-1)", "gradient"),
    "knows_its_place": ("return ops.sum(y * z, axis=-1) * ops.arange(z.shape[0], dtype='float32')", "batch order"),
    "sees_a_shift": ("return ops.sum(y * z, axis=-1)", "shift"),
    "only_eager": ("return ops.sum(y * z, axis=-1) * float(ops.max(ops.abs(z)) > -1)", "compiled"),
    "keeps_a_column": ("return ops.sum(y * z, axis=-1, keepdims=True)", "shape"),
    "returns_integers": ("return ops.cast(ops.sum(y * z, axis=-1), 'int32')", "shape"),
    "raises": ("return ops.sum(y * zz, axis=-1)", "shape"),
    "uses_numpy": ("import numpy\n    return -numpy.log(ops.sum(y * ops.softmax(z), axis=-1))", "inputs"),
    "forgets_the_minus": ("return ops.sum(y * ops.log_softmax(z), axis=-1)", "inputs"),
    "confuses_the_classes": ("return -ops.sum((1 - y) * ops.log_softmax(z), axis=-1)", "inputs"),
    "takes_min": ("return min(-ops.sum(y * ops.log_softmax(z), axis=-1), 4)", "shape"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found(name, tmp_path):
    """Each mistake fails the check that is about it, in words without Keras' frame and bold type."""
    body, check_name = MISTAKES[name]
    path = tmp_path / "mine.py"
    path.write_text(
        "from lossbench import ops\n\n"
        f"def {name}(y_true, y_pred):\n"
        f'    """Wrong.\n\n    Link: {"softmax" if check_name == "shift" else "none"}.\n    """\n'
        f"    y, z = y_true, y_pred\n    {body}\n"
    )
    plugin.load(path)
    findings = check.check(expression.parse(name))
    assert check_name in failed(findings)
    assert check_name not in ("shape", "shift", "batch order", "compiled", "gradient") or {*failed(findings)} - {
        "inputs"
    } == {check_name}
    assert not any("Exception encountered" in each.words or "\x1b" in each.words for each in findings)
    assert ("ops.minimum" in str(findings)) == (name == "takes_min")


def test_a_constant_is_held_in_the_differences(tmp_path):
    """What a user's loss puts through `ops.stop_gradient` is no mistake, whichever `ops` that is."""
    path = tmp_path / "mine.py"
    path.write_text(
        "import keras\nfrom lossbench import ops\n\n"
        "def twice_held(y_true, y_pred):\n"
        '    """Sound.\n\n    Link: none.\n    """\n'
        "    held = ops.stop_gradient(ops.abs(y_pred)) + keras.ops.stop_gradient(ops.square(y_pred))\n"
        "    return -ops.sum(y_true * held * ops.log_softmax(y_pred), axis=-1)\n"
    )
    plugin.load(path)
    assert failed(check.check(expression.parse("twice_held"))) == []


def test_a_loss_that_needs_many_classes_is_checked_with_those_of_mnist(tmp_path):
    """One of the eight largest logits passes; one that needs more than ten classes fails with its own message."""
    path = tmp_path / "mine.py"
    path.write_text(
        "from lossbench import ops\n\n"
        "def largest(y_true, y_pred, *, k: int = 8):\n"
        '    """Cross-entropy against the k largest logits.\n\n    Link: none.\n    """\n'
        "    values, _ = ops.top_k(y_pred, k)\n"
        "    return ops.logsumexp(values, axis=-1) - ops.sum(y_true * y_pred, axis=-1)\n"
    )
    plugin.load(path)
    terms = expression.parse("largest")
    findings = check.check(terms)
    assert findings[0].passed
    assert failed(findings) in ([], ["gradient"])
    assert check_report.report(terms, findings, 80).startswith("largest: 7 images, 10 classes, ")
    first, *_ = check.check(expression.parse({"name": "largest", "k": 11}))
    assert (first.passed, "at least k columns" in first.words) == (False, True)


def test_stop_gradient_is_put_back():
    """Checking leaves Keras as it was."""
    import keras

    from lossbench import ops

    before = keras.ops.stop_gradient
    check.check(expression.parse({"name": "focal", "stop_gradient": True}))
    assert keras.ops.stop_gradient is before is ops.stop_gradient


def test_report():
    """The report names every check, fits 80 columns and ends with the verdict."""
    terms = expression.parse("hinge")
    findings = [*check.check(terms), check.CheckResult("imaginary", passed=False, words="a long reason " * 20)]
    text = check_report.report(terms, findings, 80)
    assert text.startswith("hinge: 7 images, 5 classes, Keras on ")
    assert max(map(len, text.splitlines())) <= 80
    assert re.findall(r"^  (ok|NO|-) +(\w+)", text, re.MULTILINE)[-1] == ("NO", "imaginary")
    assert text.splitlines()[-1] == "1 of 11 checks failed"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("-ops.sum(y_true * ops.log(ops.clip(y_pred, 1e-7, 1)), axis=-1)", "outputs: probabilities"),
        ("ops.sum(ops.square(1 - ops.clip(y_pred, 1e-7, 1)) * y_true, axis=-1)", "outputs: probabilities"),
        ("ops.sum(ops.round(y_pred) * y_true, axis=-1)", "no gradient reaches the logits"),
    ],
)
def test_a_loss_that_training_refuses_fails(body, words, tmp_path):
    """A loss of probabilities fails on logits and passes once that is said; one without a gradient fails."""
    path = tmp_path / "mine.py"
    path.write_text(f"from keras import ops\n\n\ndef mine(y_true, y_pred):\n    return {body}\n")
    plugin.load(path)
    found = {each.name: each for each in check.check(expression.parse("mine"))}["inputs"]
    assert found.passed is False
    assert words in found.words
    if "outputs" in words:
        found = {
            each.name: each for each in check.check(expression.parse({"name": "mine", "outputs": "probabilities"}))
        }
        assert found["inputs"].passed


XLA = {
    "py_function": ("tf.py_function(lambda z: z, [ce], tf.float32)", None, "it trains without"),
    "strings": ("ce + tf.strings.to_number(tf.strings.as_string(ce)) * 0", None, "it trains without"),
    "plain": ("ce", True, "compiled by XLA and eager: equal"),
}


@pytest.mark.parametrize("kind", XLA)
def test_authors_learn_beforehand_what_xla_cannot_compile(kind, tmp_path):
    """It is not a failed check, but a sentence."""
    result, passed, words = XLA[kind]
    path = tmp_path / "users.py"
    path.write_text(
        "import tensorflow as tf\n\ndef mine(y_true, y_pred):\n"
        "    ce = tf.nn.softmax_cross_entropy_with_logits(y_true, y_pred)\n"
        f"    return tf.reshape({result}, tf.shape(ce))\n"
    )
    plugin.load(path)
    (found,) = [each for each in check.check(expression.parse("mine")) if each.name == "XLA"]
    registry.clear_plugins()
    assert found.passed is passed
    assert words in found.words
