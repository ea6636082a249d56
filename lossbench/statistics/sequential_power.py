"""What a group-sequential plan detects, and how many trainings it takes: simulated before any seed is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lossbench.statistics.power import POWER
from lossbench.statistics.sequential import SPENDING
from lossbench.statistics.sign_flips import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lossbench.statistics.intervals import Floats
    from lossbench.statistics.sequential import Plan

STUDIES, COMPARISONS = 4096, 20
"""Number of simulated studies up to this number of comparisons; with more comparisons fewer studies."""

FEWEST_STUDIES = 256

PRECISION = 1e-3
"""Error of a detectable difference, in standard deviations."""

CLEAR = 3.0
"""Difference that is called clear, in standard deviations of the differences."""


class Family(NamedTuple):
    """Comparisons in one condition, which share a baseline.

    Attributes:
        losses: Number of losses besides the baseline.
        sd: Standard deviation of the differences, in the units of the rope; None if it is not known.
    """

    losses: int
    sd: float | None


class Expectation(NamedTuple):
    """What a plan is expected to show and to take.

    Attributes:
        detectable: For each family, the true mean difference in standard deviations that is decided as better or worse
            with probability 0.8.
        none: Expected number of trainings, baselines included, if no loss differs from its baseline.
        clear: The same if each loss differs by 3 standard deviations.
    """

    detectable: tuple[float, ...]
    none: float
    clear: float


def expectation(plan: Plan, families: Sequence[Family]) -> Expectation:
    """Simulate a plan for independent normal scores.

    The critical values are those that `decide` would find if its sign vectors were the simulated studies of equal
    losses, without its steps down: the plan detects slightly smaller differences and takes slightly fewer trainings.
    A family whose standard deviation is not known is simulated without the rope.

    Source: Jennison & Turnbull (1999). Group sequential methods with applications to clinical trials.
    ISBN 978-0-8493-0316-6.

    Args:
        plan: The plan.
        families: The comparisons of each condition.

    Example:
        >>> expectation(Plan((6,)), [Family(1, None)]).none
        12.0
    """
    comparisons = sum(each.losses for each in families)
    studies = max(FEWEST_STUDIES, min(STUDIES, STUDIES * COMPARISONS // max(1, comparisons)))
    random = np.random.default_rng(0)
    signs = random.choice([-1.0, 1.0], (studies, plan.looks[-1], 1))
    sums = [_sums(random, signs, each.losses, plan.looks) for each in families]
    ropes = [plan.rope / each.sd if plan.rope and each.sd else None for each in families]
    critical = _critical_values(plan, sums, ropes)
    none = clear = 0.0
    for each, rope in zip(sums, ropes, strict=True):
        none += _trainings(each, 0.0, rope, critical)
        clear += _trainings(each, CLEAR, rope, critical)
    return Expectation(tuple(_detectable(each, critical) for each in sums), none, clear)


class _Sums(NamedTuple):
    """Sums over the seeds of each look, of simulated differences d with a standard deviation of 1.

    Attributes:
        seeds: `[looks, 1, 1]`, n.
        values: `[looks, studies, losses]`, Σ d.
        squares: `[looks, studies, losses]`, Σ d².
        flipped: `[looks, studies, losses]`, Σ σ d.
        signs: `[looks, studies, 1]`, Σ σ.
    """

    seeds: Floats
    values: Floats
    squares: Floats
    flipped: Floats
    signs: Floats

    def statistics(self, shift: float) -> Floats:
        """Compute T of d + shift, with its sign, `[looks, studies, losses]`."""
        return (self.values + self.seeds * shift) / self._lengths(shift)

    def flipped_statistics(self, shift: float) -> Floats:
        """Compute T of d + shift under random signs, `[looks, studies, losses]`."""
        return (self.flipped + self.signs * shift) / self._lengths(shift)

    def negated(self) -> _Sums:
        """Return the sums of -d."""
        return self._replace(values=-self.values, flipped=-self.flipped)

    def _lengths(self, shift: float) -> Floats:
        result: Floats = np.sqrt(self.squares + 2 * shift * self.values + self.seeds * shift**2)
        return result


def _sums(random: np.random.Generator, signs: Floats, losses: int, looks: Sequence[int]) -> _Sums:
    """Draw normal scores of losses and their baseline, and sum the differences."""
    scores = random.normal(0, 0.5**0.5, (*signs.shape[:2], losses + 1))
    values = scores[..., 1:] - scores[..., :1]
    starts = [0, *looks[:-1]]

    def until_looks(each: Floats) -> Floats:
        return np.moveaxis(np.cumsum(np.add.reduceat(each, starts, axis=1), axis=1), 1, 0)

    seeds = np.array(looks, dtype=np.float64)[:, None, None]
    return _Sums(seeds, *map(until_looks, (values, values**2, signs * values, signs)))


def _critical_values(plan: Plan, sums: Sequence[_Sums], ropes: Sequence[float | None]) -> Floats:
    """Compute the critical value of each look; n sign flips can spend multiples of 1 / 2ⁿ⁻¹ only."""
    maxima: Floats = np.zeros((len(plan.looks), sums[0].signs.shape[1]))
    for each, rope in zip(sums, ropes, strict=True):
        sides = [np.abs(each.flipped_statistics(0.0))]
        sides += [side.flipped_statistics(rope) for side in (each, each.negated())] if rope else []
        maxima = np.maximum(maxima, np.max(sides, axis=(0, 3)))
    spent: NDArray[np.bool_] = np.zeros(maxima.shape[1], dtype=bool)
    found = np.full(len(plan.looks), np.inf)
    for look, seeds in enumerate(plan.looks):
        flips = 2.0 ** (seeds - 1)
        level = np.floor(SPENDING[plan.spending](seeds / plan.looks[-1], plan.alpha) * flips + ROUNDING) / flips
        if (most := int(level * len(spent)) - int(spent.sum())) > 0:
            found[look] = np.sort(maxima[look, ~spent])[-most]
            spent |= maxima[look] >= found[look]
    return found


def _trainings(sums: _Sums, shift: float, rope: float | None, critical: Floats) -> float:
    """Compute the mean number of trainings of a family and its baseline, where each mean is `shift`."""
    limits = critical[:, None, None]
    decided = np.abs(sums.statistics(shift)) >= limits
    if rope:
        sides = sums.statistics(rope + shift) >= limits, sums.negated().statistics(rope - shift) >= limits
        above, below = (np.logical_or.accumulate(each, axis=0) for each in sides)
        decided |= above & below
    last = len(decided) - 1
    used = sums.seeds[np.where(decided.any(axis=0), decided.argmax(axis=0), last), 0, 0]
    return float((used.sum(axis=1) + used.max(axis=1)).mean())


def _detectable(sums: _Sums, critical: Floats) -> float:
    """Find the difference that reaches a critical value with probability 0.8, by bisection."""
    first = sums._replace(**{name: getattr(sums, name)[..., :1] for name in ("values", "squares", "flipped")})
    low, high = 0.0, 100.0
    while high - low > PRECISION:
        middle = (low + high) / 2
        reached = (first.statistics(middle) >= critical[:, None, None]).any(axis=0)
        low, high = (low, middle) if reached.mean() >= POWER else (middle, high)
    return high
