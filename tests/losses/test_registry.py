"""What `loss:` may say, what comes of it, and what is said when it is wrong."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lossbench.errors import UsageError
from lossbench.losses import expression, json_schema, labels, registry
from lossbench.losses.presets import PRESETS

NAMES = registry.names()


def problems(value: object) -> list[tuple[tuple[Any, ...], str]]:
    """Everything that is wrong with a value."""
    with pytest.raises(expression.InvalidLossError) as caught:
        expression.parse(value)
    return [(problem.path, problem.message) for problem in caught.value.problems]


FOCAL = "gamma, alpha, label_smoothing, stop_gradient"
LISTED = "`lossbench losses` lists them all; for one of your own, name its file in `plugins`"
WRONG: list[tuple[object, list[tuple[tuple[Any, ...], str]]]] = [
    ("focl", [((), f"unknown loss 'focl'; did you mean 'focal'? {LISTED}")]),
    ("xyzzy", [((), f"unknown loss 'xyzzy': {LISTED}")]),
    ({"name": "FOCAL"}, [(("name",), f"unknown loss 'FOCAL'; did you mean 'focal'? {LISTED}")]),
    (
        {"name": "focal", "gama": 2},
        [(("gama",), f"unknown key 'gama' in loss 'focal'; did you mean 'gamma'? It takes {FOCAL}")],
    ),
    ({"name": "brier", "k": 1}, [(("k",), "unknown key 'k' in loss 'brier'. It takes no hyperparameters")]),
    (
        {"name": "focal", 1: 2},
        [((1,), f"unknown key 1 in loss 'focal'. It takes {FOCAL}")],
    ),
    ({"name": "focal", "labels": "integer"}, [(("labels",), "'labels' is not set in YAML: the engine fills it in")]),
    ({"name": "focal", "outputs": "logits"}, [(("outputs",), "'outputs' is not set in YAML: the engine fills it in")]),
    (
        {"name": "ce", "from_logits": True},
        [(("from_logits",), "'from_logits' is not set in YAML: the engine fills it in")],
    ),
    ({"name": "ce", "reduction": "sum"}, [(("reduction",), "'reduction' is not set in YAML: the engine fills it in")]),
    (
        {"name": "weighted_crossentropy", "class_counts": [1, 2]},
        [(("class_counts",), "'class_counts' is not set in YAML: the engine fills it in")],
    ),
    ({"name": "gce", "q": 0}, [(("q",), "expected a number in (0, 1], got 0")]),
    ({"name": "gce", "q": "0.5"}, [(("q",), "expected a number in (0, 1], got '0.5'")]),
    ({"name": "gce", "q": True}, [(("q",), "expected a number in (0, 1], got True")]),
    ({"name": "gce", "q": None}, [(("q",), "expected a number in (0, 1], got None")]),
    ({"name": "gce", "q": math.nan}, [(("q",), "expected a number in (0, 1], got nan")]),
    ({"name": "focal", "gamma": math.inf}, [(("gamma",), "expected a number ≥ 0, got inf")]),
    ({"name": "focal", "gamma": -1}, [(("gamma",), "expected a number ≥ 0, got -1")]),
    ({"name": "focal", "gamma": {"a": 1}}, [(("gamma",), "expected a number ≥ 0, got {'a': 1}")]),
    ({"name": "focal", "gamma": Path()}, [(("gamma",), "expected a number ≥ 0, got PosixPath('.')")]),
    (
        {"name": "focal", "alpha": [1, -1]},
        [(("alpha",), "expected a number > 0, or a list with one number per class, got [1, -1]")],
    ),
    (
        {"name": "focal", "alpha": []},
        [(("alpha",), "expected a number > 0, or a list with one number per class, got []")],
    ),
    ({"name": "focal", "stop_gradient": "yes"}, [(("stop_gradient",), "expected true or false, got 'yes'")]),
    ({"name": "taylor_crossentropy", "order": 2.5}, [(("order",), "expected a whole number in [1, 100], got 2.5")]),
    ({"name": "multi_margin", "p": 3}, [(("p",), "expected one of 1, 2, got 3")]),
    (
        {"name": "weighted_crossentropy", "normalize": "sum"},
        [(("normalize",), "expected one of count, weights, got 'sum'")],
    ),
    ({"gamma": 2}, [((), "expected 'name', the name of a loss")]),
    ({"name": 3}, [(("name",), "expected 'name', the name of a loss, got 3")]),
    ({"name": "ce", "weight": 0}, [(("weight",), "expected a number > 0, got 0")]),
    ({"name": "ce", "weight": math.inf}, [(("weight",), "expected a number > 0, got inf")]),
    ({"name": "ce", "weight": True}, [(("weight",), "expected a number > 0, got True")]),
    ({"name": "ce", "weight": "1"}, [(("weight",), "expected a number > 0, got '1'")]),
    (3, [((), "expected the name of a loss, a mapping with 'name', or a list of these, got 3")]),
    (None, [((), "expected the name of a loss, a mapping with 'name', or a list of these, got None")]),
    ([], [((), "expected the name of a loss, a mapping with 'name', or a list of these, got []")]),
    ([["ce"]], [((0, "name"), "expected 'name', the name of a loss, got ['ce']")]),
    (
        ["ce", {"name": "gce", "q": 2, "p": 1}, "focl"],
        [
            ((1, "p"), "unknown key 'p' in loss 'generalized_crossentropy'. It takes q"),
            ((1, "q"), "expected a number in (0, 1], got 2"),
            ((2,), f"unknown loss 'focl'; did you mean 'focal'? {LISTED}"),
        ],
    ),
]


@pytest.mark.parametrize(("value", "expected"), WRONG, ids=[str(value) for value, _ in WRONG])
def test_every_problem_is_told_with_its_place(value: object, expected: list[tuple[tuple[Any, ...], str]]) -> None:
    """Where, what was expected, what came."""
    assert sorted(problems(value), key=str) == sorted(expected, key=str)


def test_long_values_are_cut() -> None:
    """A number of 400 digits does not fill the screen."""
    for key in ("q", "weight"):
        ((_, message),) = problems({"name": "gce", key: 10**400})
        assert len(message) < 100


@pytest.mark.parametrize("name", NAMES)
def test_dump_is_the_inverse_of_parse(name: str) -> None:
    """What is written to config.yaml is read back as the same terms, aliases and presets resolved."""
    terms = expression.parse(name)
    assert expression.parse(expression.dump(terms)) == terms
    assert {term.name for term in terms} <= set(registry.signatures())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ce", {"name": "categorical_crossentropy", "label_smoothing": 0.0}),
        ({"name": "gce", "q": 1}, {"name": "generalized_crossentropy", "q": 1.0}),
        ([{"name": "gce"}], {"name": "generalized_crossentropy", "q": 0.7}),
        ({"name": "brier", "weight": 2}, [{"name": "brier", "weight": 2.0}]),
        (
            {"name": "bce", "pos_weight": [1, 2]},
            {"name": "binary_crossentropy", "label_smoothing": 0.0, "pos_weight": [1.0, 2.0]},
        ),
        (
            ["brier", {"name": "mse", "weight": 3}],
            [{"name": "brier", "weight": 1.0}, {"name": "mean_squared_error", "weight": 3.0}],
        ),
    ],
)
def test_dump(value: object, expected: object) -> None:
    """Canonical names, every hyperparameter, whole numbers as floats, lists as lists."""
    dumped = expression.dump(expression.parse(value))
    assert (dumped if isinstance(dumped, list) or not isinstance(expected, list) else [dumped]) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("focal", "focal"),
        ({"name": "focal", "gamma": 5}, "focal gamma=5"),
        ({"name": "focal", "gamma": 2.0}, "focal"),
        ({"name": "focal", "gamma": 2.0000001}, "focal gamma=2.0000001"),
        ("categorical_focal_crossentropy", "focal alpha=0.25"),
        ({"name": "focal", "alpha": [1, 2.5], "stop_gradient": True}, "focal alpha=[1, 2.5] stop_gradient=true"),
        ({"name": "weighted_crossentropy", "normalize": "weights"}, "weighted_crossentropy normalize=weights"),
        (["ce", {"name": "rce", "weight": 10}], "1 categorical_crossentropy + 10 reverse_crossentropy"),
        ({"name": "brier", "weight": 0.5}, "0.5 brier"),
    ],
)
def test_label(value: object, expected: str) -> None:
    """A label names the loss and what differs from its defaults, with every digit."""
    assert labels.label(expression.parse(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("ce", "softmax"), ("bce", "sigmoid"), ("hinge", "none"), (["ce", "rce"], "softmax"), (["ce", "bce"], "sigmoid")],
)
def test_link(value: object, expected: str) -> None:
    """Softmax only if every term trains softmax probabilities."""
    assert expression.link(expression.parse(value)) == expected


def test_preset_may_be_changed() -> None:
    """A preset of one loss takes that loss's hyperparameters and a weight."""
    (term,) = expression.parse({"name": "categorical_focal_crossentropy", "gamma": 3, "weight": 2})
    assert term.weight == 2
    assert (term.hyperparameters["alpha"], term.hyperparameters["gamma"]) == (0.25, 3.0)


