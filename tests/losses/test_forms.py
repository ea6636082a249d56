"""Forms of a user's loss, its parameters and their names, and files in which some losses cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest

from lossbench.config import resolve
from lossbench.config.dump import to_yaml
from lossbench.errors import PluginError
from lossbench.losses import binding, expression, labels, listing, plugin, registry
from lossbench.losses.json_schema import json_schema
from lossbench.losses.trial_call import try_call
from lossbench.runs import plain_yaml

if TYPE_CHECKING:
    from pathlib import Path

Y_TRUE = np.eye(3, dtype="float32")[[0, 1, 2, 0]]
LOGITS = np.array([[1, 0, -1], [0, 0, 0], [2, 1, 0], [-1, 3, 0]], dtype="float32")
CROSSENTROPY = np.log(np.exp(LOGITS).sum(axis=-1)) - (Y_TRUE * LOGITS).sum(axis=-1)

HEAD = """
import functools
import keras
from keras import ops
from keras.losses import CategoricalHinge, binary_crossentropy, categorical_crossentropy as imported


def _ce(y_true, y_pred):
    return -ops.sum(y_true * ops.log_softmax(y_pred), axis=-1)


"""


def load(folder: Path, source: str) -> plugin.PluginLoaded:
    """Load a file that begins with `HEAD`."""
    path = folder / "mine.py"
    path.write_text(HEAD + source, encoding="utf-8")
    return plugin.load(path)


def values(loss: Any) -> Any:
    """The losses of the batch above, after the way through the record of a run and the trial call of a training."""
    given = resolve.from_mapping({"loss": loss})
    read = resolve.from_mapping(plain_yaml.parse(to_yaml(given)))
    assert read == given
    try_call(read.loss, 3)
    return np.asarray(binding.bind(read.loss)(Y_TRUE, LOGITS))


TIMES = "def _times(y_true, y_pred, factor=1.0, power=1.0):\n    return factor * _ce(y_true, y_pred) ** power\n\n\n"
CALLABLE = """
class _Callable:
    def __call__(self, y_true, y_pred):
        return 2 * _ce(y_true, y_pred)

    def method(self, y_true, y_pred, *, factor: float = 1.0):
        return factor * _ce(y_true, y_pred)


"""
KERAS_CLASS = """
class _Mine(keras.losses.Loss):
    def __init__(self, factor, from_logits=True, name="mine", **kwargs):
        super().__init__(name=name, **kwargs)
        self.factor, self.from_logits = factor, from_logits

    def call(self, y_true, y_pred):
        return self.factor * keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=self.from_logits)


"""
FACTORY = """
def _factory(factor=1.0, power=1.0):
    def loss(y_true, y_pred):
        return factor * _ce(y_true, y_pred) ** power

    return loss


"""
PLAIN_CLASS = """
class mine:
    def __init__(self, factor=2.0):
        self.factor = factor

    def __call__(self, y_true, y_pred):
        return self.factor * _ce(y_true, y_pred)
"""
REGISTERED = """
@keras.saving.register_keras_serializable()
def mine(y_true, y_pred, factor=2.0):
    return factor * _ce(y_true, y_pred)
