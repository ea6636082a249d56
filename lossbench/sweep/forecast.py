"""Forecast of a sweep before it trains: how long it takes, and which differences its seeds would show."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lossbench import statistics
from lossbench.runs import grouping
from lossbench.sweep import earlier_runs
from lossbench.sweep.comparisons import default_baseline, planned_rows
from lossbench.sweep.duration import Duration, duration

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from lossbench.metrics import Metric
    from lossbench.runs.rows import RunRow, Scalar
    from lossbench.sweep.earlier_runs import Spread
    from lossbench.sweep.plan import PlannedTrial


@dataclass(frozen=True)
class Detection:
    """The difference from the baseline that the seeds of a condition would show with probability 0.8.

    Attributes:
        condition: Keys that vary within a loss, with their values.
        seeds: Number of seeds that every loss shares with the baseline.
        sd: Standard deviation of the differences; None if it is not known.
        spread: The earlier runs that it comes from; None if it was given or is not known.
        difference: None if `sd` is not known, or with too few seeds for a verdict.
    """

    condition: Mapping[str, Scalar]
    seeds: int
    sd: float | None
    spread: Spread | None
    difference: float | None


@dataclass(frozen=True)
class Trainings:
    """Numbers of trainings of a plan that adds seeds until it is decided, earlier ones included.

    Attributes:
        most: With all seeds of every loss.
        clear: Expected if each loss differs from the baseline by 3 standard deviations of the differences.
        none: Expected if none differs; None if the plan has a rope, and a standard deviation is not known.
    """

    most: int
    clear: int
    none: int | None


@dataclass(frozen=True)
class Forecast:
    """Forecast of a sweep.

    Attributes:
        duration: How long it takes.
        metric: The metric of the differences.
        baseline: Label of the baseline.
        comparisons: Number of comparisons with the baseline, over all conditions, for which p is adjusted.
        detections: One per condition with a comparison.
        tuning: How long tuning takes before; None if the sweep does not tune.
        trainings: How many trainings a plan that adds seeds is expected to take; None: all seeds are trained.
    """

    duration: Duration
    metric: Metric
    baseline: str
    comparisons: int
    detections: tuple[Detection, ...]
    trainings: Trainings | None = None
    tuning: Duration | None = None


@dataclass(frozen=True)
class _Condition:
    """A condition: its settings, a run of its baseline, the losses to compare, and the seeds that all of them share."""

    settings: Mapping[str, Scalar]
    reference: RunRow
    losses: Collection[str]
    seeds: int


def forecast(
    trials: Sequence[PlannedTrial],
    planned: Sequence[PlannedTrial],
    *,
    runs_dir: Path,
    device: str,
    workers: int | None,
    metric: Metric,
    sd: float | None = None,
    baseline: str | None = None,
    plan: statistics.Plan | None = None,
) -> Forecast:
    """Forecast how long trials take, and which differences the whole sweep would show.

    Args:
        trials: The trials to train.
        planned: All trials of the sweep, also those that are finished or belong to other shards.
        runs_dir: Folder with earlier runs.
        device: `auto`, `cpu`, `gpu` or `gpu:N`.
        workers: Trials at a time; None on a cluster.
        metric: The metric of the differences.
        sd: Standard deviation of the differences; None: that of earlier runs.
        baseline: Label of the baseline; None: the default.
        plan: The plan by which seeds are added until each loss is decided; None: all seeds are trained.
    """
    earlier = earlier_runs.load(runs_dir)
    name = baseline or default_baseline(planned)
    conditions = _conditions(planned, name)
    comparisons = sum(len(each.losses) for each in conditions)
    detections = tuple(_detection(each, earlier, metric, name, comparisons, sd) for each in conditions)
    trainings = None
    if plan and conditions:
        detections, trainings = _by_plan(plan, conditions, detections)
    return Forecast(
        duration=duration(trials, [*earlier, *earlier_runs.load_tuning(runs_dir)], device=device, workers=workers),
        metric=metric,
        baseline=name,
        comparisons=comparisons,
        detections=detections,
        trainings=trainings,
    )


def tuning_duration(trials: Sequence[PlannedTrial], *, runs_dir: Path, device: str, workers: int | None) -> Duration:
    """Forecast how long the trials take that tune before losses are compared; the arguments are those of `forecast`."""
    earlier = [*earlier_runs.load(runs_dir), *earlier_runs.load_tuning(runs_dir)]
    return duration(trials, earlier, device=device, workers=workers)


def _by_plan(
    plan: statistics.Plan, conditions: Sequence[_Condition], detections: Sequence[Detection]
) -> tuple[tuple[Detection, ...], Trainings]:
    """Return the differences that a plan would show in place of those of a fixed number of seeds, and its trainings."""
    families = [
        statistics.Family(len(each.losses), detection.sd)
        for each, detection in zip(conditions, detections, strict=True)
    ]
    found = statistics.expectation(plan, families)
    by_plan = tuple(
        replace(each, difference=None if each.sd is None else size * each.sd)
        for each, size in zip(detections, found.detectable, strict=True)
    )
    most = plan.looks[-1] * sum(len(each.losses) + 1 for each in conditions)
    is_known = plan.rope is None or all(each.sd is not None for each in detections)
    return by_plan, Trainings(most, round(found.clear), round(found.none) if is_known else None)


def _conditions(planned: Sequence[PlannedTrial], baseline: str) -> list[_Condition]:
    """Return the conditions, by the rule of `compare`, in which a loss shares seeds with the baseline."""
    rows: dict[str, Sequence[RunRow]] = {}
    seeds = defaultdict(set)
    for each in planned:
        trial = each.trial
        if trial.identity not in rows:
            rows[trial.identity] = planned_rows(each)
        seeds[trial.identity].add(trial.experiment.seed)
    found, _ = grouping.group_runs([row for alike in rows.values() for row in alike], by=("loss",))
    by_condition: dict[grouping.Condition, dict[str, Sequence[RunRow]]] = defaultdict(dict)
    for (condition, loss), alike in found.cells.items():
        by_condition[condition][loss] = alike
    conditions = []
    for condition in sorted(by_condition, key=grouping.sort_key):
        losses = {
            loss: set().union(*(seeds[str(row["identity"])] for row in alike))
            for loss, alike in by_condition[condition].items()
        }
        ours = losses.pop(baseline, set())
        if shared := {loss: len(ours & theirs) for loss, theirs in losses.items() if ours & theirs}:
            settings = dict(zip(found.varying, condition, strict=True))
            reference = by_condition[condition][baseline][0]
            conditions.append(_Condition(settings, reference, tuple(shared), min(shared.values())))
    return conditions


def _detection(
    condition: _Condition,
    earlier: Sequence[RunRow],
    metric: Metric,
    baseline: str,
    comparisons: int,
    sd: float | None,
) -> Detection:
    spread = None
    if sd is None:
        spread = earlier_runs.spread(earlier, condition.reference, metric, baseline, condition.losses)
        sd = spread.sd if spread else None
    difference = None
    if sd is not None and condition.seeds >= statistics.FEWEST_SEEDS:
        difference = statistics.detectable(sd, condition.seeds, comparisons)
    return Detection(condition.settings, condition.seeds, sd, spread, difference)
