"""The measures that rank losses: NumPy functions of log-probabilities and labels, and one table of them.

None depends on the loss that was trained. `log_probabilities` is `[images, classes]` float64, `labels` is `[images]`
integers in `0 .. classes - 1`; a prediction is the most probable class, the first one where several are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.integer[Any]]

ECE_BINS = 15
LOG_TEMPERATURE, BISECTIONS = np.log(1e6), 48


def log_softmax(logits: NDArray[np.floating[Any]]) -> Floats:
    """Log-probabilities of logits: z - max z - log Σ exp(z - max z), in float64."""
    wide = np.asarray(logits, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # an infinite logit has no softmax: its row is NaN
        shifted = wide - wide.max(axis=-1, keepdims=True)
    normalised: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return normalised


def accuracy(log_probabilities: Floats, labels: Labels) -> float:
    """Share of images whose most probable class is their label."""
    return float(np.mean(log_probabilities.argmax(axis=1) == labels))


def nll(log_probabilities: Floats, labels: Labels) -> float:
    """Negative log-likelihood: the mean of -log p_y, in nats."""
    return float(-log_probabilities[np.arange(len(labels)), labels].mean())


def brier(log_probabilities: Floats, labels: Labels) -> float:
    """Brier score: the mean of Σ_j (p_j - e_j)², from 0 to 2.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950.
    """
    one_hot = np.eye(log_probabilities.shape[1])[labels]
    return float(np.square(np.exp(log_probabilities) - one_hot).sum(axis=1).mean())


def ece(log_probabilities: Floats, labels: Labels) -> float:
    """Expected calibration error: Σ_b n_b/n · abs(accuracy_b - confidence_b) over 15 bins ((b-1)/15, b/15].

    The confidence of an image is the probability of its most probable class.

    Source: Guo et al., "On calibration of modern neural networks", 2017.
    """
    confidence = np.exp(log_probabilities.max(axis=1))
    correct = log_probabilities.argmax(axis=1) == labels
    gaps = np.bincount(ece_bins(confidence), weights=correct - confidence, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def ece_bins(confidence: Floats) -> NDArray[np.intp]:
    """The bin of each confidence, from 0: ((b-1)/15, b/15] is bin b - 1."""
    edges = np.linspace(0, 1, ECE_BINS + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, ECE_BINS - 1)


@dataclass(frozen=True)
class Metric:
    """A measure: its name in files, its title in tables, its function, its unit, and which direction is better."""

    name: str
    title: str
    function: Callable[[Floats, Labels], float]
    unit: str
    direction: Literal["higher", "lower"]


def _table(*metrics: Metric) -> Mapping[str, Metric]:
    return MappingProxyType({metric.name: metric for metric in metrics})


METRICS = _table(
    Metric("accuracy", "accuracy", accuracy, "share of images", "higher"),
    Metric("nll", "NLL", nll, "nats", "lower"),
    Metric("brier", "Brier", brier, "0 to 2", "lower"),
    Metric("ece", "ECE", ece, "0 to 1", "lower"),
)
"""Of the probabilities as a network gives them."""

SCALED = _table(
    Metric("nll_scaled", "NLL scaled", nll, "nats", "lower"),
    Metric("ece_scaled", "ECE scaled", ece, "0 to 1", "lower"),
)
"""Of the probabilities softmax(z/T) at the `temperature` of the validation images."""

REPORTED: Mapping[str, Metric] = MappingProxyType({**METRICS, **SCALED})


def evaluate(log_probabilities: Floats, labels: Labels) -> dict[str, float]:
    """Every metric of the first table, by name."""
    return {name: metric.function(log_probabilities, labels) for name, metric in METRICS.items()}


def evaluate_scaled(log_probabilities: Floats, labels: Labels, temperature: float) -> dict[str, float]:
    """Every metric of the second table, by name, at a temperature."""
    scaled = log_softmax(log_probabilities / temperature)
    return {name: metric.function(scaled, labels) for name, metric in SCALED.items()}


def temperature(log_probabilities: Floats, labels: Labels) -> float:
    """The T that minimises the NLL of softmax(z/T), where z may be logits or log-probabilities.

    The NLL is convex in β = 1/T and its slope, mean_i (Σ_j p_j z_j - z_y), grows with β: T is found by bisection. A
    sigmoid or margin loss is given its best softmax in this way; accuracy does not depend on T.

    Returns:
        T between 1e-6 and 1e6; these ends where no T between them is best, as 1e6 for a network no better than chance.
        1 where every label is the most probable class already, since the NLL then falls for ever as T does; NaN where a
        value is not finite.

    Example:
        >>> round(temperature(np.array([[9.0, 0.0]] * 4), np.array([0, 0, 0, 1])), 3)  # 9/T = log 3
        8.192

    Source: Guo et al., "On calibration of modern neural networks", 2017.
    """
    if not np.isfinite(log_probabilities).all():
        return float("nan")
    shifted = log_probabilities - log_probabilities.max(axis=1, keepdims=True)
    true = shifted[np.arange(len(labels)), labels]
    if not true.any():
        return 1.0
    low, high = -LOG_TEMPERATURE, LOG_TEMPERATURE
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        weights = np.exp(shifted * np.exp(-middle))
        expected = (weights * shifted).sum(axis=1) / weights.sum(axis=1)
        low, high = (middle, high) if expected.mean() > true.mean() else (low, middle)
    return float(np.exp((low + high) / 2))


def confusion(predicted: Labels, labels: Labels, classes: int) -> NDArray[np.int64]:
    """Counts `[classes, classes]`: row = true class, column = predicted class."""
    pairs = labels.astype(np.int64) * classes + predicted.astype(np.int64)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


class ClassScores(NamedTuple):
    """How one class fared; a share of nothing (0/0) is 0."""

    label: int
    precision: float
    recall: float
    f1: float
    support: int


def per_class(confusion: NDArray[np.integer[Any]]) -> list[ClassScores]:
    """Precision, recall, F1 and support of each class, from the counts of `confusion`."""
    hits, predicted, support = confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)
    precision, recall = _share(hits, predicted), _share(hits, support)
    f1 = _share(2 * hits, predicted + support)
    return [
        ClassScores(label, float(precision[label]), float(recall[label]), float(f1[label]), int(support[label]))
        for label in range(len(confusion))
    ]


def _share(part: NDArray[np.integer[Any]], whole: NDArray[np.integer[Any]]) -> Floats:
    share: Floats = np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
    return share
