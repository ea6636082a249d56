"""Values of hyperparameters on their way from YAML, or from their default, to a user's function and into the record."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lossbench.config import resolve, yaml
from lossbench.config.dump import to_yaml
from lossbench.config.identity import trial
from lossbench.config.json_schema import json_schema
from lossbench.errors import ConfigError
from lossbench.inspect.diff import differences
from lossbench.losses import binding, expression, labels, listing, plain_data, plugin, registry
from lossbench.runs import plain_yaml, rows

if TYPE_CHECKING:
    from pathlib import Path

    from lossbench.config.schema import Experiment

HEAD = """
from collections import Counter, OrderedDict, UserDict, defaultdict, namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, Optional, Union

import numpy as np
import numpy.typing as npt
from annotated_types import Gt
from numpy.typing import NDArray
from keras import ops
from types import MappingProxyType

SEEN = []
Point = namedtuple("Point", "x y")


class Mode(Enum):
    A = "a"
    B = "b"


@dataclass
class Pair:
    x: float


class _Sentinel:
    def __repr__(self):
        return "sentinel"


def _helper(x):
    return x


_helper.__qualname__ = "helper"


def _one():
    return 1.0


_one.__qualname__ = "one"


"""
FUNCTION = '''
def mine(y_true, y_pred, *, {declaration}):
    """My loss."""
    SEEN.append(a)
    return ops.sum(y_true * y_pred, axis=-1)
'''


def load(folder: Path, declaration: str) -> None:
    """Load a loss with one parameter `a`."""
    path = folder / "mine.py"
    path.write_text(HEAD + FUNCTION.format(declaration=declaration), encoding="utf-8")
    registry.clear_plugins()
    plugin.load(path)


def experiment(value: str | None = None) -> Experiment:
    """The experiment of a YAML file that sets `a`, or not."""
    text = "loss: mine" if value is None else f"loss: {{name: mine, a: {value}}}"
    return resolve.from_mapping(yaml.parse(text, "f.yaml").plain())


def again(given: Experiment) -> Experiment:
    """The experiment as it is read from the record of a run."""
    return resolve.from_mapping(plain_yaml.parse(to_yaml(given)))


def arrived(given: Experiment) -> Any:
    """What the function gets for `a`."""
    function = registry.find("mine").function
    function.__globals__["SEEN"].clear()
    binding.bind(given.loss)(np.eye(3, dtype="float32"), np.zeros((3, 3), "float32"))
    return function.__globals__["SEEN"][-1]


ARRIVING = [
    ("a=[50, 1]", None, "[50, 1]"),
    ("a=[0.5, 1.0]", "[2, 1]", "[2.0, 1.0]"),
    ("a=[0.5, 1.0]", "0.25", "0.25"),
    ("a=[[0.5], [1.0]]", "[[2], [1]]", "[[2.0], [1.0]]"),
    ("a=None", "[50, 1.5]", "[50, 1.5]"),
    ("a", "[50, [x, true], {b: null}]", "[50, ['x', True], {'b': None}]"),
    ("a: list = None", "[1, 2]", "[1, 2]"),
    ("a: list[float] = None", "[1, 2]", "[1.0, 2.0]"),
    ("a: Sequence[float] = ()", None, "()"),
    ("a: Sequence[float] = ()", "[1]", "[1.0]"),
    ("a: Union[float, Sequence[float]] = 1.0", "[1]", "[1.0]"),
    ("a=(0.9, 0.99)", None, "(0.9, 0.99)"),
    ("a=(0.9, 0.99)", "[1, 2]", "(1.0, 2.0)"),
    ("a: tuple[float, ...] = ()", "[1, 2]", "(1.0, 2.0)"),
    ("a: tuple[int, str] = (1, 'x')", "[2, z]", "(2, 'z')"),
    ("a: Optional[tuple] = None", "[1]", "(1,)"),
    ("a={0: 5.0, 1: 2.0}", None, "{0: 5.0, 1: 2.0}"),
    ("a={0: 5.0}", "{3: 4}", "{3: 4.0}"),
    ("a=None", "{0: 5.0, '1': 2, true: x, 0.5: [1]}", "{0: 5.0, '1': 2, True: 'x', 0.5: [1]}"),
    ("a=None", "{0: {1: {2: x}}}", "{0: {1: {2: 'x'}}}"),
    ("a=None", "[{0: 1}, {false: 2}]", "[{0: 1}, {False: 2}]"),
    ("a: dict[int, float] = {0: 5}", None, "{0: 5}"),
    ("a: dict[int, float] = {0: 5}", "{3: 1}", "{3: 1.0}"),
    ("a: Mapping[int, list[float]] = None", "{3: [1]}", "{3: [1.0]}"),
    ("a: Optional[dict[str, float]] = None", "{x: 1}", "{'x': 1.0}"),
    ("a: set[int] = None", "[2, 1]", "{1, 2}"),
    ("a=frozenset({1.0})", None, "frozenset({1.0})"),
    ("a: np.ndarray = None", "[1, 2]", "array([1., 2.])"),
    ("a: np.ndarray = None", None, "None"),
    ("a=np.ones(2)", None, "array([1., 1.])"),
    ("a=np.ones(2)", "[1, 2]", "array([1., 2.])"),
    ("a=np.ones(2)", "[[1], [2]]", "array([[1.],\n       [2.]])"),
    ("a=np.ones(2, 'float32')", None, "array([1., 1.], dtype=float32)"),
    ("a=np.ones(2, 'float32')", "[0.1, 2]", "array([0.1, 2. ], dtype=float32)"),
    ("a=np.ones(2, 'float16')", "[1, 2]", "array([1., 2.], dtype=float16)"),
    ("a: np.ndarray = np.ones(2, 'float32')", "[1, 2]", "array([1., 2.], dtype=float32)"),
    ("a: NDArray = np.ones(2, 'float32')", "[1, 2]", "array([1., 2.], dtype=float32)"),
    ("a: Optional[NDArray] = np.array([0, 1])", "[1, 0]", "array([1, 0])"),
    ("a: NDArray[np.float32] = np.array([0, 1])", "[1, 0]", "array([1., 0.], dtype=float32)"),
    ("a=[np.ones(1, 'float32')]", "[[0.1]]", "[array([0.1], dtype=float32)]"),
    ("a=np.array([0, 1])", "[1, 0]", "array([1, 0])"),
    ("a=np.array([0, 1])", "[1.0, 0.0]", "array([1, 0])"),
    ("a=np.array([0, 1])", "[0.5, 1]", "array([0.5, 1. ])"),
    ("a=np.array([0, 1], 'uint8')", "[255, 0]", "array([255,   0], dtype=uint8)"),
    ("a=np.ones(2, bool)", "[true, false]", "array([ True, False])"),
    ("a=ops.convert_to_numpy(ops.ones(2, 'int32'))", "[1, 0]", "array([1, 0], dtype=int32)"),
    ("a=defaultdict(_one, {0: 5.0})", "{0: 7}", "defaultdict(<function one>, {0: 7.0})"),
    ("a: dict[int, float] = defaultdict(_one, {0: 5.0})", "{0: 7}", "defaultdict(<function one>, {0: 7.0})"),
    ("a=OrderedDict({0: 5.0})", "{0: 7}", "OrderedDict([(0, 7.0)])"),
    ("a=Counter({0: 5})", "{1: 7}", "Counter({1: 7})"),
    ("a=UserDict({0: 5.0})", "{1: 7}", "{1: 7.0}"),
    ("a=MappingProxyType({0: 5.0})", "{1: 7}", "mappingproxy({1: 7.0})"),
    ("a=frozenset({1.0})", "[3]", "frozenset({3.0})"),
    ("a=Point(1.0, 2.0)", "[3, 4]", "Point(x=3.0, y=4.0)"),
    ("a: NDArray", "[1, 2]", "array([1., 2.])"),
    ("a: NDArray = None", None, "None"),
    ("a: NDArray[Any] = None", "[1, 2]", "array([1., 2.])"),
    ("a: NDArray | None = None", "[1, 2]", "array([1., 2.])"),
    ("a: Optional[npt.NDArray[np.float64]] = None", "[1, 2]", "array([1., 2.])"),
    ("a: NDArray[np.floating] = None", "[1, 2]", "array([1., 2.])"),
    ("a: NDArray[np.float32 | np.float64] = None", "[1, 2]", "array([1., 2.])"),
    ("a: NDArray[np.float32] = None", "[0.1, 2]", "array([0.1, 2. ], dtype=float32)"),
    ("a: NDArray[np.float32] = None", "0.1", "array(0.1, dtype=float32)"),
    ("a: NDArray[np.float16]", "[[1], [2]]", "array([[1.],\n       [2.]], dtype=float16)"),
    ("a: Annotated[NDArray[np.float32], 'per class'] = None", "[1]", "array([1.], dtype=float32)"),
    ("a: np.ndarray[Any, np.dtype[np.float32]] = None", "[1, 2]", "array([1., 2.], dtype=float32)"),
    ("a: np.ndarray[tuple[int], np.dtype[np.float64]] = None", "[0.5]", "array([0.5])"),
    ("a: dict[str, NDArray[np.float32]] = None", "{x: [0.1]}", "{'x': array([0.1], dtype=float32)}"),
    ("a: list[NDArray] = None", "[[1], [2, 3]]", "[array([1.]), array([2., 3.])]"),
    ("a: float | NDArray[np.float32] = 1.0", "[1]", "array([1.], dtype=float32)"),
    ("a: NDArray[np.int64] = None", "[0, 2]", "array([0, 2])"),
    ("a: NDArray[np.integer] = None", "[0, 2.0]", "array([0, 2])"),
    ("a: NDArray[np.uint8] = None", "[255]", "array([255], dtype=uint8)"),
    ("a: NDArray[np.bool_] = None", "[true, false]", "array([ True, False])"),
    ("a=np.float32(0.5)", None, "np.float32(0.5)"),
    ("a=None", "1", "1"),
    ("a=None", "1.0", "1.0"),
    ("a=None", "'1'", "'1'"),
    ("a=None", "true", "True"),
    ("a=2", "3.0", "3"),
    ("a=2", "3.5", "3.5"),
    ("a=2.0", "3", "3.0"),
    ("a: float = 2", None, "2"),
    ("a: float = 2", "2.0", "2"),
    ("a: float = 2", "3", "3.0"),
    ("a: float = None", None, "None"),
    ("a: float = None", "3", "3.0"),
    ("a: int = 2.0", "3", "3"),
    ("a: Annotated[float, Gt(0)] = None", "2", "2.0"),
    ("a: float = [1.0, 2.0]", None, "[1.0, 2.0]"),
    ("a: Mode = Mode.A", None, "<Mode.A: 'a'>"),
    ("a=Mode.A", "b", "<Mode.B: 'b'>"),
    ("a: Literal['x', 1] = 'x'", "1", "1"),
    ("a: Pair = None", "{x: 1}", "Pair(x=1.0)"),
    ("a: _Sentinel = None", "[1]", "[1]"),
    ("a=_Sentinel()", None, "sentinel"),
    ("a=float('inf')", None, "inf"),
    ("a=[float('nan')]", None, "[nan]"),
    ("a=float('inf')", "3", "3.0"),
    ("a={'f': _helper}", None, "{'f': <function helper>}"),
    ("a=list(range(5000))", None, repr(list(range(5000)))),
]


def shown(value: Any) -> str:
    """The text of a value, without addresses."""
    return re.sub(r" at 0x\w+", "", repr(value))


@pytest.mark.parametrize(("declaration", "given", "expected"), ARRIVING, ids=lambda each: str(each)[:60])
def test_a_value_arrives_with_its_type(tmp_path: Path, declaration: str, given: str | None, expected: str) -> None:
    """As the author wrote the default, as YAML has the value, or as the annotation says; after the record too."""
    load(tmp_path, declaration)
    first = experiment(given)
    second = again(first)
    assert (shown(arrived(first)), shown(arrived(second))) == (expected, expected)
    assert second == first
    digests = [trial(each, data_sha256="").identity for each in (first, second)]
    assert digests[0] == digests[1]
    assert labels.label(second.loss) == labels.label(first.loss)
    assert ("a=" in labels.label(first.loss)) == (given is not None and not given.startswith("2.0"))


RECORDED = [
    ("a=np.ones(2, 'float32')", "[0.1, 2]", "[0.1, 2.0]"),
    ("a=np.array([0, 1])", "[1, 0]", "[1.0, 0.0]"),
    ("a=np.ones(2, bool)", "[true, false]", "[true, false]"),
    ("a: NDArray[np.float32] = None", "[0.1, 2]", "[0.1, 2.0]"),
    ("a: dict[str, NDArray[np.float32]] = None", "{x: [0.1]}", "{x: [0.1]}"),
    ("a=defaultdict(_one, {0: 5.0})", "{0: 7}", "{0: 7.0}"),
]


@pytest.mark.parametrize(("declaration", "given", "expected"), RECORDED, ids=lambda each: each)
def test_a_record_has_the_digits_of_the_file(tmp_path: Path, declaration: str, given: str, expected: str) -> None:
    """Rounding an array to its own type does not change the record and the label."""
    load(tmp_path, declaration)
    (term,) = experiment(given).loss
    assert plain_data.to_flow(term.hyperparameters["a"]) == expected
    assert labels.label((term,)) == f"mine a={given}"


@pytest.mark.parametrize("given", [None, "[1, 0]"])
def test_a_tensor_keeps_the_type_of_the_default(tmp_path: Path, given: str | None) -> None:
    """An index stays an integer."""
    load(tmp_path, "a=ops.convert_to_tensor([0, 1], 'int32')")
    assert "int32" in str(arrived(experiment(given)).dtype)


DIFFERENT = [
    ["1", "1.0", "'1'", "true", "[1]", "{1: 1}"],
    ["{0: 1}", "{'0': 1}", "{0.5: 1}", "{0: 1.0}", "{false: 1}"],
    ["[1]", "[1.0]", "['1']", "[[1]]"],
    ["null", "'null'", "''", "[]", "{}"],
]


@pytest.mark.parametrize("values", DIFFERENT, ids=str)
def test_values_that_a_loss_can_tell_apart_are_different_runs(tmp_path: Path, values: list[str]) -> None:
    """Their folders, labels and columns differ, so that none is taken for another."""
    load(tmp_path, "a")
    read = [experiment(value) for value in values]
    assert len({trial(each, data_sha256="").folder for each in read}) == len(values)
    assert len({trial(each, data_sha256="").identity for each in read}) == len(values)
    assert len({labels.label(each.loss) for each in read}) == len(values)


@pytest.mark.parametrize(
    ("declaration", "values"),
    [
        ("a: float = 3", [None, "3", "3.0"]),
        ("a=3", [None, "3", "3.0"]),
        ("a=[1, 2]", [None, "[1, 2]", "[1.0, 2]"]),
        ("a={0: 5.0}", [None, "{0: 5}", "{0: 5.0}"]),
        ("a: Mode = Mode.A", [None, "a"]),
    ],
)
def test_a_value_equal_to_the_default_is_the_default(
    tmp_path: Path, declaration: str, values: list[str | None]
) -> None:
    """It is the same run under the same label, and the loss gets the same object."""
    load(tmp_path, declaration)
    read = [experiment(value) for value in values]
    assert len({trial(each, data_sha256="").folder for each in read}) == 1
    assert len({repr(arrived(each)) for each in read}) == 1
    assert {labels.label(each.loss) for each in read} == {"mine"}


@pytest.mark.parametrize(("default", "change"), [("[1]", "pop"), ("{0: [1]}", "clear"), ("{1}", "pop")])
def test_a_loss_cannot_change_its_default(tmp_path: Path, default: str, change: str) -> None:
    """Each time that it is bound, it gets a copy, and also of a value that YAML sets."""
    load(tmp_path, f"a={default}")
    before = repr(arrived(experiment()))
    for _ in range(2):
        value = arrived(experiment())
        assert repr(value) == before
        getattr(value, change)()


@pytest.mark.parametrize(
    ("declaration", "given", "message"),
    [
        ("a=_Sentinel()", "1", "loss.a: set in the file, as YAML cannot express it; change it there"),
        ("a=_helper", "relu", "set in the file, as YAML cannot express it"),
        ("a: Callable = _helper", "relu", "set in the file, as YAML cannot express it"),
        ("a={'f': _helper}", "{f: 1}", "set in the file, as YAML cannot express it"),
        (
            "a: dict[int, float] = None",
            "{'0': 1}",
            "a mapping with whole-number keys and number values or null, got {'0': 1}",
        ),
        ("a: dict[str, float]", "{0: 1}", "expected a mapping with text keys and number values, got {0: 1}"),
        ("a: Mapping[str, list[float]]", "{0: [1]}", "expected a mapping with text keys, got {0: [1]}"),
        ("a: dict[Any, bool]", "{0: 1}", "expected a mapping with true-or-false values, got {0: 1}"),
        ("a: dict", "1", "expected a mapping, got 1"),
        ("a: tuple[float, float, float]", "[1, 2]", "expected a list of 3 numbers, got [1, 2]"),
        ("a: tuple[float, float] = None", "[1]", "expected a list of 2 numbers or null, got [1]"),
        ("a: tuple[Annotated[float, Gt(0)], float]", "[1]", "expected a list of 2 numbers, got [1]"),
        ("a: tuple[int | float, ...]", "1", "expected a list with one number per class, got 1"),
        ("a: tuple[int, int]", "[1]", "expected a list of 2 whole numbers, got [1]"),
        ("a: tuple[int, str]", "[1]", "expected a list of 2 entries (a whole number, text), got [1]"),
        ("a: tuple[float, ...]", "1", "expected a list with one number per class, got 1"),
        ("a: list[str]", "[1]", "expected a list of texts, got [1]"),
        ("a: list[int]", "[0.5]", "expected a list of whole numbers, got [0.5]"),
        ("a: np.ndarray = None", "[[1], [1, 2]]", "expected a list"),
        ("a=np.ones(2)", "[x]", "expected a list"),
        ("a=np.ones(2, bool)", "[1, 0]", "expected a list of true or false, got [1, 0]"),
        ("a: NDArray[np.int64] = None", "[0.5]", "expected a list of whole numbers or null, got [0.5]"),
        ("a: NDArray[np.uint8] = None", "[256]", "expected a list"),
        ("a: NDArray[np.uint8] = None", "[-1]", "expected a list"),
        ("a: NDArray[np.float16] = None", "[1e6]", "expected a list"),
        ("a: NDArray[np.bool_] = None", "[1, 0]", "expected a list"),
        ("a: NDArray[np.float32] = None", "[true]", "expected a list"),
        ("a: float = None", "'1'", "expected a number or null, got '1'"),
        ("a: float = None", "true", "expected a number or null, got True"),
        ("a: Annotated[float, Gt(0)] = None", "0", "expected a number > 0, or null, got 0"),
        ("a: Mode = Mode.A", "c", "expected one of a, b, got 'c'"),
        ("a=True", "1", "expected true or false, got 1"),
        ("a='x'", "1", "expected text, got 1"),
        ("a=None", ".nan", "got nan"),
        ("a=None", "{.inf: 1}", "expected a value, got"),
    ],
)
def test_a_value_of_another_type_is_refused(tmp_path: Path, declaration: str, given: str, message: str) -> None:
    """The error names the key, what was expected and what came."""
    load(tmp_path, declaration)
    with pytest.raises(ConfigError, match=r"loss\.a: ") as caught:
        experiment(given)
    assert message in str(caught.value)


def test_a_default_that_yaml_cannot_express_is_shown_as_such(tmp_path: Path) -> None:
    """In the list, on the card, in the table, in JSON; the record of a run leaves it out."""
    load(tmp_path, "a=_Sentinel()")
    assert "a=set in the file" in " ".join(listing.render().split())
    assert "a: set in the file, as YAML cannot express it" in listing.card("mine")
    assert "a = set in the file" in listing.table()
    (entry,) = json.loads(listing.render(["mine"], json=True))["hyperparameters"]
    assert (entry["default_in_file"], "default" in entry) == (True, False)
    assert expression.dump(experiment().loss) == {"name": "mine"}
    load(tmp_path, "a=np.ones(2)")
    assert "a: a list with one number per class; the default is set in the file" in listing.render(["mine"])


@pytest.mark.slow
def test_the_schema_describes_every_loss(tmp_path: Path) -> None:
    """Whatever the annotations are, it is JSON; what pydantic does not know may have any value."""
    for declaration in {declaration for declaration, _, _ in ARRIVING}:
        load(tmp_path, declaration)
        assert json.dumps(json_schema())


def test_python_values_are_taken_as_yaml_would(tmp_path: Path) -> None:
    """Arrays, tuples and numbers of NumPy become lists and numbers; what cannot be recorded is refused."""
    load(tmp_path, "a=None")
    for value, expected in [(np.ones(2), [1.0, 1.0]), ((1, 2), [1, 2]), (np.float32(0.5), 0.5), ({1, 2}, [1, 2])]:
        (term,) = resolve.from_mapping({"loss": {"name": "mine", "a": value}}).loss
        assert term.hyperparameters["a"] == expected
    deep: list[Any] = []
    for _ in range(17):
        deep = [deep]
    for value in (object(), 10**70, deep, b"x"):
        with pytest.raises(ConfigError, match=r"loss\.a"):
            resolve.from_mapping({"loss": {"name": "mine", "a": value}})


KEYS = [
    ("loss: {name: mine, a: {0: 1}}", None),
    ("loss: [{name: mine, a: {0: 1}}, ce]", None),
    ("sweep: {cases: [{loss: {name: mine, a: {0: 1}}}], parameters: {loss.a: [{0: 1}, {true: 2}]}}", None),
    ("loss: {0: 1}", "f.yaml:1:8: a key is text, got 0; write it in quotes"),
    ("train: {0: 1}", "f.yaml:1:9: a key is text, got 0; write it in quotes"),
    ("lossy: {a: {0: 1}}", "f.yaml:1:13: a key is text, got 0; write it in quotes"),
    ("loss: {name: mine, a: {[0]: 1}}", "f.yaml:1:24: a key is text, got [0]; write it in quotes"),
    ("loss: {name: mine, a: {1: 1, 1.0: 2}}", "f.yaml:1:30: duplicate key 1.0; first at f.yaml:1:24"),
]


@pytest.mark.parametrize(("text", "message"), KEYS)
def test_only_values_of_hyperparameters_have_keys_that_are_no_text(text: str, message: str | None) -> None:
    """Elsewhere a key is the name of something."""
    if message is None:
        assert "{0: 1}" in str(yaml.parse(text, "f.yaml").plain())
        return
    with pytest.raises(ConfigError) as caught:
        yaml.parse(text, "f.yaml")
    assert str(caught.value) == message


def test_a_mapping_is_one_value(tmp_path: Path) -> None:
    """A file or the command line replaces it as a whole; a key inside it cannot be set."""
    load(tmp_path, "a={0: 5.0}")
    path = tmp_path / "f.yaml"
    path.write_text("loss: {name: mine, a: {1: 2, 2: 3}}")
    (term,) = resolve.load(path, ["loss.a={3: 4}"]).loss
    assert term.hyperparameters["a"] == {3: 4.0}
    with pytest.raises(ConfigError, match=r"loss\.a is one value and can only be replaced completely"):
        resolve.load(path, ["loss.a.1=4"])


def test_columns_and_differences_keep_the_types_of_keys() -> None:
    """`compare --by loss.a` and `diff` tell {0: 5} from {'0': 5}."""
    configs = [{"loss": {"name": "mine", "a": a}} for a in ({0: 5.0}, {"0": 5.0}, {True: [None]})]
    texts = ["{0: 5.0}", '{"0": 5.0}', "{true: [null]}"]
    assert [dict(rows.flatten(config))["loss.a"] for config in configs] == texts
    (difference,) = differences(configs[0], configs[1])
    assert (difference.key, difference.a, difference.b) == ("loss.a", *texts[:2])
