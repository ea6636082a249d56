"""A curve in one line of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
NO_NUMBER = "×"


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """Return a bar per value, from the smallest to the largest; more than `width` values are thinned out evenly."""
    if len(values) > width:
        values = [values[round(i * (len(values) - 1) / (width - 1))] for i in range(width)]
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(_bar(value, low, high) for value in values)


def _bar(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return NO_NUMBER
    height = (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5
    return BARS[round(height * (len(BARS) - 1))]
