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
    if not flips:
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
    """A look: Σ_s σ_s d_s and Σ_s σ_s of sign vectors, the identity first, and how many may be spent up to it."""

    sums: Floats
    counts: Floats
    most: int

    def statistics(self, shift: float) -> Floats:
        """Compute |Σ_s σ_s (d_s - shift)|."""
        result = self.counts * -shift
        result += self.sums
        return np.abs(result, out=result)


def _flips(scaled: Floats, present: NDArray[np.bool_], plan: Plan, looks: Sequence[int]) -> list[_Flips]:
    """Return the looks that may spend sign vectors; none if the last one may not."""
    if not allowance(plan, looks[-1]):
        return []
    signs = sign_vectors(plan.looks[-1])
    sums, counts, before, found = np.zeros(len(signs)), np.zeros(len(signs)), 0, []
    for seeds in (each for each in looks if allowance(plan, each)):
        new = slice(before, seeds)
        sums, counts = sums + signs[:, new] @ scaled[new], counts + signs[:, new] @ present[new]
        found.append(_Flips(sums, counts, allowance(plan, seeds)))
        before = seeds
    return found


def _excess(flips: Sequence[_Flips], shift: float) -> float:
    """Compute |Σ_s (d_s - μ)| - c_k(μ) of μ = mean + shift · unit at the last look; μ is rejected if positive."""
    spent = np.empty(0, dtype=np.intp)
    for look in flips:
        statistics = look.statistics(shift)
        observed = float(statistics[0])
        statistics[spent] = -1
        rank = len(statistics) - 1 - max(0, look.most - len(spent))
        critical = float(np.partition(statistics, rank)[rank]) + ROUNDING
        if look is not flips[-1]:
            spent = np.concatenate([spent, np.flatnonzero(statistics >= critical)])
    return observed - critical


def _crossing(flips: Sequence[_Flips], below: float, outside: float) -> float | None:
    """Find where the excess, negative at 0, becomes positive, by the Illinois method; None: nowhere.

    Args:
        flips: The looks.
        below: The excess at 0.
        outside: Where the excess is positive, unless it is so nowhere.
    """
    inside, above = 0.0, _excess(flips, outside)
    if above < 0:
        return None
    side, width = 0, abs(outside)
    while abs(outside - inside) > TOLERANCE:
        if abs(outside - inside) < width / 2:
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


def _reaching(flips: Sequence[_Flips], first: float, second: float) -> list[_Flips]:
    """Leave out the sign vectors that reach no critical value between two shifts.

    Between them, |Σ_s σ_s (d_s - shift)| is convex: at most its larger end, and at least its smaller end where the sum
    does not change its sign. Each critical value is at least that of the smaller ends.
    """
    may_reach = np.zeros(len(flips[0].sums), dtype=bool)
    may_reach[0] = True
    for look in flips:
        ends = look.sums - first * look.counts, look.sums - second * look.counts
        one_sign = ends[0] * ends[1] > 0
        sizes = np.abs(ends[0]), np.abs(ends[1])
        rank = len(one_sign) - 1 - look.most
        may_reach |= np.maximum(*sizes) >= np.partition(np.minimum(*sizes) * one_sign, rank)[rank] - ROUNDING
    return [_Flips(look.sums[may_reach], look.counts[may_reach], look.most) for look in flips]