"""
DECORATED = """
def _twice(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return 2 * f(*args, **kwargs)
    return wrapper


@_twice
def mine(y_true, y_pred, *, factor: float = 1.0):
    return factor * _ce(y_true, y_pred)
"""
FOCAL = keras.losses.CategoricalFocalCrossentropy(from_logits=True, gamma=3.0, reduction="none")
FORMS: list[tuple[str, dict[str, Any], Any]] = [
    ("mine = keras.losses.CategoricalCrossentropy(from_logits=True)", {}, CROSSENTROPY),
    ("mine = keras.losses.CategoricalCrossentropy()", {}, CROSSENTROPY),
    ("mine = keras.losses.SparseCategoricalCrossentropy(from_logits=True)", {}, CROSSENTROPY),
    (
        "mine = keras.losses.CategoricalFocalCrossentropy(from_logits=True, gamma=3.0)",
        {},
        np.asarray(FOCAL(Y_TRUE, LOGITS)),
    ),
    (KERAS_CLASS + "mine = _Mine(2.0)", {}, 2 * CROSSENTROPY),
    (KERAS_CLASS + "mine = _Mine(2.0, from_logits=False, reduction='sum')", {}, 2 * CROSSENTROPY),
    (KERAS_CLASS + "mine = functools.partial(_Mine, factor=2.0)", {}, 2 * CROSSENTROPY),
    (KERAS_CLASS + "mine = functools.partial(_Mine, factor=2.0)", {"factor": 3}, 3 * CROSSENTROPY),
    ("mine = keras.losses.categorical_crossentropy", {}, CROSSENTROPY),
    ("mine = keras.losses.CategoricalCrossentropy", {"outputs": "probabilities"}, CROSSENTROPY),
    (TIMES + "mine = functools.partial(_times, factor=3)", {}, 3 * CROSSENTROPY),
    (TIMES + "mine = functools.partial(_times, factor=3)", {"power": 2}, 3 * CROSSENTROPY**2),
    (TIMES + "mine = functools.partial(functools.partial(_times, factor=3), power=2)", {}, 3 * CROSSENTROPY**2),
    (FACTORY + "mine = _factory(3.0)", {}, 3 * CROSSENTROPY),
    (FACTORY + "mine = functools.partial(_factory, 3.0)", {"power": 2}, 3 * CROSSENTROPY**2),
    ("mine = lambda y_true, y_pred: 2 * _ce(y_true, y_pred)", {}, 2 * CROSSENTROPY),
    ("mine = lambda y_true, y_pred, factor=2: factor * _ce(y_true, y_pred)", {"factor": 3}, 3 * CROSSENTROPY),
    (CALLABLE + "mine = _Callable()", {}, 2 * CROSSENTROPY),
    (CALLABLE + "mine = _Callable().method", {"factor": 3}, 3 * CROSSENTROPY),
    (
        PLAIN_CLASS,
        {"factor": 3},
        3 * CROSSENTROPY,
    ),
    (
        REGISTERED,
        {"factor": 3},
        3 * CROSSENTROPY,
    ),
    (
        DECORATED,
        {"factor": 3},
        6 * CROSSENTROPY,
    ),
]


@pytest.mark.parametrize(("source", "given", "expected"), FORMS)
def test_a_variable_is_a_loss_under_its_name(tmp_path: Path, source: str, given: dict[str, Any], expected: Any) -> None:
    """What is fixed when it is made stays fixed; what remains are its hyperparameters."""
    assert load(tmp_path, source).names == ("mine",)
    np.testing.assert_allclose(values({"name": "mine", **given}), expected, rtol=1e-5, atol=1e-6)
    assert listing.render(["mine"], json=True)


def test_what_is_only_imported_is_no_loss(tmp_path: Path) -> None:
    """Neither under its own name nor under another; a base class of Keras is none either."""
    with pytest.raises(PluginError, match="has no loss"):
        load(tmp_path, "Base = keras.losses.Loss\nEPSILON = 1e-7\nbackend = keras.backend\nmatrix = ops.eye(3)\n")


def test_an_instance_is_not_changed(tmp_path: Path) -> None:
    """A sum of an instance and of a function that calls it gets the mean in the function, as the author does."""
    source = (
        "base = keras.losses.CategoricalCrossentropy(from_logits=True)\n\n\n"
        "def power(y_true, y_pred):\n    return ops.exp(base(y_true, y_pred))\n"
    )
    load(tmp_path, source)
    expected = CROSSENTROPY + np.exp(CROSSENTROPY.mean())
    np.testing.assert_allclose(values([{"name": "base"}, {"name": "power"}]), expected, rtol=1e-5)


OWN_PARAMETERS = """
def by_weight(y_true, y_pred, weight=1.0):
    "Doc."
    return weight * _ce(y_true, y_pred)


def by_others(y_true, y_pred, reduction="mean", labels=1.0, outputs="x", dtype=None, name="mine"):
    "Doc."
    return {"mean": 1, "sum": 2}[reduction] * labels * {"x": 1, "y": 3}[outputs] * _ce(y_true, y_pred)


class ByWeight(keras.losses.Loss):
    "Doc."
    def __init__(self, weight, name, reduction="sum", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.weight = weight

    def call(self, y_true, y_pred):
        return self.weight * _ce(y_true, y_pred)


def with_from_logits(y_true, y_pred, from_logits=False):
    "Doc."
    return _ce(y_true, y_pred)


def plain(y_true, y_pred):
    "Doc."
    return _ce(y_true, y_pred)
"""


@pytest.mark.parametrize(
    ("loss", "factor", "label"),
    [
        ("by_weight", 1, "by_weight"),
        ({"name": "by_weight", "weight": 0.5}, 0.5, "by_weight weight=0.5"),
        ({"name": "by_weight", "weight": 0.5, "term_weight": 3}, 1.5, "3 by_weight weight=0.5"),
        (
            [{"name": "by_weight", "weight": 0.5, "term_weight": 3}, {"name": "plain", "weight": 2}],
            3.5,
            "3 by_weight weight=0.5 + 2 plain",
        ),
        ([{"name": "by_weight", "weight": 0.5}, "plain"], 1.5, "1 by_weight weight=0.5 + 1 plain"),
        ({"name": "ByWeight", "weight": 0.5}, 0.5, "ByWeight weight=0.5"),
        ([{"name": "ByWeight", "weight": 2, "term_weight": 0.5}, "plain"], 2, "0.5 ByWeight weight=2 + 1 plain"),
        ({"name": "by_others", "reduction": "sum"}, 2, "by_others reduction=sum"),
        ({"name": "by_others", "labels": 3, "outputs": "y"}, 9, "by_others labels=3 outputs=y"),
    ],
)
def test_parameters_may_have_the_names_of_keys(tmp_path: Path, loss: Any, factor: float, label: str) -> None:
    """They are hyperparameters; the factor of a loss with a parameter `weight` is `term_weight`."""
    load(tmp_path, OWN_PARAMETERS)
    np.testing.assert_allclose(values(loss), factor * CROSSENTROPY, rtol=1e-5)
    assert labels.label(expression.parse(loss)) == label


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ({"name": "by_weight", "weight": "x"}, "is a parameter of the loss, whose factor in a sum is 'term_weight'"),
        ("ByWeight", "'weight' is required: a value; this is a parameter of the loss, whose factor"),
        ({"name": "by_weight", "term_weight": 0}, "expected a number > 0, got 0"),
        ({"name": "plain", "term_weight": 2}, "unknown key 'term_weight' in loss 'plain'; did you mean 'weight'?"),
        ({"name": "ce", "term_weight": 2}, "unknown key 'term_weight'"),
        ({"name": "plain", "from_logits": True}, "write outputs: logits, or outputs: probabilities"),
        ({"name": "with_from_logits", "from_logits": True}, "write outputs: logits, or outputs: probabilities"),
        ({"name": "by_others", "from_logits": True}, "set by_others.outputs in the file to 'logits'"),
        ({"name": "ByWeight", "weight": 1, "reduction": "sum"}, "'reduction' is not set in YAML"),
        ({"name": "ByWeight", "weight": 1, "dtype": "float64"}, "unknown key 'dtype'"),
    ],
)
def test_errors_say_which_key_is_meant(tmp_path: Path, loss: Any, message: str) -> None:
    """The parameter of the loss, its factor in a sum, or the form of its inputs."""
    load(tmp_path, OWN_PARAMETERS)
    with pytest.raises(expression.InvalidLossError, match=message):
        expression.parse(loss)


def test_the_schema_has_the_same_keys(tmp_path: Path) -> None:
    """An editor offers `term_weight` where `weight` is a parameter, and no form of inputs that is a parameter."""
    load(tmp_path, OWN_PARAMETERS)
    mappings = {
        each["properties"]["name"]["enum"][0]: set(each["properties"])
        for each in json_schema()["anyOf"][1:]
        if "properties" in each and each["properties"]["name"]["enum"]
    }
    assert mappings["by_weight"] == {"name", "weight", "term_weight", "labels", "outputs"}
    assert mappings["by_others"] == {"name", "weight", "reduction", "labels", "outputs", "dtype"}
    assert mappings["plain"] == {"name", "weight", "labels", "outputs"}


FROM_LOGITS = {
    "function": """
def mine(y_true, y_pred, *, from_logits{default}):
    return keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=from_logits)
""",
    "factory": """
def mine(factor=1.0, *, from_logits{default}):
    def loss(y_true, y_pred):
        return keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=from_logits)

    return loss
