"""Losses of a running program: their names, their places in a configuration, and digests that tell them apart."""

import functools
import types

import keras
import numpy as np
import pytest

from lossbench import ops
from lossbench.errors import PluginError
from lossbench.losses import expression, in_memory, registry
from lossbench.losses.code_digest import digest

SCALE = 2.0


@pytest.fixture(autouse=True)
def _only_the_catalogue():
    yield
    registry.clear_plugins()


def mine(y_true, y_pred, *, gamma: float = 2.0):
    return SCALE * gamma * ops.sum(y_true * (1 - ops.softmax(y_pred)), axis=-1)


def factory(gamma: float = 1.0):
    def loss(y_true, y_pred):
        return gamma * ops.sum(y_true * (1 - ops.softmax(y_pred)), axis=-1)

    return loss


class Own(keras.losses.Loss):
    """A loss with a factor."""

    def __init__(self, gamma=1.0, **others):
        super().__init__(**others)
        self.gamma = gamma

    def call(self, y_true, y_pred):
        """Compute the losses of a batch."""
        return self.gamma * ops.sum(y_true * (1 - ops.softmax(y_pred)), axis=-1)


FORMS = {
    "function": (mine, "mine"),
    "lambda": (lambda y_true, y_pred: ops.sum(y_true * y_pred, axis=-1), "unnamed_loss"),
    "factory": (factory, "factory"),
    "what a factory returns": (factory(3.0), "loss"),
    "class": (Own, "Own"),
    "instance": (Own(2.0), "Own"),
    "Keras' own": (keras.losses.CategoricalCrossentropy(from_logits=True), "CategoricalCrossentropy"),
    "partial": (functools.partial(mine, gamma=3.0), "mine"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_joins_the_catalogue_under_its_name(form):
    """Alone, with hyperparameters, in a list, and in the cases and parameters of a sweep."""
    loss, name = FORMS[form]
    for config, expected in [
        ({"loss": loss}, {"loss": name}),
        ({"loss": {"name": loss}}, {"loss": {"name": name}}),
        ({"loss": ["ce", {"name": loss, "weight": 2}]}, {"loss": ["ce", {"name": name, "weight": 2}]}),
        (
            {"sweep": {"cases": [{"loss": loss}, {"loss": "ce"}]}},
            {"sweep": {"cases": [{"loss": name}, {"loss": "ce"}]}},
        ),
        ({"sweep": {"parameters": {"loss": ("ce", loss)}}}, {"sweep": {"parameters": {"loss": ["ce", name]}}}),
    ]:
        named, (loaded,) = in_memory.register_losses(config)
        assert named == expected
        assert (loaded.names, loaded.in_memory) == ((name,), loss)
    (term,) = expression.parse(name)
    assert registry.find(term.name).execution


def test_two_losses_of_one_name_get_two_names():
    """As does one whose name the catalogue has; the same object twice is one loss."""

    def focal(y_true, y_pred):
        return ops.sum(y_true * y_pred, axis=-1)

    first, second = factory(1.0), factory(2.0)
    named, loaded = in_memory.register_losses({"loss": [first, second, first, focal]})
    assert named == {"loss": ["loss", "loss_2", "loss", "focal_2"]}
    assert [each.names for each in loaded] == [("loss",), ("loss_2",), ("focal_2",)]
    assert in_memory.register_losses({"loss": second})[0] == {"loss": "loss"}, "a later call begins again"


@pytest.mark.parametrize("thing", [print, int, np.log, lambda x: x, functools.partial(print, 1)])
def test_what_is_no_loss_is_refused(thing):
    """With what is expected."""
    with pytest.raises(PluginError, match=r"\(in memory\).*(no loss: expected a function|takes)"):
        in_memory.register_losses({"loss": thing})


def function_of(source, name="f", **names):
    """A function from its source, in a module of its own."""
    module = types.ModuleType("elsewhere")
    vars(module).update(names)
    exec(source, vars(module))  # noqa: S102 - the sources below
    return vars(module)[name]


PLAIN = "def f(y_true, y_pred):\n    return y_pred * k\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (function_of(PLAIN, k=1.0), function_of(PLAIN, k=2.0)),
        (function_of(PLAIN, k=1.0), function_of(PLAIN.replace("*", "+"), k=1.0)),
        (function_of(PLAIN, k=np.arange(3)), function_of(PLAIN, k=np.arange(3.0))),
        (function_of(PLAIN, k=[1, {"a": 2}]), function_of(PLAIN, k=[1, {"a": 3}])),
        (function_of(PLAIN, k=object()), function_of(PLAIN, k=object())),
        (factory(1.0), factory(2.0)),
        (functools.partial(mine, gamma=1.0), functools.partial(mine, gamma=2.0)),
        (functools.partial(mine, gamma=2.0), mine),
        (Own(1.0), Own(2.0)),
        (Own, Own()),
        (keras.losses.CategoricalCrossentropy(), keras.losses.CategoricalCrossentropy(label_smoothing=0.1)),
        (keras.Variable(1.0), keras.Variable(2.0)),
        (
            function_of("def g(x):\n    return x\ndef f(y):\n    return g(y)\n"),
            function_of("def g(x):\n    return -x\ndef f(y):\n    return g(y)\n"),
        ),
        (function_of("def f(y, a=1):\n    return y\n"), function_of("def f(y, a=2):\n    return y\n")),
        (
            function_of("def f(y):\n    return [i + 1 for i in y]\n"),
            function_of("def f(y):\n    return [i for i in y]\n"),
        ),
    ],
    ids=lambda thing: getattr(thing, "__name__", type(thing).__name__),
)
def test_losses_that_differ_have_different_digests(one, other):
    """By a constant, a global, a closure, a default, an attribute, a helper; unknown objects differ always."""
    assert digest(one) != digest(other)
    assert digest(one) == digest(one)


def test_the_same_code_defined_again_has_the_same_digest():
    """As in a cell of a notebook that runs twice."""
    assert digest(function_of(PLAIN, k=1.0)) == digest(function_of("\n\n" + PLAIN, k=1.0))
    assert digest(factory(1.0)) == digest(factory(1.0))
    assert digest(Own(1.5)) == digest(Own(1.5))
    text = PLAIN.replace("y_pred * k", "ops.exp(y_pred) * k")
    assert digest(function_of(text, k=1.0, ops=ops)) == digest(function_of(text, k=1.0, ops=ops))


def test_a_changed_counter_changes_the_digest():
    """So that a sweep notices state that one trial leaves to the next."""
    count = [0]

    def counting(y_true, y_pred):
        count[0] += 1
        return ops.sum(y_true * y_pred, axis=-1)

    before = digest(counting)
    counting(np.eye(2, dtype="float32"), np.eye(2, dtype="float32"))
    assert digest(counting) != before
