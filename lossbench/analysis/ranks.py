"""Mean ranks of losses over the conditions of a comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lossbench import statistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lossbench.analysis.result import Comparison, Group
    from lossbench.metrics import Metric

FEWEST_CONDITIONS, FEWEST_LOSSES = 4, 3
ROUNDING = 1e-9


@dataclass(frozen=True)
class MeanRanks:
    """Losses ranked within each condition by one metric.

    Attributes:
        metric: The metric.
        conditions: Number of conditions.
        labels: Losses with a result in every condition, the best mean rank first; empty if there are fewer than three.
        ranks: Mean rank of each; 1 is the best.
        critical: The difference of two mean ranks from which the losses are shown to differ; inf if none is.
        left_out: The other losses, and why each is left out.
    """

    metric: Metric
    conditions: int
    labels: tuple[str, ...]
    ranks: tuple[float, ...]
    critical: float
    left_out: Mapping[str, str]

    @property
    def last(self) -> tuple[int, ...]:
        """For each loss, the index of the last one that is not shown to differ from it."""
        limit = self.critical - ROUNDING
        return tuple(max(i for i, far in enumerate(self.ranks) if far - near < limit) for near in self.ranks)


def mean_ranks(comparison: Comparison, metric: Metric) -> MeanRanks | None:
    """Return mean ranks over conditions; None with fewer than four conditions or three losses.

    A loss with diverged runs is the last in that condition, as a diverged run loses against a completed one. A loss
    that lacks a result in a condition is left out, and so is one that no verdict may compare with the others.
    """
    conditions = [{group.label: group for group in block.groups} for block in comparison.blocks]
    labels = dict.fromkeys(label for condition in conditions for label in condition)
    if len(conditions) < FEWEST_CONDITIONS or len(labels) < FEWEST_LOSSES:
        return None
    left_out = {label: why for label in labels if (why := _why_left_out(comparison, conditions, label, metric))}
    ranked = [label for label in labels if label not in left_out]
    if len(ranked) < FEWEST_LOSSES:
        return MeanRanks(metric, len(conditions), (), (), math.inf, left_out)
    scores = np.array([[_score(condition[label], metric) for label in ranked] for condition in conditions])
    ranks = statistics.mean_ranks(scores)
    order = np.argsort(ranks, kind="stable")
    return MeanRanks(
        metric=metric,
        conditions=len(conditions),
        labels=tuple(ranked[index] for index in order),
        ranks=tuple(ranks[order].tolist()),
        critical=statistics.critical_difference(len(conditions), len(ranked), statistics.ALPHA),
        left_out=left_out,
    )


def _why_left_out(comparison: Comparison, conditions: Sequence[Mapping[str, Group]], label: str, metric: Metric) -> str:
    """Return why a loss cannot be ranked; empty if it can."""
    groups = [condition[label] for condition in conditions if label in condition]
    if metric.needs_softmax and any(group.link != "softmax" for group in groups):
        return "trains no softmax probabilities, or does not declare them"
    if any(group.unlike for group in groups) or (comparison.baseline is None and comparison.unlike):
        return "not alike"
    lacking = len(conditions) - sum(
        group.metrics[metric.name].mean is not None or bool(group.diverged) for group in groups
    )
    return f"missing in {lacking} of {len(conditions)} conditions" if lacking else ""


def _score(group: Group, metric: Metric) -> float:
    """Return a group's mean, negated where lower is better; -inf if runs diverged."""
    mean = group.metrics[metric.name].mean
    return -np.inf if group.diverged or mean is None else metric.gain(mean)
