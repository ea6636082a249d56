"""The language of `where`: its meaning, its refusals, and that it never executes anything."""

from __future__ import annotations

import contextlib
import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench.analysis.where import select
from lossbench.errors import NothingMatchedError, UsageError

ROWS: list[dict[str, Any]] = [
    {"seed": 0, "loss": "ce", "rate": None, "status": "completed", "nesterov": True},
    {"seed": 1, "loss": "ce", "rate": 0.2, "status": "diverged", "nesterov": False},
    {"seed": 2, "loss": "focal gamma=2", "rate": 0.4, "status": "completed", "nesterov": False},
]


@pytest.mark.parametrize(
    ("condition", "seeds"),
    [
        ("rate==0.2", [1]),
        ("rate == .2 and status=='completed'", []),
        ('rate==0.2 or status=="completed"', [0, 1, 2]),
        ("rate != 0.2", [0, 2]),
        ("rate < 0.4", [1]),
        ("rate<=4e-1", [1, 2]),
        ("rate > -1", [1, 2]),
        ("rate >= 0.3 ", [2]),
        ("rate == null", [0]),
        ("rate != none and nesterov == false", [1, 2]),
        ("nesterov == true", [0]),
        ("loss in ('ce', 'brier')", [0, 1]),
        ("loss not in ('ce')", [2]),
        ("not loss == 'ce'", [2]),
        ("not not loss == 'ce'", [0, 1]),
        ("seed == 0 or seed == 1 and rate == 0.4", [0]),
        ("(seed == 0 or seed == 1) and rate == 0.2", [1]),
        ("loss == 'focal gamma=2'", [2]),
        ("loss > 'ce'", [2]),
    ],
)
def test_conditions(condition: str, seeds: list[int]) -> None:
    """`and` binds more closely than `or`; what is missing is neither above nor below anything."""
    if seeds:
        assert [row["seed"] for row in select(ROWS, condition)] == seeds
    else:
        with pytest.raises(NothingMatchedError, match="matches none of 3 runs"):
            select(ROWS, condition)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("rat == 1", r"where: no run has the key 'rat'; did you mean 'rate'\?"),
        ("rate = 0.2", "column 6: expected '==' for equality, got '= 0.2'"),
        ("rate == completed", "column 9: expected a number, true, false, null or text in quotes, got 'completed'"),
        ("rate ==", r"column \d+: expected a condition such as"),
        ("rate", "column 1: expected a condition such as .*, got 'rate'"),
        ("rate == 0.2 seed == 1", r"column \d+: expected a condition such as"),
        ("(rate == 0.2", r"column \d+: expected a condition such as"),
        ("rate in 0.2", "column 9: expected values in brackets, got '0.2'"),
        ("== 1", "column 1: expected a condition such as .*, got '== 1'"),
        ("", "column 1: expected a condition such as .*, got the end"),
        ("0.2 == rate", "column 1: expected a key, got '0.2 == rate'"),
        ("rate == 0.2.3", "column 9: expected"),
        ("loss < 3", "loss is 'ce' in a run, which is neither below nor above 3.0"),
        ("not " * 60 + "rate == 1", "nested deeper than 50 levels"),
        ("(" * 5000, r"column \d+: expected a condition such as"),
        ("__import__('os').system('x') == 1", r"column \d+: expected a condition such as"),
        ("rate == 'x", r"column \d+: expected a condition such as"),
    ],
)
def test_mistakes_say_where_and_what(condition: str, message: str) -> None:
    """One line: the column, what was expected, what came."""
    with pytest.raises(UsageError, match=message) as caught:
        select(ROWS, condition)
    assert "\n" not in str(caught.value)


