"""Thresholds of the gate, parsed from text."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

from lossbench import sizes
from lossbench.analysis.result import Count
from lossbench.errors import UsageError
from lossbench.metrics import find

if TYPE_CHECKING:
    from lossbench.metrics import Metric

SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

_THRESHOLD = re.compile(
    rf"\s*(?P<delta>delta\.)?(?P<metric>[a-z][a-z_0-9.]*)\s*(?P<sign><=|>=|<|>)\s*"
    rf"(?P<size>[-+]?{sizes.NUMBER})\s*(?P<points>pp|%)?\s*",
    re.ASCII,
)


@dataclass(frozen=True)
class Threshold:
    """A condition under which the gate fails: `delta.accuracy < -0.2pp`, `accuracy < 0.97`.

    Attributes:
        text: The threshold as the user wrote it.
        metric: The metric to which it applies.
        is_delta: Whether it applies to the difference from the baseline instead of the mean.
        sign: `<`, `<=`, `>` or `>=`.
        size: The limit in the metric's own unit: 0.2pp is 0.002.
    """

    text: str
    metric: Metric
    is_delta: bool
    sign: str
    size: float

    def is_crossed(self, value: float) -> bool:
        """Return whether a value lies beyond the limit."""
        return bool(SIGNS[self.sign](value, self.size))


@dataclass(frozen=True)
class CountThreshold:
    """A condition on the number of a loss's runs without a result: `diverged > 0`.

    Attributes:
        text: The threshold as the user wrote it.
        count: Which runs are counted.
        sign: `<`, `<=`, `>` or `>=`.
        size: The limit.
        is_delta: Always false: numbers of runs are not compared with those of a baseline.
    """

    text: str
    count: Count
    sign: str
    size: float
    is_delta: bool = False

    def is_crossed(self, value: float) -> bool:
        """Return whether a count lies beyond the limit."""
        return bool(SIGNS[self.sign](value, self.size))


def parse_threshold(text: str) -> Threshold | CountThreshold:
    """Parse `[delta.]METRIC SIGN NUMBER[pp|%]`, or `COUNT SIGN NUMBER` with a number of runs.

    Raises:
        UsageError: The text has another form, names no metric, its number cannot be a value of the metric, or its sign
            fails the good values.
    """
    found = _THRESHOLD.fullmatch(text)
    if found is None:
        raise UsageError(
            f"expected a threshold such as 'delta.accuracy < -0.2pp' or 'accuracy < 0.97', got {text!r}",
            parameter="thresholds",
        )
    if (name := found["metric"]) in get_args(Count):
        return _parse_count(found, cast("Count", name), text)
    of = find(found["metric"])
    size = sizes.from_match(found, of, text, "thresholds", is_difference=bool(found["delta"]))
    if of.is_share and abs(size) > 1:
        raise UsageError(
            f"{text!r}: {of.name} lies between 0 and 1: write 97 % as 97% or 0.97",
            parameter="thresholds",
        )
    if (found["sign"][0] == ">") == (of.direction == "higher"):
        turned = "<" if of.direction == "higher" else ">"
        raise _fails_good_runs(text, found["sign"], f"{of.direction} {of.name} is", turned)
    return Threshold(text.strip(), of, bool(found["delta"]), found["sign"], size)


def _parse_count(found: re.Match[str], name: Count, text: str) -> CountThreshold:
    size = float(found["size"])
    if found["delta"] or found["points"] or not size.is_integer():
        raise UsageError(f"{text!r}: {name} is a number of runs; write e.g. '{name} > 0'", parameter="thresholds")
    if found["sign"][0] == "<":
        raise _fails_good_runs(text, found["sign"], f"fewer {name} runs are", ">=" if found["sign"] == "<" else ">")
    return CountThreshold(text.strip(), name, found["sign"], size)


def _fails_good_runs(text: str, sign: str, better: str, turned: str) -> UsageError:
    """Return the error on a condition that holds for the good values; the gate fails where a condition holds."""
    text = text.strip()
    return UsageError(
        f"{text!r} would fail good runs, as {better} better; write {text.replace(sign, turned, 1)!r}",
        parameter="thresholds",
    )