""",
    "class": """
class mine(keras.losses.Loss):
    def __init__(self, from_logits{default}, **kwargs):
        super().__init__(**kwargs)
        self.from_logits = from_logits

    def call(self, y_true, y_pred):
        return keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=self.from_logits)
""",
}


@pytest.mark.parametrize("source", FROM_LOGITS.values(), ids=FROM_LOGITS)
@pytest.mark.parametrize(
    "default", ["=False", *(pytest.param(other, marks=pytest.mark.slow) for other in ("", "=True"))]
)
@pytest.mark.parametrize("outputs", [None, "logits", "probabilities"])
def test_from_logits_follows_from_the_outputs(tmp_path: Path, source: str, default: str, outputs: str | None) -> None:
    """Whatever its default is: the loss gets what it is told that it gets."""
    load(tmp_path, source.format(default=default))
    given = {"outputs": outputs} if outputs else {}
    np.testing.assert_allclose(values({"name": "mine", **given}), CROSSENTROPY, rtol=1e-4)
    assert "from_logits" not in registry.find("mine").hyperparameters


UNUSABLE = [
    ("def bad(y_true, y_pred, *, a: float = 'x'):\n    return 0\n", "does not match its annotation"),
    ("def bad(y_true, y_pred, *, class_counts=1):\n    return 0\n", "a name that the engine uses: annotate it"),
    ("def bad(y_true, y_pred):\n    return 0\n\n\nbad.labels = 'ints'\n", "bad.labels should be one of"),
    ("async def bad(y_true, y_pred):\n    return 0\n", "is an async function"),
    ("def bad(y_true, y_pred):\n    yield 0\n", "yields, and a loss returns its values"),
    ("def bad(y_true, y_pred, a=1, /):\n    return 0\n", "takes 'a' by position only"),
    ("def focal(y_true, y_pred):\n    return 0\n", "'focal' is already defined by lossbench"),
    ("def ce(y_true, y_pred):\n    return 0\n", "'ce' is already defined by lossbench"),
    ("def categorical_crossentropy(y_true, y_pred):\n    return 0\n", "is already defined by lossbench"),
    ("def nce_rce(y_true, y_pred):\n    return 0\n", "is already defined by lossbench"),
]


@pytest.mark.parametrize(("source", "reason"), UNUSABLE)
def test_one_unusable_loss_leaves_the_others(tmp_path: Path, source: str, reason: str) -> None:
    """The others train; naming the unusable one raises its reason, and never finds lossbench's loss of that name."""
    name = source.partition("def ")[2].partition("(")[0]
    loaded = load(tmp_path, f"{source}\n\ndef good(y_true, y_pred):\n    return _ce(y_true, y_pred)\n")
    assert loaded.names == ("good",)
    assert plugin.load(loaded.path) == loaded
    (told,) = loaded.unusable
    assert reason in told
    np.testing.assert_allclose(values("good"), CROSSENTROPY, rtol=1e-5)
    with pytest.raises(expression.InvalidLossError, match=r"mine\.py: ") as caught:
        expression.parse([{"name": name}, "good"])
    assert reason in str(caught.value)
    with pytest.raises(PluginError, match=r"mine\.py: "):
        listing.render([name])


