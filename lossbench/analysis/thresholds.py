"""Thresholds of the gate and the region of practical equivalence, parsed from text."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lossbench.errors import UsageError
from lossbench.metrics import find

if TYPE_CHECKING:
    from lossbench.metrics import Metric

SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_THRESHOLD = re.compile(
    rf"\s*(?P<delta>delta\.)?(?P<metric>[a-z][a-z_0-9.]*)\s*(?P<sign><=|>=|<|>)\s*"
    rf"(?P<size>[-+]?{_NUMBER})\s*(?P<points>pp)?\s*",
    re.ASCII,
)
_ROPE = re.compile(rf"\s*(?:(?P<metric>[a-z][a-z_0-9.]*)\s*=)?\s*(?P<size>{_NUMBER})\s*(?P<points>pp)?\s*", re.ASCII)


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


def parse_threshold(text: str) -> Threshold:
    """Parse `[delta.]METRIC SIGN NUMBER[pp]`.

    Raises:
        UsageError: The text has another form, names no metric, or its number cannot be a value of the metric.
    """
    found = _THRESHOLD.fullmatch(text)
    if found is None:
        raise UsageError(
            f"expected a threshold such as 'delta.accuracy < -0.2pp' or 'accuracy < 0.97', got {text!r}",
            parameter="thresholds",
        )
    of = find(found["metric"])
    size = _size(found, of, text, "thresholds")
    if of.is_share and abs(size) > 1:
        raise UsageError(
            f"{text!r}: {of.name} lies between 0 and 1: write 97 % as 0.97 and two points as 2pp",
            parameter="thresholds",
        )
    return Threshold(text.strip(), of, bool(found["delta"]), found["sign"], size)


def parse_rope(text: str, first: Metric) -> float:
    """Parse the largest difference that is equivalent to none: `0.1pp`, `accuracy=0.1pp`, `0.005`.

    Args:
        text: The text.
        first: The metric that carries the verdict.

    Returns:
        The difference in the metric's own unit: 0.001 for 0.1pp.

    Raises:
        UsageError: The text has another form, or names another metric.
    """
    found = _ROPE.fullmatch(text)
    if found is None:
        raise UsageError(f"expected a size such as 0.1pp or accuracy=0.1pp, got {text!r}", parameter="rope")
    if found["metric"] and find(found["metric"]) != first:
        raise UsageError(
            f"{text!r}: the verdict is on {first.name}; name {found['metric']} first in `metrics`",
            parameter="rope",
            mentions=("metrics",),
        )
    return _size(found, first, text, "rope")


def _size(found: re.Match[str], of: Metric, text: str, parameter: str) -> float:
    if found["points"] and not of.is_share:
        raise UsageError(
            f"{text!r}: {of.name} is not a share of images; write the number without pp", parameter=parameter
        )
    return float(found["size"]) / (100 if found["points"] else 1)
