"""Group-sequential sign-flip test: seeds are added until each comparison is decided, at planned looks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lossbench.statistics.sign_flips import ROUNDING, sign_vectors, unit_columns
from lossbench.statistics.verdicts import direction

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

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

    Each comparison has a hypothesis, a mean of 0, with the T(σ, l) of `max_t`. With a rope it has two more, a mean of
    at most -rope and one of at least rope, with Σ_s σ_s (d_sl + rope) and Σ_s σ_s (rope - d_sl) over their lengths.

    At a look with n of N seeds, the critical value c is the smallest with share {σ not spent: max T(σ, ·) > c} ≤
    α(n / N) - share spent. Hypotheses with T(1, ·) > c are rejected, and the look is repeated without them; then the
    sign vectors above c are spent. A comparison whose mean is not 0 is decided, and one whose mean is neither at most
    -rope nor at least rope is equivalent. Its hypotheses that were not rejected remain in the maximum with the seeds
    that they have: without them, those that are left would be the most extreme of many, tested as if they were few.

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
    test = _StepDown(plan)
    for seeds in plan.looks:
        open_ = [index for index, each in enumerate(decisions) if each is None]
        counts = [len(differences[index]) for index in open_]
        if not open_ or max(counts) < seeds:
            break
        if min(counts) < seeds:
            raise ValueError(f"expected {seeds} seeds of every comparison that is not decided")
        table = _first_seeds(differences, decisions, seeds)
        means = np.nan_to_num(table).mean(axis=0)
        diverged = [(each.loss < seeds, each.baseline < seeds) for each in divergences]
        directions = {
            index: direction(means[index], loss_diverged=diverged[index][0], baseline_diverged=diverged[index][1])
            for index in open_
        }
        may_be_equal = {index for index in open_ if not any(diverged[index])}
        test.look(table, {ZERO: {index for index in open_ if directions[index]}, LOW: may_be_equal, HIGH: may_be_equal})
        for index in open_:
            if test.rejected >= {(LOW, index), (HIGH, index)}:
                decisions[index] = Decision("equivalent", seeds)
            elif (ZERO, index) in test.rejected:
                decisions[index] = Decision(str(directions[index]), seeds)
            elif np.isnan(table[:, index]).all():
                decisions[index] = Decision("undecided", seeds)
            elif index in may_be_equal and not table[:, index].any():
                decisions[index] = Decision("identical", seeds)
    return decisions


ZERO, LOW, HIGH = "mean = 0", "mean ≤ -rope", "mean ≥ rope"
"""Hypotheses on a comparison."""


def _first_seeds(differences: Sequence[Floats], decisions: Sequence[Decision | None], seeds: int) -> Floats:
    """Return the first differences, `[seeds, comparisons]`; NaN after the look at which a comparison was decided."""
    table = np.full((seeds, len(differences)), np.nan)
    for index, (values, decision) in enumerate(zip(differences, decisions, strict=True)):
        count = decision.seeds if decision else seeds
        table[:count, index] = values[:count]
    return table


class _StepDown:
    """Step-down test of hypotheses at several looks; `rejected` holds those that were rejected, with the comparison."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rejected: set[tuple[str, int]] = set()
        self._signs = sign_vectors(plan.looks[-1])
        self._spent = np.zeros(len(self._signs), dtype=bool)

    def look(self, table: Floats, may_reject: Mapping[str, Collection[int]]) -> None:
        """Reject hypotheses at a look, and spend the sign vectors that reach its critical value.

        Args:
            table: `[seeds, comparisons]`, the differences.
            may_reject: The comparisons of which a hypothesis may be rejected.
        """
        most = max(0, allowance(self.plan, len(table)) - int(self._spent.sum()))
        names, statistics = self._statistics(table)
        while names:
            maxima = statistics.max(axis=1)
            critical = critical_value(maxima, self._spent, most)
            over = [
                index in may_reject[name] and value >= critical
                for (name, index), value in zip(names, statistics[0], strict=True)
            ]
            if not any(over):
                self._spent |= maxima >= critical
                return
            self.rejected |= {each for each, is_over in zip(names, over, strict=True) if is_over}
            names = [each for each, is_over in zip(names, over, strict=True) if not is_over]
            statistics = statistics[:, ~np.array(over)]

    def _statistics(self, table: Floats) -> tuple[list[tuple[str, int]], Floats]:
        """Compute T of the hypotheses that are not rejected, `[sign vectors, hypotheses]`, the identity first."""
        shifted = {ZERO: table}
        if self.plan.rope is not None:
            shifted |= {LOW: table + self.plan.rope, HIGH: self.plan.rope - table}
        names = [(name, index) for name in shifted for index in range(table.shape[1])]
        names = [each for each in names if each not in self.rejected]
        if not names:
            return [], np.empty((len(self._signs), 0))
        columns = np.array([shifted[name][:, index] for name, index in names]).T
        statistics: Floats = self._signs[:, : len(table)] @ unit_columns(np.nan_to_num(columns))
        two_sided = sum(name == ZERO for name, _ in names)
        np.abs(statistics[:, :two_sided], out=statistics[:, :two_sided])
        return names, statistics


def allowance(plan: Plan, seeds: int) -> int:
    """Compute how many sign vectors may be spent up to a look."""
    level = SPENDING[plan.spending](seeds / plan.looks[-1], plan.alpha)
    return int(level * len(sign_vectors(plan.looks[-1])) + ROUNDING)


def critical_value(maxima: Floats, spent: NDArray[np.bool_], most: int) -> float:
    """Compute the smallest value that at most `most` of the sign vectors that are not spent reach.

    Args:
        maxima: `[sign vectors]`, the largest statistic of each.
        spent: `[sign vectors]`, whether each was spent at an earlier look.
        most: The largest number of sign vectors.
    """
    left = maxima[~spent]
    return float(np.partition(left, -1 - most)[-1 - most]) + ROUNDING
