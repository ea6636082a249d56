"""Tuning of a sweep: the settings that were tried for each loss in each condition, their scores, and the choice.

A choice is a function of the scores alone, so it does not matter in which order the runs were trained.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lossbench.metrics import METRICS
from lossbench.runs import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lossbench.metrics import Metric
    from lossbench.runs.decision import Score
    from lossbench.runs.rows import RunRow, Scalar

EDGE = 0.1
"""Share of a range at each end that counts as its edge."""

SUFFIX = " tuned"
"""What the label of a loss ends in where its best setting was trained."""


def tuned_label(loss: str) -> str:
    """Return the label of a loss whose best setting was trained.

    Example:
        >>> tuned_label("focal")
        'focal tuned'
    """
    return f"{loss}{SUFFIX}"


@dataclass(frozen=True)
class Setting:
    """A setting that was tried.

    Attributes:
        identity: Identity of its trials, which all seeds share, those of the comparison too.
        values: Values of the tuned keys; empty for the default.
        scores: Validation metric by seed, in the order of seeds; empty until every trial of the tuning has ended.
    """

    identity: str
    values: Mapping[str, Any]
    scores: tuple[Score, ...] = ()

    @property
    def mean(self) -> float | None:
        """Mean over seeds; None if a run has diverged or failed."""
        numbers = [score for score in self.scores if not isinstance(score, str)]
        return statistics.fmean(numbers) if numbers and len(numbers) == len(self.scores) else None


@dataclass(frozen=True)
class TunedLoss:
    """A loss in one condition with its settings.

    Attributes:
        loss: Label of the loss with its default setting.
        condition: The settings that make the condition.
        space: What was searched: a list or a distribution per key.
        columns: Columns in which runs of the settings differ from runs of the default, with the default's values.
        settings: The settings, the default first.
        choice: Number of the chosen setting; None until every trial of the tuning has ended.
    """

    loss: str
    condition: Mapping[str, Scalar]
    space: Mapping[str, Any]
    columns: Mapping[str, Scalar]
    settings: tuple[Setting, ...]
    choice: int | None = None

    @property
    def chosen(self) -> Setting:
        """The chosen setting; before there is one, the default."""
        return self.settings[self.choice or 0]

    @property
    def edges(self) -> tuple[str, ...]:
        """The keys whose chosen value lies at the edge of its space."""
        return tuple(key for key, value in self.chosen.values.items() if is_at_edge(value, self.space.get(key)))


@dataclass(frozen=True)
class Tuning:
    """Plan, scores and choices of a sweep that tunes.

    Attributes:
        metric: Name of the validation metric, e.g. `val_accuracy`.
        trials: Most settings per loss and condition, the default among them.
        seeds: The seeds of the tuning runs.
        losses: The losses in each condition.
    """

    metric: str
    trials: int
    seeds: tuple[int, ...]
    losses: tuple[TunedLoss, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every choice is made."""
        return all(each.choice is not None for each in self.losses)

    @property
    def of(self) -> Metric:
        """The metric, which is measured on validation images."""
        return METRICS[self.metric.removeprefix("val_")]

    @property
    def identities(self) -> tuple[str, ...]:
        """The identities of all settings, each once."""
        return tuple(dict.fromkeys(setting.identity for each in self.losses for setting in each.settings))

    @property
    def edges(self) -> Counter[str]:
        """The number of choices at an end of what was tried, by key."""
        return Counter(key for each in self.losses for key in each.edges)


def is_at_edge(value: Any, space: Any) -> bool:
    """Return whether a number is an end of a list, or in the outer tenth of a range; nothing lies below 0.

    Example:
        >>> is_at_edge(0.9, [0.3, 0.5, 0.9]), is_at_edge(0.02, {"log_uniform": [0.001, 0.1]})
        (True, False)
    """
    if not read.is_number(value):
        return False
    if isinstance(space, list):
        numbers = [each for each in space if read.is_number(each)]
        return len(numbers) > 1 and (value == max(numbers) or value == min(numbers) != 0)
    match space:
        case {"log_uniform": [low, high]}:
            place = math.log(value / low) / math.log(high / low)
        case {"uniform": [low, high]} | {"int_uniform": [low, high]}:
            place = (value - low) / (high - low)
        case _:
            return False
    return place >= 1 - EDGE or (place <= EDGE and low != 0)


def with_scores(tuning: Tuning, scores: Mapping[str, Sequence[Score]]) -> Tuning:
    """Make the choices.

    Args:
        tuning: The plan.
        scores: Scores by identity, in the order of seeds.
    """
    losses = []
    for each in tuning.losses:
        settings = tuple(replace(setting, scores=tuple(scores[setting.identity])) for setting in each.settings)
        losses.append(replace(each, settings=settings, choice=best(settings, tuning.of)))
    return replace(tuning, losses=tuple(losses))


def best(settings: Sequence[Setting], metric: Metric) -> int:
    """Return the number of the setting with the best mean; of equal ones the first, so that ties go to the default.

    A setting with diverged or failed runs is worse than every setting without.
    """
    lost = [sum(isinstance(score, str) for score in setting.scores) for setting in settings]
    gains = [None if setting.mean is None else metric.gain(setting.mean) for setting in settings]
    ranks = [(-number, float("-inf") if gain is None else gain) for number, gain in zip(lost, gains, strict=True)]
    return ranks.index(max(ranks))


def tuned_row(row: RunRow, tuned: TunedLoss) -> RunRow:
    """Return the row of a run of the chosen setting as one of the loss, alike to the default in every tuned key."""
    return {**row, **tuned.columns, "loss": tuned_label(tuned.loss)}