def test_a_file_without_a_usable_loss_is_refused_with_every_reason(tmp_path: Path) -> None:
    """One line per loss."""
    with pytest.raises(PluginError) as caught:
        load(tmp_path, f"{UNUSABLE[0][0]}\n\n{UNUSABLE[6][0]}")
    assert [
        reason in line
        for line, reason in zip(str(caught.value).splitlines(), (UNUSABLE[0][1], UNUSABLE[6][1]), strict=True)
    ]


HINTS = """
from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from keras import ops

if TYPE_CHECKING:
    import numpy
    import numpy as np
    import numpy.typing as npt
    import tensorflow as tf
    from annotated_types import Ge as AtLeast
    from annotated_types import Gt
    from lossbench.losses import types as t
    from lossbench.losses.types import ClassCounts, Positive, State, Tensor
    from lossbench.losses.types import ClassCounts as Counts
    from numpy.typing import NDArray
    from numpy.typing import NDArray as Numbers


"""
DECLARATIONS = [
    ("a: float = 1.0, b: tf.Tensor = None", "a number"),
    ("a: Annotated[float, Gt(0)] = 1.0, b: tf.Tensor = None", "a number > 0"),
    ("a: Annotated[int, AtLeast(3)] = 4", "a whole number ≥ 3"),
    ("a: Positive = 1.0", "a number > 0"),
    ("a: tf.Tensor = 2.0", "a number"),
    ("a: Annotated[tf.Tensor, 'words'] = 2.0", "a number"),
    ("a: Nowhere[int] = 'x'", "text"),
    ("a: 'Nowhere.Type' = True", "true or false"),
    ("a: Optional['tf.Tensor'] = None", "a value"),
    ("a: Optional[float] = None", "a number, or null"),
    ("a: Literal['x', 'y'] = 'x'", "one of x, y"),
    ("a: 'no annotation!' = 1", "a number"),
    ("a: tf.Tensor | float", "a value"),
    ("a: npt.NDArray[np.float32] = None", "a list with one number per class, or null"),
    ("a: NDArray | None = None", "a list with one number per class, or null"),
    ("a: numpy.ndarray", "a list with one number per class"),
    ("a: Numbers[np.int64]", "a list of whole numbers"),
]
PLACES = {
    "function": """
def mine(y_true: tf.Tensor, y_pred: tf.Tensor, *, {}) -> tf.Tensor:
    return y_pred[:, 0]
""",
    "factory": """
def mine({}) -> Callable[..., tf.Tensor]:
    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return y_pred[:, 0]

    return loss
""",
    "class": """
import keras


class mine(keras.losses.Loss):
    def __init__(self, {}, **kwargs: Nowhere) -> None:
        super().__init__(**kwargs)

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        return y_pred[:, 0]
""",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("declaration", "expected"), DECLARATIONS, ids=str)
def test_names_for_type_checkers_are_no_error(tmp_path: Path, place: str, declaration: str, expected: str) -> None:
    """What can be resolved is; the rest is the type of the default, or any value."""
    path = tmp_path / "mine.py"
    path.write_text(HINTS + PLACES[place].format(declaration), encoding="utf-8")
    assert plugin.load(path).names == ("mine",)
    hyperparameter = registry.find("mine").hyperparameters["a"]
    assert hyperparameter.expected.replace(" or null", ", or null").replace(",,", ",") == expected


