"""A judgement: one loss against the opponents of the suite, read from the runs and the decision of its folder.

In the recorded decision the judged loss is the baseline. Here every verdict and difference is that of the judged loss,
positive where it is better.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from lossbench import statistics, suite
from lossbench.analysis import loading
from lossbench.errors import NothingMatchedError
from lossbench.metrics import DEFAULTS
from lossbench.runs import decision_file, read
from lossbench.runs.decision import differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lossbench.runs.decision import SweepDecision
    from lossbench.runs.rows import RunRow
    from lossbench.statistics import Interval

Run: TypeAlias = tuple[str, int]
"""Identity and seed."""

DIVERGED = "diverged"
MIRRORED = {"better": "worse", "worse": "better"}
"""Verdict on the judged loss by the verdict on its opponent; the others are the same for both."""


@dataclass(frozen=True)
class Side:
    """A loss in one condition, over the seeds of its looks.

    Attributes:
        loss: The loss's label.
        seeds: Number of seeds.
        diverged: Number of seeds whose run diverged.
        link: `softmax` if the loss trains the probabilities that NLL, Brier and ECE judge.
        metrics: Mean of each test metric over the completed runs, by name.
    """

    loss: str
    seeds: int
    diverged: int
    link: str
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Opponent:
    """An opponent in one condition.

    Attributes:
        side: The opponent.
        verdict: Verdict on the judged loss; `diverged` where no run of it has a result, which is never better.
        difference: Mean difference in accuracy, the judged loss minus the opponent; None where no seed has both.
        interval: Repeated interval of the difference, not adjusted for the number of comparisons.
    """

    side: Side
    verdict: str
    difference: float | None
    interval: Interval | None


@dataclass(frozen=True)
class ConditionResult:
    """The judged loss in one condition.

    Attributes:
        condition: The condition of the suite.
        judged: The judged loss.
        opponents: All opponents, cross-entropy first.
    """

    condition: suite.Condition
    judged: Side
    opponents: tuple[Opponent, ...]

    @property
    def reference(self) -> Opponent | None:
        """Cross-entropy; None if it is the judged loss."""
        return next((each for each in self.opponents if each.side.loss == suite.REFERENCE), None)

    @property
    def others(self) -> tuple[Opponent, ...]:
        """The opponents other than cross-entropy."""
        return tuple(each for each in self.opponents if each.side.loss != suite.REFERENCE)

    @property
    def best(self) -> Opponent:
        """The strongest of the others: that with the least difference, or with the best mean where none has one."""
        return min(self.others, key=_strength)


@dataclass(frozen=True)
class Judgement:
    """A loss judged by the suite.

    Attributes:
        budget: Name of the budget.
        loss: Label of the judged loss.
        folder: Folder of the runs.
        results: One for each condition, in the order of the suite.
        cost: Median ratio of the seconds of an epoch, the judged loss over cross-entropy; None if it is cross-entropy.
    """

    budget: str
    loss: str
    folder: str
    results: tuple[ConditionResult, ...]
    cost: float | None


def read_judgement(folder: Path, budget: str) -> Judgement:
    """Read a judgement whose runs have ended.

    Args:
        folder: The folder of its runs.
        budget: Name of the budget.

    Raises:
        NothingMatchedError: The folder has no judgement.
        MachineError: Its decision is damaged.
    """
    decision = decision_file.load(folder)
    if decision is None:
        raise NothingMatchedError(f"{folder}: no judgement")
    rows, _ = loading.rows([folder])
    runs = {(str(row["identity"]), int(row["seed"] or 0)): row for row in rows}
    results = tuple(
        _result(condition, found, decision, runs)
        for condition in suite.CONDITIONS
        if (found := _comparisons(decision, condition, suite.BUDGETS[budget]))
    )
    ratios = list(_cost_ratios(decision, runs))
    return Judgement(budget, decision.baseline, str(folder), results, median(ratios) if ratios else None)


def _comparisons(decision: SweepDecision, condition: suite.Condition, budget: suite.Budget) -> list[int]:
    """Return the indices of the comparisons in a condition of the suite, cross-entropy first."""
    found = [
        index
        for index, each in enumerate(decision.comparisons)
        if suite.condition_of(each.condition, budget) is condition
    ]
    return sorted(found, key=lambda index: decision.comparisons[index].loss != suite.REFERENCE)


def _result(
    condition: suite.Condition, indices: Sequence[int], decision: SweepDecision, runs: Mapping[Run, RunRow]
) -> ConditionResult:
    seeds = decision.seeds[: max(decision.seeds_of(index) for index in indices)]
    judged = _side(decision.baseline, decision.comparisons[indices[0]].baseline, seeds, runs)
    opponents = tuple(_opponent(index, decision, runs) for index in indices)
    if judged.diverged == judged.seeds:
        opponents = tuple(replace(each, verdict=DIVERGED) for each in opponents)
    return ConditionResult(condition, judged, opponents)


def _opponent(index: int, decision: SweepDecision, runs: Mapping[Run, RunRow]) -> Opponent:
    each, seeds = decision.comparisons[index], decision.seeds_of(index)
    gains = -differences(decision, index)[:seeds]
    known = gains[~np.isnan(gains)]
    verdict = decision.verdicts.get(index, ("undecided", seeds))[0]
    return Opponent(
        _side(each.loss, each.identity, decision.seeds[:seeds], runs),
        MIRRORED.get(verdict, verdict),
        float(known.mean()) if len(known) else None,
        statistics.repeated_interval(gains, decision.plan),
    )


def _side(loss: str, identity: str, seeds: Sequence[int], runs: Mapping[Run, RunRow]) -> Side:
    found = [row for seed in seeds if (row := runs.get((identity, seed)))]
    completed = [row for row in found if row["status"] == "completed"]
    metrics = {
        name: [float(value) for row in completed if (value := row.get(f"test.last.{name}")) is not None]
        for name in DEFAULTS
    }
    return Side(
        loss,
        len(seeds),
        sum(row["status"] == "diverged" for row in found),
        str(found[0]["link"]) if found else "none",
        {name: fmean(values) for name, values in metrics.items() if values},
    )


def _cost_ratios(decision: SweepDecision, runs: Mapping[Run, RunRow]) -> Iterator[float]:
    """Yield the seconds of an epoch of the judged loss over those of cross-entropy, for each condition and seed."""
    for index, each in enumerate(decision.comparisons):
        for seed in decision.seeds[: decision.seeds_of(index)] if each.loss == suite.REFERENCE else ():
            ours, theirs = (_epoch_seconds(runs.get((identity, seed))) for identity in (each.baseline, each.identity))
            if ours and theirs:
                yield ours / theirs


def _epoch_seconds(row: RunRow | None) -> float | None:
    """Return the seconds of the last epoch of a run, as in the first the training step is compiled."""
    try:
        history = read.history(Path(str(row["folder"]))) if row else []
    except read.BrokenRunError:
        return None
    return history[-1].get("seconds") if len(history) > 1 else None


def _strength(opponent: Opponent) -> tuple[float, float]:
    difference = np.inf if opponent.difference is None else opponent.difference
    return difference, -opponent.side.metrics.get(DEFAULTS[0], 0.0)
