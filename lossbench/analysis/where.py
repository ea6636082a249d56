"""Conditions on runs: the language of `where`.

    condition = test | "not" condition | condition "and" condition | condition "or" condition | "(" condition ")"
    test      = key ("==" | "!=" | "<" | "<=" | ">" | ">=") value | key ["not"] "in" "(" value {"," value} ")"
    key       = a dotted key of a run: data.label_noise.rate, status, test.last.accuracy
    value     = number | 'text' | "text" | true | false | null

Python's parser only sees a copy of the condition in which placeholders of equal length replace all keys, numbers and
texts, so the copy contains nothing but brackets, commas, comparisons, `and`, `or`, `not` and `in`. The tree that it
returns is walked; nothing is compiled or evaluated.
"""

from __future__ import annotations

import ast
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lossbench.errors import NothingMatchedError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from lossbench.runs.rows import RunRow, Scalar

Test: TypeAlias = "Callable[[RunRow], bool]"

COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
CONSTANTS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "none": None}
LONGEST = 10_000
DEEPEST = 50

KEY, VALUE, JOIN = "a key", "a number, true, false, null or text in quotes", "'and', 'or' or the end"
CONDITION, VALUES, JOINS = {"key", "not", "("}, {"constant", "number", "text"}, {"and", "or", ")", "end"}
FOLLOWING = {
    **dict.fromkeys(("start", "and", "or", "not", "("), (KEY, CONDITION)),
    "key": ("one of ==, !=, <, <=, >, >=, in, not in", {"sign", "in"}),
    **dict.fromkeys(("sign", ",", "list"), (VALUE, VALUES)),
    **dict.fromkeys((*VALUES, ")"), (JOIN, {*JOINS, ","})),
    "in": ("'('", {"list"}),
}
"""What is expected after each kind of token, in words and as kinds."""

