"""Thresholds of the gate and the region of practical equivalence, parsed from text."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

from lossbench.analysis.result import Count
from lossbench.errors import UsageError
from lossbench.metrics import find

if TYPE_CHECKING:
    from lossbench.metrics import Metric

SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_THRESHOLD = re.compile(
    rf"\s*(?P<delta>delta\.)?(?P<metric>[a-z][a-z_0-9.]*)\s*(?P<sign><=|>=|<|>)\s*"
    rf"(?P<size>[-+]?{_NUMBER})\s*(?P<points>pp|%)?\s*",
    re.ASCII,
)
_ROPE = re.compile(rf"\s*(?:(?P<metric>[a-z][a-z_0-9.]*)\s*=)?\s*(?P<size>{_NUMBER})\s*(?P<points>pp|%)?\s*", re.ASCII)


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
    size = _size(found, of, text, "thresholds", is_difference=bool(found["delta"]))
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


def parse_rope(rope: str | float, first: Metric) -> float:
    """Parse the largest difference that is equivalent to none: `0.1pp`, `accuracy=0.1pp`; of NLL, `0.005`.

    Args:
        rope: The text, or a number in the metric's own unit.
        first: The metric that carries the verdict.

    Returns:
        The difference in the metric's own unit: 0.001 for 0.1pp.

    Raises:
        UsageError: The text has another form, names another metric, or lacks the unit that the metric needs.
    """
    text = rope if isinstance(rope, str) else f"{float(rope)!r}".removesuffix(".0")
    found = _ROPE.fullmatch(text)
    if found is None:
        raise UsageError(f"expected a size such as 0.1pp or accuracy=0.1pp, got {text!r}", parameter="rope")
    if found["metric"] and find(found["metric"]) != first:
        raise UsageError(
            f"{text!r}: the verdict is on {first.name}; name {found['metric']} first in `metrics`",
            parameter="rope",
            mentions=("metrics",),
        )
    size = _size(found, first, text, "rope", is_difference=True)
    if first.is_share and size > 1:
        raise UsageError(f"{text!r}: {first.name} lies between 0 and 1, that is 100pp", parameter="rope")
    return size


def _size(found: re.Match[str], of: Metric, text: str, parameter: str, *, is_difference: bool) -> float:
    """Return a size in the metric's own unit; a difference of what tables show in per cent needs a unit."""
    size = float(found["size"])
    if is_difference and of.in_percent and size and not found["points"]:
        raise UsageError(
            f"{text!r}: a difference in {of.name} needs a unit: {size:g}pp (or {size:g}%) for {size:g} percentage "
            f"points, {100 * size:g}pp for a share of {size:g}",
            parameter=parameter,
        )
    if found["points"] == "pp" and of.is_share and not is_difference:
        raise UsageError(
            f"{text!r}: pp is for differences, as of delta.{of.name}; a level is e.g. 97% or 0.97", parameter=parameter
        )
    if found["points"] and not of.is_share:
        raise UsageError(
            f"{text!r}: {of.name} is not a share of images; write the number without {found['points']}",
            parameter=parameter,
        )
    return size / (100 if found["points"] else 1)
