"""Sizes of a metric or a difference with their units, parsed from text: `0.1pp`, `97%`, `0.005`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lossbench.errors import UsageError
from lossbench.metrics import find

if TYPE_CHECKING:
    from lossbench.metrics import Metric

NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
ROPE = re.compile(rf"\s*(?:(?P<metric>[a-z][a-z_0-9.]*)\s*=)?\s*(?P<size>{NUMBER})\s*(?P<points>pp|%)?\s*", re.ASCII)


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
    found = ROPE.fullmatch(text)
    if found is None:
        raise UsageError(f"expected a size such as 0.1pp or accuracy=0.1pp, got {text!r}", parameter="rope")
    if found["metric"] and find(found["metric"]) != first:
        raise UsageError(
            f"{text!r}: the verdict is on {first.name}; name {found['metric']} first in `metrics`",
            parameter="rope",
            mentions=("metrics",),
        )
    size = from_match(found, first, text, "rope", is_difference=True)
    if first.is_share and size > 1:
        raise UsageError(f"{text!r}: {first.name} lies between 0 and 1, that is 100pp", parameter="rope")
    return size


def parse_sd(text: str, usual: Metric) -> tuple[Metric, float]:
    """Parse the standard deviation of a metric's differences: `0.2pp`; of NLL, `nll=0.005`.

    Args:
        text: The text.
        usual: The metric if the text names none.

    Returns:
        The metric, and the standard deviation in its own unit.

    Raises:
        UsageError: The text has another form, names no metric, lacks the unit that the metric needs, or is 0.
    """
    found = ROPE.fullmatch(text)
    if found is None:
        raise UsageError(f"expected a size such as 0.2pp or nll=0.005, got {text!r}", parameter="sd")
    try:
        metric = find(found["metric"]) if found["metric"] else usual
    except UsageError as error:
        raise UsageError(str(error), parameter="sd") from None
    size = from_match(found, metric, text, "sd", is_difference=True)
    if not 0 < size <= (1 if metric.is_share else size):
        expected = f"above 0 and up to {'100pp' if metric.in_percent else 1}" if metric.is_share else "above 0"
        raise UsageError(f"expected a size {expected}, got {text!r}", parameter="sd")
    return metric, size


def from_match(found: re.Match[str], of: Metric, text: str, parameter: str, *, is_difference: bool) -> float:
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