_TOKEN = re.compile(
    r"""(?P<text>'[^']*'|"[^"]*") | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
      | (?P<in>(?:not\s+)?in\b(?!\.)) | (?P<word>(?:and|or|not)\b(?!\.))
      | (?P<constant>(?:true|false|null|none)\b(?!\.)) | (?P<key>[A-Za-z_][\w.]*)
      | (?P<sign>[=!<>]=|[<>]) | (?P<bracket>[(),]) | (?P<space>\s) | (?P<other>.)""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)


def select(rows: Sequence[RunRow], condition: str | None = None, seeds: Collection[int] | None = None) -> list[RunRow]:
    """Select runs by a condition and by seed.

    Args:
        rows: The runs.
        condition: A condition; None selects all.
        seeds: Seeds; None selects all.

    Raises:
        UsageError: The condition has another form, or names a key that no run has.
        NothingMatchedError: No run is selected.
    """
    selected = [row for row in rows if seeds is None or row["seed"] in seeds]
    if condition is not None:
        holds = parse(condition, {key for row in rows for key in row})
        selected = [row for row in selected if holds(row)]
    if not selected:
        parameter = "seeds" if condition is None else "where"
        raise NothingMatchedError(f"matches none of {len(rows)} runs", parameter=parameter)
    return selected


def parse(text: str, keys: Collection[str]) -> Test:
    """Parse a condition into a test of runs.

    Args:
        text: The condition, at most 10,000 characters, nested at most 50 levels deep.
        keys: The keys that runs have.

    Raises:
        UsageError: The condition has another form, or names another key; the message states the column.
    """
    if len(text) > LONGEST:
        raise UsageError(f"longer than {LONGEST:,} characters", parameter="where")
    _check_order(text)
    begin = len(text) - len(text.lstrip())
    try:
        tree = ast.parse(re.sub(r"\s", " ", _TOKEN.sub(_filled, text))[begin:], mode="eval")
    except (MemoryError, RecursionError):
        raise UsageError(f"nested deeper than {DEEPEST} levels", parameter="where") from None
    return _Walker(text, begin, keys).test(tree.body)


def _check_order(text: str) -> None:
    """Raise a `UsageError` at the first token that cannot follow the one before it."""
    before, depth = "start", 0
    for token in (*_TOKEN.finditer(text), None):
        kind = _kind(token, before)
        if kind == "space":
            continue
        depth += {"(": 1, "list": 1, ")": -1}.get(kind, 0)
        if depth > DEEPEST:
            raise UsageError(f"nested deeper than {DEEPEST} levels", parameter="where")
        expected, kinds = FOLLOWING[before]
        if kind not in kinds or depth < 0 or (kind == "end" and depth):
            raise _expected("')'" if kind == "end" and kind in kinds else expected, text, token and token.start())
        before = kind


def _kind(token: re.Match[str] | None, before: str) -> str:
    if token is None:
        return "end"
    if token[0] == "(" and before == "in":
        return "list"
    return token[0] if token.lastgroup in {"word", "bracket"} else str(token.lastgroup)


def _filled(token: re.Match[str]) -> str:
    """Return the placeholder of a key, number, constant or text; any other token as it is."""
    if token.lastgroup == "text":
        return f"'{'x' * (len(token[0]) - 2)}'"
    return "_" * len(token[0]) if token.lastgroup in {"key", "number", "constant"} else token[0]


@dataclass(frozen=True)
class _Walker:
    """Turns the tree of a condition into a test of runs, with the keys and values of the condition itself."""

    text: str
    begin: int
    keys: Collection[str]

    def test(self, node: ast.expr, depth: int = 1) -> Test:
        if depth > DEEPEST:
            raise UsageError(f"nested deeper than {DEEPEST} levels", parameter="where")
        match node:
            case ast.BoolOp(op=joint, values=nodes):
                tests = [self.test(each, depth + 1) for each in nodes]
                combine = any if isinstance(joint, ast.Or) else all
                return lambda row: combine(test(row) for test in tests)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                test = self.test(operand, depth + 1)
                return lambda row: not test(row)
            case ast.Compare(left=ast.Name() as left, ops=[sign], comparators=[right]):
                return self._comparison(self._source(left), sign, right)
        raise _expected(KEY, self.text, self.begin + node.col_offset)

    def _comparison(self, key: str, sign: ast.cmpop, right: ast.expr) -> Test:
        if key not in self.keys:
            raise UsageError(f"no run has the key {key!r}{did_you_mean(key, self.keys)}", parameter="where")
        values = [self._value(each) for each in (right.elts if isinstance(right, ast.Tuple) else [right])]
        if compared := COMPARISONS.get(type(sign)):
            return lambda row: _holds(key, row.get(key), compared, values[0])
        return lambda row: (row.get(key) in values) is isinstance(sign, ast.In)

    def _value(self, node: ast.expr) -> Scalar:
        if not isinstance(node, ast.Name | ast.Constant):
            raise _expected(VALUE, self.text, self.begin + node.col_offset)
        token = self._source(node)
        if token in CONSTANTS:
            return CONSTANTS[token]
        return token[1:-1] if isinstance(node, ast.Constant) else float(token)

    def _source(self, node: ast.expr) -> str:
        return self.text[self.begin + node.col_offset : self.begin + (node.end_col_offset or 0)]


def _expected(what: str, text: str, column: int | None) -> UsageError:
    start = len(text) if column is None else column
    got = "the end" if column is None else repr(text[start:][:20])
    return UsageError(f"column {start + 1}: expected {what}, got {got}", parameter="where")


def _holds(key: str, found: Scalar, compared: Callable[[Any, Any], bool], value: Scalar) -> bool:
    """Return whether a comparison holds; a missing value is neither above nor below anything."""
    if compared in {operator.eq, operator.ne}:
        return compared(found, value)
    if found is None or value is None:
        return False
    if isinstance(found, str) is not isinstance(value, str):
        raise UsageError(f"{key} is {found!r} in a run, which is neither below nor above {value!r}", parameter="where")
    return compared(found, value)