def test_preset_of_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset of a weighted list multiplies its weights, and takes no hyperparameters."""
    monkeypatch.setitem(PRESETS, "pair", [{"name": "ce"}, {"name": "rce", "weight": 10}])
    terms = expression.parse([{"name": "pair", "weight": 2}, "brier"])
    assert [(term.name, term.weight) for term in terms] == [
        ("categorical_crossentropy", 2),
        ("reverse_crossentropy", 20),
        ("brier", 1),
    ]
    ((path, message),) = problems({"name": "pair", "q": 1})
    assert path == ("q",)
    assert "'pair' stands for [" in message
    with pytest.raises(UsageError, match="weighted list"):
        registry.find("pair")


def test_numpy_values_are_plain_numbers() -> None:
    """Python users may hand over NumPy numbers and arrays."""
    (term,) = expression.parse({"name": "focal", "gamma": np.float32(3), "alpha": np.array([1, 2])})
    assert (term.hyperparameters["gamma"], term.hyperparameters["alpha"]) == (3.0, [1.0, 2.0])


def test_find_suggests() -> None:
    """An unknown name is answered with the nearest one."""
    with pytest.raises(UsageError, match="did you mean 'sparsemax'"):
        registry.find("sparse_max")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["name", "weight", "gamma", "alpha", ""]), inner)
        ),
        max_leaves=8,
    )
)
def test_any_value_is_terms_or_problems(value: object) -> None:
    """No value of `loss:` raises anything but problems."""
    try:
        terms = expression.parse(value)
    except expression.InvalidLossError:
        return
    assert expression.parse(expression.dump(terms)) == terms


SCHEMA = Draft202012Validator(json_schema.json_schema())


@pytest.mark.parametrize("name", NAMES)
def test_json_schema_takes_what_parse_takes(name: str) -> None:
    """A bare name, a mapping with every hyperparameter, and a list."""
    dumped = expression.dump(expression.parse(name))
    entries = dumped if isinstance(dumped, list) else [dumped]
    for value in (name, {"name": name}, dumped, [name, *entries]):
        SCHEMA.validate(value)


@pytest.mark.parametrize("value", [value for value, _ in WRONG], ids=str)
def test_json_schema_refuses_what_parse_refuses(value: object) -> None:
    """An editor underlines what would be an error."""
    try:
        document = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError):
        return  # NaN, infinity and Python's own objects cannot be written in a document
    assert not SCHEMA.is_valid(document)


def test_schema_is_a_schema() -> None:
    """The schema itself is valid."""
    Draft202012Validator.check_schema(json_schema.json_schema())


LIGHT = """
import sys
for name in ("tensorflow", "keras", "jax", "torch", "pandas", "scipy"):
    sys.modules[name] = None
from lossbench.losses import expression, focal, json_schema, labels, listing
expression.parse([{"name": "gce", "q": 0.5}, "weighted_crossentropy"])
json_schema.json_schema()
listing.table()
"""


def test_no_backend_is_needed_to_validate_and_list() -> None:
    """Listing and validating run where no tensor library is installed."""
    subprocess.run([sys.executable, "-c", LIGHT], check=True, cwd=Path(__file__).parents[2])
