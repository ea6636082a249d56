"""The metric table, and each metric as a NumPy function of log-probabilities and labels.

To add a metric, write its function and one entry in `METRICS`. Files, options, early stopping, tables, plots and help
follow from the entry.

No metric depends on the loss that was trained. `log_probabilities` is `[images, classes]` float64, `labels` is
`[images]` integers in `0 .. classes - 1`. The predicted class is the most probable one; of equal ones, the first.

Functions import NumPy themselves: every command reads the table when it starts, and importing NumPy takes as long as
everything else that a command imports to parse its arguments (0.15 s each, n = 6, 2 cores).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from lossbench.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from lossbench.softmax import Floats, Labels

ECE_BINS = 15


def accuracy(log_probabilities: Floats, labels: Labels) -> float:
    """Return the share of images whose most probable class is their label."""
    return float((log_probabilities.argmax(axis=1) == labels).mean())


def nll(log_probabilities: Floats, labels: Labels) -> float:
    """Return the negative log-likelihood: the mean of -log p_y, in nats."""
    import numpy as np

    return float(-log_probabilities[np.arange(len(labels)), labels].mean())


def brier(log_probabilities: Floats, labels: Labels) -> float:
    """Return the Brier score: the mean of Σ_j (p_j - e_j)², from 0 to 2.

    Source: Brier (1950). Verification of forecasts expressed in terms of probability.
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """
    import numpy as np

    one_hot = np.eye(log_probabilities.shape[1])[labels]
    return float(np.square(np.exp(log_probabilities) - one_hot).sum(axis=1).mean())


def ece(log_probabilities: Floats, labels: Labels) -> float:
    """Return the expected calibration error: Σ_b n_b/n · abs(accuracy_b - confidence_b) over 15 bins ((b-1)/15, b/15].

    The confidence of an image is the probability of its most probable class.

    Source: Guo et al. (2017). On calibration of modern neural networks. arXiv:1706.04599.
    """
    import numpy as np

    confidence = np.exp(log_probabilities.max(axis=1))
    correct = log_probabilities.argmax(axis=1) == labels
    gaps = np.bincount(ece_bins(confidence), weights=correct - confidence, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def balanced_accuracy(log_probabilities: Floats, labels: Labels) -> float:
    """Return the mean recall over classes. A class without images has no recall and is left out.

    Source: Brodersen et al. (2010). The balanced accuracy and its posterior distribution. doi:10.1109/ICPR.2010.764.
    """
    counts = _counts(log_probabilities, labels)
    return float(CLASS_METRICS["recall"].function(counts)[counts.any(axis=1)].mean())


def macro_f1(log_probabilities: Floats, labels: Labels) -> float:
    """Return the mean F1 over classes. A class that is neither a label nor a prediction has no F1 and is left out.

    Source: Opitz and Burst (2019). Macro F1 and macro F1. arXiv:1911.03347 (the mean of F1 scores).
    """
    counts = _counts(log_probabilities, labels)
    return float(CLASS_METRICS["f1"].function(counts)[counts.any(axis=0) | counts.any(axis=1)].mean())


def train_seconds(_log_probabilities: Floats, _labels: Labels) -> float:
    """Return the seconds of the training steps, compilation included; read from `run.json`, not from predictions."""
    raise TypeError("training time is measured while training; no function of predictions")


def ece_bins(confidence: Floats) -> NDArray[np.intp]:
    """Return the bin of each confidence, from 0: ((b-1)/15, b/15] is bin b - 1."""
    import numpy as np

    edges = np.linspace(0, 1, ECE_BINS + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, ECE_BINS - 1)


def confusion(predicted: Labels, labels: Labels, classes: int) -> NDArray[np.int64]:
    """Return counts `[classes, classes]`: row = true class, column = predicted class."""
    import numpy as np

    pairs = labels.astype(np.int64) * classes + predicted.astype(np.int64)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


@dataclass(frozen=True)
class ClassMetric:
    """A share of images for each class; `function` takes the counts of `confusion`."""

    title: str
    function: Callable[[NDArray[np.integer[Any]]], Floats]


CLASS_METRICS: Mapping[str, ClassMetric] = MappingProxyType(
    {
        "precision": ClassMetric("precision", lambda counts: _share(counts.diagonal(), counts.sum(axis=0))),
        "recall": ClassMetric("recall", lambda counts: _share(counts.diagonal(), counts.sum(axis=1))),
        "f1": ClassMetric("F1", lambda counts: _share(2 * counts.diagonal(), counts.sum(axis=0) + counts.sum(axis=1))),
    }
)
"""Columns of `per_class.csv`, named `recall.5` for class 5; a share of nothing (0/0) is 0."""


def per_class(counts: NDArray[np.integer[Any]]) -> list[tuple[float, ...]]:
    """Compute the rows of `per_class.csv` from the counts of `confusion`: class, each class metric, images."""
    scores = (metric.function(counts).tolist() for metric in CLASS_METRICS.values())
    return list(zip(range(len(counts)), *scores, counts.sum(axis=1).tolist(), strict=True))


def _counts(log_probabilities: Floats, labels: Labels) -> NDArray[np.int64]:
    return confusion(log_probabilities.argmax(axis=1), labels, log_probabilities.shape[1])


def _share(part: NDArray[np.integer[Any]], whole: NDArray[np.integer[Any]]) -> Floats:
    import numpy as np

    share: Floats = np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
    return share


@dataclass(frozen=True)
class Metric:
    """A number that measures a classifier, whatever loss it was trained with.

    Attributes:
        name: Its name in files and options.
        title: Its name in tables, plots and help.
        function: Computes it from log-probabilities and labels.
        unit: The unit, or the range of values.
        direction: Which values are better.
        judges: `labels` if only the predicted class counts, `probabilities` if the probabilities do, `machine` if it
            depends on the computer.
        in_percent: Whether tables show it multiplied by 100.
        is_default: Whether comparisons and summaries show it unless they are given other metrics.
        scaled_from: The metric of which this is the variant at a fitted temperature; empty for all others.
    """

    name: str
    title: str
    function: Callable[[Floats, Labels], float] = field(compare=False)
    unit: Literal["share of images", "0 to 1", "0 to 2", "nats", "seconds"]
    direction: Literal["higher", "lower"]
    judges: Literal["labels", "probabilities", "machine"]
    in_percent: bool = False
    is_default: bool = False
    scaled_from: str = ""

    @property
    def is_share(self) -> bool:
        """Whether values lie between 0 and 1, so that a difference may be given in percentage points."""
        return self.unit in {"share of images", "0 to 1"}

    @property
    def needs_softmax(self) -> bool:
        """Whether it judges probabilities as the network gives them, which only a softmax loss trains."""
        return self.judges == "probabilities" and not self.scaled_from

    def gain(self, difference: float) -> float:
        """Return `difference` with the sign that makes an improvement positive."""
        return difference if self.direction == "higher" else -difference


def _table(*metrics: Metric) -> Mapping[str, Metric]:
    return MappingProxyType({metric.name: metric for metric in metrics})


METRICS = _table(
    Metric("accuracy", "accuracy", accuracy, "share of images", "higher", "labels", in_percent=True, is_default=True),
    Metric("nll", "NLL", nll, "nats", "lower", "probabilities", is_default=True),
    Metric("brier", "Brier", brier, "0 to 2", "lower", "probabilities", is_default=True),
    Metric("ece", "ECE", ece, "0 to 1", "lower", "probabilities", is_default=True),
    Metric("macro_f1", "macro F1", macro_f1, "0 to 1", "higher", "labels", in_percent=True),
    Metric("balanced_accuracy", "balanced accuracy", balanced_accuracy, "0 to 1", "higher", "labels", in_percent=True),
)
"""Metrics of the probabilities as a network gives them; measured after each epoch and on the test set."""

SCALED = _table(
    Metric("nll_scaled", "NLL scaled", nll, "nats", "lower", "probabilities", scaled_from="nll"),
    Metric("ece_scaled", "ECE scaled", ece, "0 to 1", "lower", "probabilities", scaled_from="ece"),
)
"""Metrics of the probabilities softmax(z/T), T being the `temperature` of the validation images."""

REPORTED: Mapping[str, Metric] = MappingProxyType({**METRICS, **SCALED})

COSTS = _table(
    Metric("train_seconds", "training time", train_seconds, "seconds", "lower", "machine"),
)
"""What a run cost, from `seconds` in `run.json`; shown only where it is named, and comparable on one machine only."""

DEFAULTS = tuple(name for name, metric in METRICS.items() if metric.is_default)
"""The metrics that comparisons and summaries show unless they are given others; the first carries the verdict."""

BEST_EPOCH = ("accuracy", "nll")
"""The metrics that choose the best epoch on the validation images: the first decides, the second breaks ties."""

_FIRST, *_OTHERS = METRICS
VALIDATION_COLUMNS = (f"val_{_FIRST}", "val_loss", *(f"val_{name}" for name in _OTHERS))
"""The columns of `metrics.csv` that early stopping can monitor. A smaller `val_loss` is better."""


def find(name: str) -> Metric:
    """Return the metric of a name: of `REPORTED` or `COSTS`, or a class metric of one class such as `recall.5`.

    Raises:
        UsageError: No metric has the name, or it ranks nothing: `loss`, `val_loss`.
    """
    if name in {"loss", "val_loss"}:
        raise UsageError(
            f"metric {name!r}: the losses of two losses are different quantities, so they rank nothing; "
            f"choose {', '.join(METRICS)}"
        )
    if known := {**REPORTED, **COSTS}.get(name):
        return known
    kind, _, digits = name.partition(".")
    if kind in CLASS_METRICS and re.fullmatch("[0-9]{1,4}", digits):
        return _of_class(CLASS_METRICS[kind], kind, int(digits))
    names = ", ".join([*REPORTED, *COSTS, *(f"{each}.CLASS" for each in CLASS_METRICS)])
    raise UsageError(
        f"metric {name!r}: expected one of {names}, e.g. recall.5{did_you_mean(name, [*REPORTED, *COSTS])}"
    )


def _of_class(metric: ClassMetric, kind: str, index: int) -> Metric:
    def function(log_probabilities: Floats, labels: Labels) -> float:
        return float(metric.function(_counts(log_probabilities, labels))[index])

    name, title = f"{kind}.{index}", f"{metric.title} of {index}"
    return Metric(name, title, function, "0 to 1", "higher", "labels", in_percent=True)


def evaluate(log_probabilities: Floats, labels: Labels, table: Mapping[str, Metric] = METRICS) -> dict[str, float]:
    """Return every metric of a table by name."""
    return {name: metric.function(log_probabilities, labels) for name, metric in table.items()}