@pytest.mark.parametrize(
    "annotation", ["ClassCounts", "t.ClassCounts", "Counts", "'ClassCounts'", "ClassCounts | None", "Optional[Counts]"]
)
def test_the_engine_fills_in_what_is_marked_for_type_checkers_only(tmp_path: Path, annotation: str) -> None:
    """A mark of lossbench never becomes a hyperparameter because its name does not exist at run time."""
    path = tmp_path / "mine.py"
    declaration = f"class_counts: {annotation}, memory: Annotated[tf.Tensor, State(('classes',), 0.0)]"
    body = f"def mine(y_true, y_pred, *, {declaration}):\n    return y_pred[:, 0], {{'memory': memory}}\n"
    path.write_text(HINTS + body, encoding="utf-8")
    plugin.load(path)
    signature = registry.find("mine")
    assert (signature.context, signature.states, dict(signature.hyperparameters)) == (
        ("class_counts",),
        ("memory",),
        {},
    )


@pytest.mark.parametrize(
    ("docstring", "outputs", "link"),
    [
        ("", None, "none"),
        ("Link: softmax.", None, "softmax"),
        ("", "probabilities", "softmax"),
        ("Link: sigmoid.", "probabilities", "sigmoid"),
    ],
)
def test_a_loss_that_gets_probabilities_trains_softmax(
    tmp_path: Path, docstring: str, outputs: str | None, link: str
) -> None:
    """Unless it declares another link; a loss of logits that declares none has none."""
    load(
        tmp_path,
        f'def mine(y_true, y_pred):\n    """Mine.\n\n    {docstring}\n    """\n    return _ce(y_true, y_pred)\n',
    )
    given = {"outputs": outputs} if outputs else {}
    assert expression.link(expression.parse({"name": "mine", **given})) == link
