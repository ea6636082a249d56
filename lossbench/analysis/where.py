"""Conditions on runs: the language of `where`.

    condition = test | "not" condition | condition "and" condition | condition "or" condition | "(" condition ")"
    test      = key ("==" | "!=" | "<" | "<=" | ">" | ">=") value | key ["not"] "in" "(" value {"," value} ")"
    key       = a dotted key of a run: data.label_noise.rate, status, test.last.accuracy
    value     = number | 'text' | "text" | true | false | null

Python's parser builds the tree of a copy in which underscores replace every word but `and`, `or`, `not` and `in`, and
the characters of every text. The tree is walked, never compiled: a key or a value is the text at its place in the
original condition, and every other node is an error.
"""

from __future__ import annotations

import ast
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lossbench.errors import NothingMatchedError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from lossbench.runs.rows import RunRow, Scalar

Test: TypeAlias = "Callable[[RunRow], bool]"

COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
CONSTANTS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "none": None}
LONGEST = 10_000
DEEPEST = 50

CONDITION = "a condition such as loss == 'ce' and seed < 5"
VALUE = "a number, true, false, null or text in quotes"

_KEY = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD = re.compile(rf"{_TEXT.pattern}|[\w.]+")
_STRANGE = re.compile(r"[^\w '\"()<>=!,+-]")


def select(
    rows: Sequence[RunRow],
    condition: str | None = None,
    seeds: Collection[int] | None = None,
    *,
    source: str = "",
    keys: Iterable[str] = (),
) -> list[RunRow]:
    """Select runs by a condition and by seed.

    Args:
        rows: The runs.
        condition: A condition; None selects all.
        seeds: Seeds; None selects all.
        source: Where the runs come from, e.g. `main.json`; empty if there is only one place.
        keys: Keys that the condition may name although none of these runs has them.

    Raises:
        UsageError: The condition has another form, or names a key that no run has.
        NothingMatchedError: No run is selected.
    """
    where = f" in {source}" * bool(source)
    of_seeds = [row for row in rows if seeds is None or row["seed"] in seeds]
    holds = None if condition is None else parse(condition, {*keys, *(key for row in rows for key in row)})
    if not of_seeds:
        raise NothingMatchedError(f"match none of {len(rows)} runs{where}", parameter="seeds")
    selected = [row for row in of_seeds if holds is None or holds(row)]
    if not selected:
        raise NothingMatchedError(f"{condition!r} matches none of {len(of_seeds)} runs{where}", parameter="where")
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
    source = text.strip()
    hidden = _WORD.sub(_hide, re.sub(r"\s", " ", source, flags=re.ASCII))
    walker = _Walker(source, hidden, keys)
    if strange := _STRANGE.search(hidden):
        raise walker.error(CONDITION, strange.start())
    try:
        return walker.test(ast.parse(hidden, mode="eval").body)
    except SyntaxError as error:
        if single := re.search(r"(?<![=!<>])=(?!=)", hidden):
            raise walker.error("'==' for equality", single.start()) from None
        raise walker.error(CONDITION, (error.offset or 1) - 1) from None
    except (MemoryError, RecursionError):
        raise UsageError(f"nested deeper than {DEEPEST} levels", parameter="where") from None


def _hide(word: re.Match[str]) -> str:
    if word[0] in {"and", "or", "not", "in"}:
        return word[0]
    quote = word[0][0] if _TEXT.fullmatch(word[0]) else "_"
    return quote + "_" * (len(word[0]) - 2) + quote * (len(word[0]) > 1)


@dataclass(frozen=True)
class _Walker:
    """Converts the tree of a hidden condition to a test of runs, with the keys and values of the source."""

    source: str
    hidden: str
    keys: Collection[str]

    def test(self, node: ast.expr, depth: int = 1) -> Test:
        if depth > DEEPEST:
            raise UsageError(f"nested deeper than {DEEPEST} levels", parameter="where")
        match node:
            case ast.BoolOp(op=op, values=nodes):
                tests = [self.test(each, depth + 1) for each in nodes]
                combine = any if isinstance(op, ast.Or) else all
                return lambda row: combine(test(row) for test in tests)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                test = self.test(operand, depth + 1)
                return lambda row: not test(row)
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn() as sign], comparators=[right]):
                key, values = self.key(left), self.values(right)
                return lambda row: (row.get(key) in values) is isinstance(sign, ast.In)
            case ast.Compare(left=left, ops=[sign], comparators=[right]) if compared := COMPARISONS.get(type(sign)):
                key, value = self.key(left), self.value(right)
                return lambda row: _holds(key, row.get(key), compared, value)
        raise self.error(CONDITION, node.col_offset)

    def key(self, node: ast.expr) -> str:
        key = self.text(node)
        if not _KEY.fullmatch(key):
            raise self.error("a key", node.col_offset)
        if key not in self.keys:
            raise UsageError(f"no run has the key {key!r}{did_you_mean(key, self.keys)}", parameter="where")
        return key

    def values(self, node: ast.expr) -> list[Scalar]:
        if isinstance(node, ast.Tuple) and node.elts and self.hidden[node.col_offset] == "(":
            return [self.value(each) for each in node.elts]
        if not self.hidden[: node.col_offset].rstrip().endswith("("):
            raise self.error("values in brackets", node.col_offset)
        return [self.value(node)]

    def value(self, node: ast.expr) -> Scalar:
        text = self.text(node)
        if text in CONSTANTS:
            return CONSTANTS[text]
        if _TEXT.fullmatch(text):
            return text[1:-1]
        if _NUMBER.fullmatch(text):
            return float(text)
        raise self.error(VALUE, node.col_offset)

    def text(self, node: ast.expr) -> str:
        return self.source[node.col_offset : node.end_col_offset]

    def error(self, expected: str, start: int) -> UsageError:
        got = repr(self.source[start:][:20]) if start < len(self.source) else "the end"
        return UsageError(f"column {start + 1}: expected {expected}, got {got}", parameter="where")


def _holds(key: str, found: Scalar, compared: Callable[[Any, Any], bool], value: Scalar) -> bool:
    """Return whether a comparison holds; a missing value is neither above nor below anything."""
    if compared in {operator.eq, operator.ne}:
        return compared(found, value)
    if found is None or value is None:
        return False
    if isinstance(found, str) is not isinstance(value, str):
        raise UsageError(f"{key} is {found!r} in a run, which is neither below nor above {value!r}", parameter="where")
    return compared(found, value)
