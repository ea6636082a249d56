"""Group-sequential sign-flip test: seeds are added until each comparison is decided, at planned looks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lossbench.statistics.sign_flips import ROUNDING, sign_vectors, unit_columns
from lossbench.statistics.verdicts import direction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lossbench.statistics.intervals import Floats


def obrien_fleming(fraction: float, alpha: float) -> float:
    """Compute the level spent at a fraction f of the seeds: 2 - 2 Φ(z_{1-α/2} / √f), little at first.

    Source: Lan & DeMets (1983). Discrete sequential boundaries for clinical trials. doi:10.1093/biomet/70.3.659.
    """
    from scipy.special import ndtr, ndtri

    return float(2 * ndtr(-ndtri(1 - alpha / 2) / np.sqrt(fraction)))


def pocock(fraction: float, alpha: float) -> float:
    """Compute the level spent at a fraction f of the seeds: α ln(1 + (e - 1) f), more at first.

    Source: Lan & DeMets (1983). Discrete sequential boundaries for clinical trials. doi:10.1093/biomet/70.3.659.
    """
    return float(alpha * np.log1p((np.e - 1) * fraction))


def linear(fraction: float, alpha: float) -> float:
    """Compute the level spent at a fraction f of the seeds: α f."""
    return alpha * fraction


SPENDING: Mapping[str, Callable[[float, float], float]] = {
    "obrien_fleming": obrien_fleming,
    "pocock": pocock,
    "linear": linear,
}
"""Spending functions by name: (fraction of the seeds, α) to the level that may be spent until then."""


@dataclass(frozen=True)
class Plan:
    """Plan of a decision, fixed before the first look.

    Attributes:
        looks: Numbers of seeds, increasing; the last is the largest number that is trained.
        alpha: Probability of any false verdict, over all comparisons and looks.
        spending: Name of the spending function.
        rope: Largest absolute difference that is equivalent, in the units of the differences; None: no equivalence.
    """

    looks: tuple[int, ...] = (6, 8, 10, 12, 15, 20, 25, 30)
    alpha: float = 0.05
    spending: str = "obrien_fleming"
    rope: float | None = None


class Decision(NamedTuple):
    """Decision on a comparison: its verdict, and the number of seeds at the look where it was made."""

    verdict: str
    seeds: int


class Divergence(NamedTuple):
    """Numbers of seeds before the first run that diverged, of the loss and of its baseline; infinite if none did."""

    loss: float = math.inf
    baseline: float = math.inf


def decide(
    differences: Sequence[Floats], plan: Plan, divergences: Sequence[Divergence] | None = None
) -> list[Decision | None]:
    """Decide comparisons at the looks that their seeds reach.

    At a look with n of N seeds, T is that of `max_t` over the first n seeds and the comparisons that are not decided.
    The critical value c is the smallest with share {σ not spent: max T(σ, ·) > c} ≤ α(n / N) - share spent. A
    comparison with T(1, ·) > c is decided, and the look is repeated without it; then the sign vectors above c are
    spent. With a rope, two such tests, one-sided, of differences below -rope and above rope decide equivalence.

    A side with diverged runs is never better, and not equivalent. A comparison whose differences are all 0 is
    `identical`; one without any difference ends as `undecided`, as more seeds would not help.

    Source: Lan & DeMets (1983). Discrete sequential boundaries for clinical trials. doi:10.1093/biomet/70.3.659.
    Source: Romano & Wolf (2005). Exact and approximate stepdown methods for multiple hypothesis testing.
    doi:10.1198/016214504000000539.

    Args:
        differences: One array `[seeds]` of gains per comparison, of the first seeds 0, 1, …; NaN where a run has no
            result. The array of a comparison that is decided may end there.
        plan: The plan.
        divergences: One per comparison; None: no run diverged.

    Returns:
        One decision per comparison: `better` or `worse` for a positive or negative mean, `equivalent`, `identical`, or
        `undecided` without any difference; None where the seeds do not decide.

    Raises:
        ValueError: A comparison that is not decided lacks seeds that another has.

    Example:
        >>> decide([np.ones(15) + np.arange(15) / 100, np.array([1.0, -1.0] * 8)], Plan())
        [Decision(verdict='better', seeds=15), None]
    """
    decisions: list[Decision | None] = [None] * len(differences)
    divergences = divergences or [Divergence()] * len(differences)
    two_sided, above_low, below_high = (_Test(plan) for _ in range(3))
    for seeds in plan.looks:
        open_ = [index for index, each in enumerate(decisions) if each is None]
        counts = [len(differences[index]) for index in open_]
        if not open_ or max(counts) < seeds:
            break
        if min(counts) < seeds:
            raise ValueError(f"expected {seeds} seeds of every comparison that is not decided")
        table = np.array([differences[index][:seeds] for index in open_]).T
        means = np.nan_to_num(table).mean(axis=0)
        diverged = [tuple(first < seeds for first in divergences[index]) for index in open_]
        directions = [
            direction(mean, loss_diverged=loss, baseline_diverged=baseline)
            for mean, (loss, baseline) in zip(means, diverged, strict=True)
        ]
        may_be_equal = np.array([not any(each) for each in diverged])
        two_sided.look(open_, seeds, np.abs(_statistics(table, plan)), np.array([bool(each) for each in directions]))
        if plan.rope is not None:
            above_low.look(open_, seeds, _statistics(table + plan.rope, plan), may_be_equal)
            below_high.look(open_, seeds, _statistics(plan.rope - table, plan), may_be_equal)
        for column, index in enumerate(open_):
            if index in above_low.rejected & below_high.rejected:
                decisions[index] = Decision("equivalent", seeds)
            elif index in two_sided.rejected:
                decisions[index] = Decision(str(directions[column]), seeds)
            elif np.isnan(table[:, column]).all():
                decisions[index] = Decision("undecided", seeds)
            elif may_be_equal[column] and not table[:, column].any():
                decisions[index] = Decision("identical", seeds)
    return decisions


def _statistics(table: Floats, plan: Plan) -> Floats:
    """Compute T(σ, l) with its sign, `[sign vectors, comparisons]`, the identity first."""
    signs = sign_vectors(plan.looks[-1])[:, : len(table)]
    result: Floats = signs @ unit_columns(np.nan_to_num(table))
    return result


class _Test:
    """Step-down test of hypotheses at several looks; `rejected` holds those that were rejected."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rejected: set[int] = set()
        self._spent = np.zeros(len(sign_vectors(plan.looks[-1])), dtype=bool)

    def look(self, hypotheses: Sequence[int], seeds: int, statistics: Floats, may_reject: NDArray[np.bool_]) -> None:
        """Reject hypotheses at a look, and spend the sign vectors that reach its critical value.

        Args:
            hypotheses: Those that are not decided.
            seeds: Number of seeds at the look.
            statistics: `[sign vectors, hypotheses]`, the identity first.
            may_reject: `[hypotheses]`; false where no verdict could follow.
        """
        most = allowance(self.plan, seeds, self._spent)
        open_ = [column for column, each in enumerate(hypotheses) if each not in self.rejected]
        while open_:
            maxima = statistics[:, open_].max(axis=1)
            critical = critical_value(maxima, self._spent, most)
            over = [column for column in open_ if may_reject[column] and statistics[0, column] >= critical]
            if not over:
                self._spent |= maxima >= critical
                return
            self.rejected |= {hypotheses[column] for column in over}
            open_ = [column for column in open_ if column not in over]


def allowance(plan: Plan, seeds: int, spent: NDArray[np.bool_]) -> int:
    """Compute how many sign vectors a look may spend: those up to its level, less those spent at earlier looks."""
    level = SPENDING[plan.spending](seeds / plan.looks[-1], plan.alpha)
    return max(0, int((level - spent.mean()) * len(spent) + ROUNDING))


def critical_value(maxima: Floats, spent: NDArray[np.bool_], most: int) -> float:
    """Compute the smallest value that at most `most` of the sign vectors that are not spent reach.

    Args:
        maxima: `[sign vectors]`, the largest statistic of each.
        spent: `[sign vectors]`, whether each was spent at an earlier look.
        most: The largest number of sign vectors.
    """
    left = maxima[~spent]
    return float(np.partition(left, -1 - most)[-1 - most]) + ROUNDING
