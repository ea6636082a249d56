"""Expected best validation score against the number of trials, for the losses that a sweep has tuned."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lossbench.statistics import expected_best

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lossbench.analysis.result import Comparison
    from lossbench.metrics import Metric
    from lossbench.runs.rows import Scalar
    from lossbench.runs.tuning import TunedLoss, Tuning


@dataclass(frozen=True)
class TuningCurve:
    """Search for the best setting of a loss.

    Attributes:
        label: The loss.
        expected: Mean of the best of k settings over all subsets of k, for k = 1 … number of settings; NaN where a
            subset may have no setting without a diverged or failed run.
        means: Mean over seeds of each setting, the default first; NaN for one with such a run.
    """

    label: str
    expected: Sequence[float]
    means: Sequence[float]


@dataclass(frozen=True)
class TuningFigure:
    """Curves of the losses of one tuning in one condition; `name` is that of its validation metric."""

    name: str
    metric: Metric
    condition: Mapping[str, Scalar]
    seeds: tuple[int, ...]
    curves: tuple[TuningCurve, ...]


def tuning_figures(comparison: Comparison) -> Iterator[TuningFigure]:
    """Yield the curves of each tuning and condition, the loss with the best choice first."""
    for recorded in comparison.tunings:
        tuning = recorded.tuning
        conditions = {tuple(each.condition.items()): each.condition for each in tuning.losses}
        for condition in conditions.values():
            curves = [_curve(each, tuning) for each in tuning.losses if each.condition == condition]
            ranked = sorted(curves, key=lambda curve: _worst_last(tuning.of.gain(curve.expected[-1])))
            yield TuningFigure(tuning.metric, tuning.of, condition, tuning.seeds, tuple(ranked))


def _worst_last(gain: float) -> float:
    return math.inf if math.isnan(gain) else -gain


def _curve(tuned: TunedLoss, tuning: Tuning) -> TuningCurve:
    means = [each.mean for each in tuned.settings]
    gains = [-math.inf if mean is None else tuning.of.gain(mean) for mean in means]
    expected = [tuning.of.gain(each) if math.isfinite(each) else math.nan for each in expected_best(gains)]
    return TuningCurve(tuned.loss, expected, [np.nan if mean is None else mean for mean in means])