SYNTAX = r"column \d+: expected a condition such as"
HOSTILE = {
    "seed == 1" + " or seed == 1" * 2000: "longer than 10,000 characters",
    "not " * 2400 + "seed == 1": "nested deeper than 50 levels",
    "(" * 300 + "seed == 1" + ")" * 300: SYNTAX,
    "seed(1) == 1": "column 1: expected a key",
    "lambda: 1": SYNTAX,
    "(seed := 1) == 1": SYNTAX,
    "seed[0] == 1": SYNTAX,
    "seed == 1 if seed else 1": SYNTAX,
    "0 < seed < 2": "column 1: expected a condition",
    "seed < 1 < 2": "column 1: expected a condition",
    "seed is 1": SYNTAX,
    "seed == f'x'": SYNTAX,
    "seed == b'x'": SYNTAX,
    "seed == 'a' 'b'": "column 9: expected a number",
    "seed == '''x'''": "column 9: expected a number",
    "seed == 1j": "column 9: expected a number",
    "seed == 0x10": "column 9: expected a number",
    "seed == 1_000": "column 9: expected a number",
    "seed == 1 - 2": "column 9: expected a number",
    "seed == 1 # or seed == 0": SYNTAX,
    "seed == 1 \\": SYNTAX,
    "seed == 1; seed == 0": SYNTAX,
    "seed == 1, 2": "column 1: expected a condition",
    "seed == (1, 2)": "column 9: expected a number",
    "seed in 'abc'": "column 9: expected values in brackets",
    "seed in (1 and seed == 2)": "column 10: expected a number",
    "seed in (1, (2, 3))": "column 13: expected a number",
    "seed in ()": "column 9: expected values in brackets",
    "seed == 1) or (seed == 0": SYNTAX,
    "\0": "column 1: expected a condition",
    "\ud800 == 1": "column 1: expected a condition",
    "seed\N{NO-BREAK SPACE}== 1": "column 5: expected a condition",
    "\N{FULLWIDTH LATIN SMALL LETTER S}eed == 1": "column 1: expected a key",
    "lo\N{LATIN SMALL LETTER LONG S}s == 'ce'": "column 1: expected a key",
}


@pytest.mark.parametrize(("condition", "message"), HOSTILE.items(), ids=lambda text: ascii(text[:30]))
def test_no_other_python_is_understood(condition: str, message: str) -> None:
    """Long, deep, called, assigned, formatted, commented, normalised: an error with the column."""
    with pytest.raises(UsageError, match=f"^where: {message}"):
        select(ROWS, condition)


@pytest.mark.parametrize("key", ["loss.class", "loss.lambda", "loss.class_weight.0", "in.not", "and.or", "not.true"])
def test_keys_may_be_words_of_python(key: str) -> None:
    """A hyperparameter may be called `lambda`."""
    assert select([{"seed": 0, key: 1}, {"seed": 1, key: 2}], f"{key} == 2 and not {key} in (1)") == [
        {"seed": 1, key: 2}
    ]


@pytest.mark.parametrize("text", ["", "a\\n", "\0", "\ud800", "or", "ﬁ", "#", '"', "{seed}"])
def test_a_text_means_its_characters(text: str) -> None:
    """No escape, no comment, no format, no normalisation."""
    assert select([{"seed": 0, "loss": text}, {"seed": 1, "loss": "other"}], f"loss == '{text}'")[0]["loss"] == text


def test_seeds() -> None:
    """Only these; with a condition both must hold."""
    assert [row["seed"] for row in select(ROWS, seeds={1, 2, 9})] == [1, 2]
    assert [row["seed"] for row in select(ROWS, "rate == 0.4", {1, 2})] == [2]
    with pytest.raises(NothingMatchedError, match="seeds: match none of 3 runs"):
        select(ROWS, seeds={7})
    assert select(ROWS) == ROWS


TESTS = st.tuples(st.sampled_from(["seed", "rate"]), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
                  st.sampled_from([0, 1, 2, 0.2, 0.4]))  # fmt: skip
CONDITIONS = st.recursive(
    TESTS.map(lambda test: (f"{test[0]} {test[1]} {test[2]}", test)),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda parts: (f"({parts[0][0]}) {parts[1]} ({parts[2][0]})", (parts[1], parts[0][1], parts[2][1]))
        ),
        inner.map(lambda part: (f"not ({part[0]})", ("not", part[1]))),
    ),
    max_leaves=6,
)
SIGNS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def holds(tree: Any, row: dict[str, Any]) -> bool:
    """The truth of a condition by its tree, not its text."""
    match tree:
        case ("not", part):
            return not holds(part, row)
        case ("and" | "or" as word, first, second):
            return (all if word == "and" else any)((holds(first, row), holds(second, row)))
        case (key, sign, value):
            if row[key] is None and sign not in {"==", "!="}:
                return False
            return bool(SIGNS[sign](row[key], value))
    raise AssertionError(tree)


@given(CONDITIONS)
def test_any_condition_means_what_its_tree_means(condition: tuple[str, Any]) -> None:
    """Against an evaluation of the same tree that never was text."""
    text, tree = condition
    expected = [row for row in ROWS if holds(tree, row)]
    if expected:
        assert select(ROWS, text) == expected
    else:
        with pytest.raises(NothingMatchedError):
            select(ROWS, text)


WORDS = ("seed", "loss", "1", "'ce'", "true", "(", ")", ",", "==", "<", "in", "not", "and", "or", "-1", ".", "=", "\n")


@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join) | st.text(max_size=40))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    """Nothing else ever comes of it."""
    with contextlib.suppress(UsageError, NothingMatchedError):
        assert select(ROWS, text)
