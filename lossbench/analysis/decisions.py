"""Recorded decisions of sweeps in a comparison: the verdict at its look, and intervals that are valid at every look."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from lossbench import statistics
from lossbench.analysis.estimates import paired_contrast
from lossbench.analysis.result import RecordedPlan
from lossbench.analysis.tunings import folder_of
from lossbench.metrics import find
from lossbench.runs import decision_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.analysis.query import Query
    from lossbench.analysis.result import Contrast, Group, Verdict
    from lossbench.runs.decision import Score, SweepDecision
    from lossbench.runs.grouping import Cell
    from lossbench.runs.rows import RunRow

CHANGED = "its runs are not those of the decision: some were removed, left out or trained again"


def load(rows: Iterable[RunRow]) -> dict[str, SweepDecision]:
    """Return the decisions recorded beside some runs, by folder.

    Raises:
        MachineError: A decision is damaged.
        UsageError: A decision was written by a newer version.
    """
    folders = sorted({folder_of(row) for row in rows})
    return {folder: found for folder in folders if (found := decision_file.load(Path(folder)))}


def apply(
    contrasts: Mapping[Cell, Contrast],
    groups: Mapping[Cell, Group],
    query: Query,
    decisions: Mapping[str, SweepDecision],
) -> tuple[dict[Cell, Contrast], tuple[RecordedPlan, ...]]:
    """Replace the contrasts of losses whose seeds were added by a plan.

    Args:
        contrasts: The contrasts of a comparison.
        groups: Their groups.
        query: The query.
        decisions: The recorded decisions by folder.

    Returns:
        The contrasts of these losses: with the recorded verdict, or with none where the query asks for something else
        than the plan, as a usual test would be wrong too often; and each plan with the reasons why it does not apply.
    """
    found: dict[Cell, Contrast] = {}
    plans = []
    for folder, decision in decisions.items():
        general, reasons = "; ".join(_reasons(query, decision)), dict[str, None]()
        adaptive = {each.identity for each in decision.comparisons}
        for cell, contrast in contrasts.items():
            group = groups[cell]
            decided = cell in found and not found[cell].is_barred
            if decided or not adaptive & {*_identities(group), *_identities(group.reference)}:
                continue
            recorded = general or _recorded(group, decision, query)
            if isinstance(recorded, str):
                reasons[recorded] = None
                recorded = replace(contrast, p=None, is_barred=True)
            found[cell] = recorded
        if adaptive & {name for group in groups.values() for name in group.identities}:
            plans.append(RecordedPlan(folder, decision, tuple(reasons)))
    return found, tuple(plans)


def _identities(group: Group | None) -> tuple[str, ...]:
    return group.identities if group else ()


def _reasons(query: Query, decision: SweepDecision) -> list[str]:
    """Return why a plan cannot apply to any contrast of a query."""
    first = query.metrics[0]
    margin = query.margin
    return [
        reason
        for reason, holds in {
            f"the verdict is on {first.name}": first.name != decision.metric,
            f"the baseline is {query.baseline}": query.baseline not in {None, decision.baseline},
            "it tests the best epoch, not the last": query.at != "last",
            "the seeds are not paired": query.unpaired,
            "it compares with a baseline file": query.baseline_file is not None,
            "it has another rope": margin is not None and not _same(margin, decision.plan.rope),
        }.items()
        if holds
    ]


def _recorded(group: Group, decision: SweepDecision, query: Query) -> Contrast | str:
    """Return the contrast at the last look of a comparison; or why the plan does not apply to it."""
    pair = (group.identities, _identities(group.reference))
    pairs = [((each.identity,), (each.baseline,)) for each in decision.comparisons]
    if pair not in pairs:
        return f"{group.label} and its baseline are no comparison of the plan"
    index = pairs.index(pair)
    count = decision.seeds_of(index)
    scores, seeds = decision.scores(), decision.seeds[:count]
    ours, theirs = (scores.get(each[0], [])[:count] for each in pair)
    if not (_holds(group, seeds, ours, query) and _holds(group.reference, seeds, theirs, query)):
        return f"{group.label}: {CHANGED}"
    values = {
        seed: first - second
        for seed, first, second in zip(seeds, ours, theirs, strict=True)
        if not isinstance(first, str) and not isinstance(second, str)
    }
    if not values:
        return "no look has been made yet" if not count else f"{group.label}: no seed of the look has both results"
    lost, gifts = (
        sum(mine == "diverged" and not isinstance(other, str) for mine, other in zip(*sides, strict=True))
        for sides in ((ours, theirs), (theirs, ours))
    )
    differences = np.array([values.get(seed, math.nan) for seed in seeds])
    plan = replace(decision.plan, alpha=1 - query.confidence)
    verdict = decision.verdicts.get(index, ("undecided", count))[0]
    return replace(
        paired_contrast(values, find(decision.metric), statistics.repeated_interval(differences, plan), lost, gifts),
        adjustment="sequential",
        verdict=cast("Verdict", verdict),
        look=count,
    )


def _holds(group: Group | None, seeds: Sequence[int], scores: Sequence[Score], query: Query) -> bool:
    """Return whether the runs of a group have the recorded scores."""
    values = group.metrics[query.metrics[0].name].values if group else {}
    return all(
        isinstance(score, str) or _same(values.get(seed), score) for seed, score in zip(seeds, scores, strict=True)
    )


def _same(first: float | None, second: float | None) -> bool:
    return first is not None and second is not None and math.isclose(first, second, rel_tol=1e-12)
