"""The small language of `where`: which runs count. Nothing of it is evaluated as Python.

Its grammar:

    either   = both { "or" both }
    both     = negation { "and" negation }
    negation = "not" negation | "(" either ")" | test
    test     = key ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) value | key ["not"] "in" "(" value { "," value } ")"
    key      = a dotted key of a run, such as data.label_noise.rate, status or test.last.accuracy
    value    = number | 'text' | "text" | true | false | null
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from lossbench.errors import NothingMatchedError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from lossbench.runs.rows import RunRow, Scalar

Test: TypeAlias = "Callable[[RunRow], bool]"

COMPARED = {
    "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
CONSTANTS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "none": None}
DEEPEST = 50

_TOKEN = re.compile(
    r"""\s*(?: (?P<operator>==|!=|<=|>=|<|>|\(|\)|,)
             | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
             | '(?P<single>[^']*)' | "(?P<double>[^"]*)"
             | (?P<word>[A-Za-z_][\w.]*) )""",
    re.VERBOSE | re.ASCII,
)


def select(rows: Sequence[RunRow], condition: str | None = None, seeds: Collection[int] | None = None) -> list[RunRow]:
    """The rows of these seeds for which a condition holds; all where neither is given.

    Raises:
        UsageError: The condition is not of the language, or names a key that no run has.
        NothingMatchedError: There is no such row.
    """
    selected = [row for row in rows if seeds is None or row["seed"] in seeds]
    if condition is not None:
        holds = _Reader(condition, {key for row in rows for key in row}).whole()
        selected = [row for row in selected if holds(row)]
    if not selected:
        raise NothingMatchedError(
            f"matches none of {len(rows)} runs", parameter="seeds" if condition is None else "where"
        )
    return selected


class _Reader:
    """Reads one condition, token by token, into a test of rows."""

    def __init__(self, text: str, keys: Collection[str]) -> None:
        self._text, self._keys = text, keys
        self._place = self._depth = 0
        self._next()

    def whole(self) -> Test:
        test = self._either()
        if self._kind is not None:
            raise self._expected("'and', 'or' or the end")
        return test

    def _next(self) -> None:
        """Go on to the token that follows; its kind is None at the end."""
        found = _TOKEN.match(self._text, self._place)
        self._start = self._place + len(self._text[self._place :]) - len(self._text[self._place :].lstrip())
        self._kind = found.lastgroup if found else None
        self._token = found[found.lastgroup] if found and found.lastgroup else ""
        if found is None and self._text[self._place :].strip():
            raise self._expected("a key, a value, a comparison or a bracket")
        self._place = found.end() if found else len(self._text)

    def _takes(self, *tokens: str) -> bool:
        """Whether the token is one of these operators or words; if so, it is passed."""
        if self._kind in {"operator", "word"} and self._token in tokens:
            self._next()
            return True
        return False

    def _either(self) -> Test:
        tests = [self._both()]
        while self._takes("or"):
            tests.append(self._both())
        return lambda row: any(test(row) for test in tests)

    def _both(self) -> Test:
        tests = [self._negation()]
        while self._takes("and"):
            tests.append(self._negation())
        return lambda row: all(test(row) for test in tests)

    def _negation(self) -> Test:
        self._depth += 1
        if self._depth > DEEPEST:
            raise UsageError(f"nested deeper than {DEEPEST} levels", parameter="where")
        if self._takes("not"):
            inner = self._negation()
            test: Test = lambda row: not inner(row)  # noqa: E731 - as short as it reads
        elif self._takes("("):
            test = self._either()
            self._require(")")
        else:
            test = self._test()
        self._depth -= 1
        return test

    def _test(self) -> Test:
        if self._kind != "word":
            raise self._expected("a key")
        key = self._token
        if key not in self._keys:
            raise UsageError(f"no run has the key {key!r}{did_you_mean(key, self._keys)}", parameter="where")
        self._next()
        sign = self._token
        if self._takes(*COMPARED):
            value = self._value()
            return lambda row: _compared(key, row.get(key), sign, value)
        if negated := self._takes("not"):
            self._require("in")
        elif not self._takes("in"):
            raise self._expected(f"one of {', '.join(COMPARED)}, in, not in")
        values = self._values()
        return lambda row: (row.get(key) in values) is not negated

    def _values(self) -> list[Scalar]:
        self._require("(")
        values = [self._value()]
        while self._takes(","):
            values.append(self._value())
        self._require(")")
        return values

    def _value(self) -> Scalar:
        kind, token = self._kind, self._token
        if kind not in {"number", "single", "double"} and not (kind == "word" and token in CONSTANTS):
            raise self._expected("a number, true, false, null or text in quotes")
        self._next()
        return CONSTANTS[token] if kind == "word" else float(token) if kind == "number" else token

    def _require(self, token: str) -> None:
        if not self._takes(token):
            raise self._expected(repr(token))

    def _expected(self, what: str) -> UsageError:
        got = repr(self._text[self._start :][:20]) if self._start < len(self._text) else "the end"
        return UsageError(f"column {self._start + 1}: expected {what}, got {got}", parameter="where")


def _compared(key: str, found: Scalar, sign: str, value: Scalar) -> bool:
    """Whether a comparison holds; what is missing is neither above nor below anything."""
    if sign in {"==", "!="}:
        return (found == value) is (sign == "==")
    if found is None or value is None:
        return False
    if isinstance(found, str) is not isinstance(value, str):
        raise UsageError(f"{key} is {found!r} in a run, which is neither below nor above {value!r}", parameter="where")
    compared: Callable[[Any, Any], bool] = COMPARED[sign]
    return compared(found, value)
