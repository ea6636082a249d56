"""Repeated confidence intervals: intervals of a mean that are valid at every look of a group-sequential plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.statistics.intervals import Interval
from lossbench.statistics.sequential import allowance, critical_value
from lossbench.statistics.sign_flips import sign_vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    from lossbench.statistics.intervals import Floats
    from lossbench.statistics.sequential import Plan

TOLERANCE = 1e-3
"""Error of an end, as a share of the range of the differences; ends are rounded outwards."""


def repeated_interval(differences: Floats, plan: Plan) -> Interval | None:
    """Compute the repeated confidence interval of a mean difference at the last look that its seeds reach.

    The interval at look k holds every μ that the group-sequential sign-flip test of the differences minus μ, for this
    comparison alone, does not reject at look k:

        {μ : |Σ_s (d_s - μ)| < c_k(μ)}

    with c_k(μ) from `decide`'s spending of α. With probability 1 - α the intervals of all looks hold the true mean, so
    that a look may be the last one for any reason. The interval is not adjusted for the number of comparisons.

    Source: Jennison & Turnbull (1989). Interim analyses: the repeated confidence interval approach.
    doi:10.1111/j.2517-6161.1989.tb01433.x.

    Args:
        differences: `[seeds]`, of the first seeds 0, 1, …; NaN where a run has no result.
        plan: The plan, with 1 - confidence as α; its rope is not used.

    Returns:
        The interval; None where no μ is rejected, as so few seeds spend too little of α.

    Example:
        >>> repeated_interval(np.arange(15.0), Plan())
        Interval(low=2.99..., high=10.83...)
    """
    present = ~np.isnan(differences)
    looks = [seeds for seeds in plan.looks if seeds <= len(differences)]
    if not looks or not present[: looks[-1]].any():
        return None
    values = differences[: looks[-1]][present[: looks[-1]]]
    low, mean, high = float(values.min()), float(values.mean()), float(values.max())
    unit = high - low or TOLERANCE**4
    scaled = np.where(present, differences - mean, 0.0) / unit
    signs = sign_vectors(plan.looks[-1])
    sums = [(signs[:, :seeds] @ scaled[:seeds], signs[:, :seeds] @ present[:seeds]) for seeds in looks]

    def excess(shift: float) -> float:
        """Compute |Σ_s (d_s - μ)| - c_k(μ) of μ = mean + shift · unit at the last look; μ is rejected if positive."""
        spent = np.zeros(len(signs), dtype=bool)
        for seeds, (flipped, counts) in zip(looks, sums, strict=True):
            statistics = np.abs(flipped - shift * counts)
            most = allowance(plan, seeds, spent)
            if seeds == looks[-1]:
                return float(statistics[0]) - critical_value(statistics, spent, most)
            if most:
                spent |= statistics >= critical_value(statistics, spent, most)
        raise AssertionError

    ends = [_crossing(excess, beyond) for beyond in ((low - mean) / unit - TOLERANCE, (high - mean) / unit + TOLERANCE)]
    if ends[0] is None or ends[1] is None:
        return None
    return Interval(mean + ends[0] * unit, mean + ends[1] * unit)


def _crossing(excess: Callable[[float], float], outside: float) -> float | None:
    """Find where a function that is negative at 0 becomes positive, by the Illinois method; None: nowhere."""
    inside, below, above = 0.0, excess(0.0), excess(outside)
    if above < 0:
        return None
    side = 0
    while abs(outside - inside) > TOLERANCE:
        share = below / (below - above)
        middle = inside + min(max(share, 0.01), 0.99) * (outside - inside)
        value = excess(middle)
        if value >= 0:
            outside, above = middle, value
            below, side = (below / 2 if side == 1 else below), 1
        else:
            inside, below = middle, value
            above, side = (above / 2 if side == -1 else above), -1
    return outside
