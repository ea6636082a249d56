"""Repeated confidence intervals: intervals of a mean that are valid at every look of a group-sequential plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lossbench.statistics.intervals import Interval
from lossbench.statistics.sequential import allowance
from lossbench.statistics.sign_flips import ROUNDING, sign_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

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
    flips = _flips(np.where(present, differences - mean, 0.0) / unit, present, plan, looks)
    if flips is None:
        return None
    center = _excess(flips, 0.0)
    ends = [
        _crossing(flips, center, beyond)
        for beyond in ((low - mean) / unit - TOLERANCE, (high - mean) / unit + TOLERANCE)
    ]
    if ends[0] is None or ends[1] is None:
        return None
    return Interval(mean + ends[0] * unit, mean + ends[1] * unit)


class _Flips(NamedTuple):
    """Sums over the seeds of each look that may spend sign vectors, the identity first.

    Attributes:
        sums: `[looks, sign vectors]`, Σ_s σ_s d_s.
        counts: `[looks, sign vectors]`, Σ_s σ_s of the seeds that are not missing.
        most: How many sign vectors may be spent up to each look.
    """

    sums: Floats
    counts: Floats
    most: Sequence[int]


def _flips(scaled: Floats, present: NDArray[np.bool_], plan: Plan, looks: Sequence[int]) -> _Flips | None:
    """Return the sums of the looks; None if the last one may spend no sign vector."""
    spending = {seeds: most for seeds in looks if (most := allowance(plan, seeds))}
    if looks[-1] not in spending:
        return None
    signs = sign_vectors(plan.looks[-1])[:, : looks[-1]].T
    is_in = np.arange(looks[-1]) < np.array(list(spending))[:, None]
    return _Flips((is_in * scaled[: looks[-1]]) @ signs, (is_in * present[: looks[-1]]) @ signs, [*spending.values()])


def _excess(flips: _Flips, shift: float) -> float:
    """Compute |Σ_s (d_s - μ)| - c_k(μ) of μ = mean + shift · unit at the last look; μ is rejected if positive."""
    spent = np.empty(0, dtype=np.intp)
    critical = observed = 0.0
    for look, most in enumerate(flips.most):
        statistics = flips.counts[look] * -shift
        statistics += flips.sums[look]
        np.abs(statistics, out=statistics)
        observed = float(statistics[0])
        statistics[spent] = -1
        rank = len(statistics) - 1 - max(0, most - len(spent))
        critical = float(np.partition(statistics, rank)[rank]) + ROUNDING
        if look < len(flips.most) - 1:
            spent = np.concatenate([spent, np.flatnonzero(statistics >= critical)])
    return observed - critical


def _crossing(flips: _Flips, below: float, outside: float) -> float | None:
    """Find where the excess, negative at 0, becomes positive, by the Illinois method; None: nowhere.

    Args:
        flips: The sums of the looks.
        below: The excess at 0.
        outside: Where the excess is positive, unless it is so nowhere.
    """
    inside, above = 0.0, _excess(flips, outside)
    if above < 0:
        return None
    side, width = 0, abs(outside)
    while abs(outside - inside) > TOLERANCE:
        if abs(outside - inside) < width / 4:
            flips, width = _reaching(flips, inside, outside), abs(outside - inside)
        share = below / (below - above)
        middle = inside + min(max(share, 0.01), 0.99) * (outside - inside)
        value = _excess(flips, middle)
        if value >= 0:
            outside, above = middle, value
            below, side = (below / 2 if side == 1 else below), 1
        else:
            inside, below = middle, value
            above, side = (above / 2 if side == -1 else above), -1
    return outside


def _reaching(flips: _Flips, first: float, second: float) -> _Flips:
    """Leave out the sign vectors that reach no critical value between two shifts.

    Between them, |Σ_s σ_s (d_s - shift)| is convex: at most its larger end, and at least its smaller end where the sum
    does not change its sign. Each critical value is at least that of the smaller ends.
    """
    may_reach = np.zeros(flips.sums.shape[1], dtype=bool)
    may_reach[0] = True
    for sums, counts, most in zip(*flips, strict=True):
        left, right = sums - first * counts, sums - second * counts
        smaller, larger = np.minimum(left, right), np.maximum(left, right)
        least = np.maximum(smaller, -larger)  # below 0 where the sum changes its sign
        rank = len(least) - 1 - most
        bound = np.partition(least, rank)[rank] - ROUNDING
        may_reach |= (larger >= bound) | (smaller <= -bound)
    kept = np.flatnonzero(may_reach)
    return _Flips(flips.sums[:, kept], flips.counts[:, kept], flips.most)
