"""Decision of a sweep: the plan of its looks, and the scores and verdicts of each look.

Verdicts are a function of the plan and the scores alone, so it does not matter in which order, or by which of several
sweeps, the runs were trained.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from lossbench.metrics import find
from lossbench.runs.paths import DECISION_VERSION
from lossbench.statistics import Divergence, decide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lossbench.runs.rows import Scalar
    from lossbench.statistics import Decision, Plan

Score: TypeAlias = float | Literal["diverged", "failed"]
"""The metric of a run, or how it ended without one."""

ENDED_WITHOUT_SCORE = ("diverged", "failed")


@dataclass(frozen=True)
class PlannedComparison:
    """A comparison of a loss with the baseline in one condition.

    Attributes:
        loss: The loss's label.
        condition: The settings that make the condition.
        identity: Identity of the loss's trials, which all seeds share.
        baseline: Identity of the baseline's trials.
    """

    loss: str
    condition: Mapping[str, Scalar]
    identity: str
    baseline: str


@dataclass(frozen=True)
class Look:
    """A look.

    Attributes:
        seeds: Number of seeds of each comparison that is open.
        open: Indices of the comparisons that were not decided before.
        scores: Scores of the seeds since the look before, by identity of the trials; None while they are trained.
        verdicts: The verdicts made at this look, by index of the comparison.
    """

    seeds: int
    open: tuple[int, ...]
    scores: Mapping[str, tuple[Score, ...]] | None = None
    verdicts: Mapping[int, str] | None = None


@dataclass(frozen=True)
class SweepDecision:
    """Plan and looks of a sweep; the last look has no scores while its seeds are trained.

    Attributes:
        metric: Name of the metric that decides, on the test set after the last epoch.
        baseline: The baseline's label.
        seeds: The seeds, in the order in which they are added.
        plan: Looks, level, spending and rope.
        comparisons: The family of comparisons.
        looks: The looks so far.
        version: Version of the file that records it.
    """

    metric: str
    baseline: str
    seeds: tuple[int, ...]
    plan: Plan
    comparisons: tuple[PlannedComparison, ...]
    looks: tuple[Look, ...] = ()
    version: int = DECISION_VERSION

    @property
    def is_by_another_test(self) -> bool:
        """Whether an earlier version decided by another test than `statistics.decide`, as it did with a rope."""
        return self.version == 1 and self.plan.rope is not None

    @property
    def pending(self) -> Look | None:
        """The look whose seeds are trained; None if the decision has ended."""
        return self.looks[-1] if self.looks and self.looks[-1].scores is None else None

    @property
    def made(self) -> tuple[Look, ...]:
        """The looks that have been made."""
        return tuple(look for look in self.looks if look.scores is not None)

    @property
    def verdicts(self) -> dict[int, tuple[str, int]]:
        """Verdict and number of seeds of each comparison that is decided, by index."""
        return {
            index: (verdict, look.seeds)
            for look in self.made
            for index, verdict in sorted((look.verdicts or {}).items())
        }

    @property
    def trainings(self) -> int:
        """The number of trainings that the looks so far have used."""
        return sum(len(scores) for look in self.made for scores in (look.scores or {}).values())

    @property
    def most_trainings(self) -> int:
        """The number of trainings with all seeds of every loss and baseline."""
        return len({name for each in self.comparisons for name in (each.identity, each.baseline)}) * len(self.seeds)

    def seeds_of(self, index: int) -> int:
        """Return the number of seeds with which a comparison was last looked at; 0 before its first look."""
        return max((look.seeds for look in self.made if index in look.open), default=0)

    def identities(self, look: Look) -> list[str]:
        """Return the trials that a look needs: open losses, and the baselines of their conditions."""
        pairs = [self.comparisons[index] for index in look.open]
        return list(dict.fromkeys(name for each in pairs for name in (each.baseline, each.identity)))

    def new_seeds(self, look: Look) -> tuple[int, ...]:
        """Return the seeds that a look has more than the one before."""
        before = max((each for each in self.plan.looks if each < look.seeds), default=0)
        return self.seeds[before : look.seeds]

    def scores(self) -> dict[str, list[Score]]:
        """Return the scores of all looks so far by identity, in the order of seeds."""
        found: dict[str, list[Score]] = {}
        for look in self.made:
            for identity, scores in (look.scores or {}).items():
                found.setdefault(identity, []).extend(scores)
        return found


def opened(decision: SweepDecision) -> SweepDecision:
    """Return a decision with its next look opened; unchanged if one is open, or if nothing is left to decide."""
    if decision.pending:
        return decision
    seeds = next((each for each in decision.plan.looks if each > max([0, *(look.seeds for look in decision.looks)])), 0)
    open_ = tuple(index for index in range(len(decision.comparisons)) if index not in decision.verdicts)
    return replace(decision, looks=(*decision.looks, Look(seeds, open_))) if seeds and open_ else decision


def with_scores(decision: SweepDecision, scores: Mapping[str, Sequence[Score]]) -> SweepDecision:
    """Make the open look, and open the next one.

    Args:
        decision: A decision with an open look.
        scores: Scores of the new seeds, for each of `identities`.
    """
    *before, look = decision.looks
    made = replace(look, scores={name: tuple(values) for name, values in scores.items()}, verdicts={})
    decisions = decisions_of(replace(decision, looks=(*before, made)))
    new = {index: each.verdict for index, each in enumerate(decisions) if each and each.seeds == look.seeds}
    return opened(replace(decision, looks=(*before, replace(made, verdicts=new))))


def decisions_of(decision: SweepDecision) -> list[Decision | None]:
    """Compute the decisions of all comparisons from plan and scores."""
    known = decision.scores()
    gains = [differences(decision, index) for index in range(len(decision.comparisons))]
    divergences = [
        Divergence(*(_first_diverged(known.get(name, ())) for name in (each.identity, each.baseline)))
        for each in decision.comparisons
    ]
    return decide(gains, decision.plan, divergences)


def differences(decision: SweepDecision, index: int) -> NDArray[np.float64]:
    """Return the gains of a comparison's loss over its baseline by seed, NaN where one of the runs has no score."""
    metric, known, each = find(decision.metric), decision.scores(), decision.comparisons[index]
    pairs = zip(known.get(each.identity, ()), known.get(each.baseline, ()), strict=False)  # a baseline goes on longer
    values = [np.nan if isinstance(a, str) or isinstance(b, str) else metric.gain(a - b) for a, b in pairs]
    return np.array(values, dtype=np.float64)


def _first_diverged(scores: Sequence[Score]) -> float:
    return scores.index("diverged") if "diverged" in scores else np.inf
