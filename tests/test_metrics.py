"""The metrics, against loops in plain Python and tables worked out by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossbench import metrics, softmax
from lossbench.config.schema import EarlyStopping
from lossbench.runs.paths import METRICS_COLUMNS
from lossbench.training import epochs

if TYPE_CHECKING:
    from collections.abc import Callable

HALF = math.log(0.5)
TABLE = {
    "certain and right": ([[0.0, -1e4]], [0], {"accuracy": 1, "nll": 0, "brier": 0, "ece": 0}),
    "certain and wrong": ([[0.0, -1e4]], [1], {"accuracy": 0, "nll": 1e4, "brier": 2, "ece": 1}),
    "a tie goes to the first class": ([[HALF, HALF]] * 2, [0, 1], {"accuracy": 0.5, "nll": -HALF, "brier": 0.5}),
    "one in four": (np.log([[0.7, 0.2, 0.1]] * 4), [0, 1, 1, 2], {"accuracy": 0.25, "ece": 0.45}),
}


def loops(log_probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Each metric as its definition reads, image by image."""
    total = {"accuracy": 0.0, "nll": 0.0, "brier": 0.0}
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(15)]
    for row, label in zip(log_probabilities.tolist(), labels.tolist(), strict=True):
        probabilities = [math.exp(value) for value in row]
        top = max(range(len(row)), key=lambda j: row[j])
        total["accuracy"] += top == label
        total["nll"] -= row[label]
        total["brier"] += sum((p - (j == label)) ** 2 for j, p in enumerate(probabilities))
        where = next(b for b in range(15) if probabilities[top] <= (b + 1) / 15 or b == 14)
        bins[where].append((probabilities[top], top == label))
    result = {name: value / len(labels) for name, value in total.items()}
    result["ece"] = sum(
        len(held) / len(labels) * abs(sum(c for _, c in held) / len(held) - sum(p for p, _ in held) / len(held))
        for held in bins
        if held
    )
    return result | class_loops(log_probabilities, labels)


def class_loops(log_probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """The means over classes, with sets of images; a class without images, or without both, is left out."""
    recalls, f1 = [], []
    for c in range(log_probabilities.shape[1]):
        true = {i for i, label in enumerate(labels) if label == c}
        predicted = {i for i, row in enumerate(log_probabilities.tolist()) if row.index(max(row)) == c}
        if true:
            recalls.append(len(true & predicted) / len(true))
        if true or predicted:
            f1.append(2 * len(true & predicted) / (len(true) + len(predicted)))
    return {"balanced_accuracy": sum(recalls) / len(recalls), "macro_f1": sum(f1) / len(f1)}


def test_every_metric_has_a_definition_here() -> None:
    """A metric without an independent definition is not tested."""
    log_probabilities, labels = np.log(np.full((4, 2), 0.5)), np.array([0, 1, 1, 1])
    for missing in metrics.METRICS.keys() - loops(log_probabilities, labels).keys():
        pytest.fail(f"metric {missing!r} has no definition in loops(): write one, image by image, without NumPy")


@pytest.mark.parametrize("metric", metrics.REPORTED.values(), ids=metrics.REPORTED)
def test_an_entry_says_what_is_true(metric: metrics.Metric) -> None:
    """Direction, range and what is judged are those of the function."""
    labels = np.arange(200) % 4
    hits = np.log(0.9 * np.eye(4)[labels] + 0.025)
    misses = np.log(0.9 * np.eye(4)[(labels + 1) % 4] + 0.025)
    good, bad = metric.function(hits, labels), metric.function(misses, labels)
    assert metric.gain(good) > metric.gain(bad), f"{metric.name}: direction says that wrong predictions are better"
    bounds = {"nats": (0, math.inf), "0 to 2": (0, 2)}.get(metric.unit, (0, 1))
    assert all(bounds[0] <= value <= bounds[1] for value in (good, bad)), f"{metric.name}: not in its unit's range"
    sharper = metric.function(softmax.log_softmax(3 * hits), labels)
    judged = "labels" if sharper == good else "probabilities"
    assert metric.judges == judged, f"{metric.name}: judges says {metric.judges!r}, but it judges {judged}"
    assert metric.is_share or not metric.in_percent, f"{metric.name}: only a value from 0 to 1 can be in percent"


@pytest.mark.parametrize("metric", metrics.METRICS.values(), ids=metrics.METRICS)
def test_a_metric_can_be_monitored_and_is_a_column(metric: metrics.Metric) -> None:
    """Early stopping takes it, in its own direction; `metrics.csv` has it after each epoch."""
    column = f"val_{metric.name}"
    assert column in METRICS_COLUMNS
    stopping = EarlyStopping(monitor=column, patience=2)
    rising = [{column: value} for value in (0.1, 0.2, 0.3)]
    falls_are_better = metric.direction == "lower"
    assert epochs.is_over(rising, stopping) == falls_are_better
    assert epochs.is_over(rising[::-1], stopping) != falls_are_better


@pytest.mark.parametrize("metric", metrics.SCALED.values(), ids=metrics.SCALED)
def test_a_scaled_metric_is_one_of_the_others_at_another_temperature(metric: metrics.Metric) -> None:
    """Its name, function, unit and direction are those of the metric that it is scaled from."""
    original = metrics.METRICS[metric.scaled_from]
    assert metric.name == f"{original.name}_scaled"
    assert (metric.function, metric.unit, metric.direction) == (original.function, original.unit, original.direction)


@pytest.mark.parametrize(("log_probabilities", "labels", "expected"), TABLE.values(), ids=TABLE)
def test_values_worked_out_by_hand(log_probabilities: list, labels: list, expected: dict[str, float]) -> None:
    """Small cases have the values that a pencil gives."""
    actual = metrics.evaluate(np.array(log_probabilities, dtype=float), np.array(labels))
    assert expected == pytest.approx({name: actual[name] for name in expected})


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(2, 12), st.floats(0.1, 20))
def test_equal_their_definitions(seed: int, images: int, classes: int, spread: float) -> None:
    """On random predictions every metric equals a loop over the images."""
    random = np.random.default_rng(seed)
    log_probabilities = softmax.log_softmax(random.normal(0, spread, (images, classes)))
    labels = random.integers(0, classes, images)
    assert loops(log_probabilities, labels) == pytest.approx(metrics.evaluate(log_probabilities, labels), abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "labels", "predicted", "expected"),
    [
        (metrics.balanced_accuracy, [0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1], 0.625),
        (metrics.macro_f1, [0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1], 4 / 15),
    ],
)
def test_the_examples_of_scikit_learn(metric: Callable, labels: list, predicted: list, expected: float) -> None:
    """The documentation of balanced_accuracy_score gives 0.625, that of the macro F1 4/15."""
    assert metric(np.log(np.eye(3)[predicted] + 0.01), np.array(labels)) == pytest.approx(expected)


def test_a_class_without_images_is_left_out_of_the_means() -> None:
    """Of classes 0 to 3, 2 is only predicted and 3 is neither: recall has two terms, F1 has three."""
    log_probabilities, labels = np.log(np.eye(4)[[0, 0, 1, 2]] + 0.01), np.array([0, 0, 1, 1])
    assert metrics.balanced_accuracy(log_probabilities, labels) == pytest.approx((1 + 1 / 2) / 2)
    assert metrics.macro_f1(log_probabilities, labels) == pytest.approx((1 + 2 / 3 + 0) / 3)


@given(st.integers(0, 2**32 - 1), st.floats(-1e3, 1e3))
def test_log_softmax_does_not_see_a_shift(seed: int, shift: float) -> None:
    """Adding a number to all logits changes nothing, and the probabilities sum to one."""
    logits = np.random.default_rng(seed).normal(size=(5, 10))
    expected = softmax.log_softmax(logits)
    assert expected == pytest.approx(softmax.log_softmax(logits + shift), abs=1e-10)
    assert np.exp(expected).sum(axis=1) == pytest.approx(np.ones(5))


def test_log_softmax_stays_finite_at_huge_logits() -> None:
    """Logits of ±1e4, as float32, give the exact difference, in float64."""
    actual = softmax.log_softmax(np.array([[1e4, -1e4]], dtype=np.float32))
    assert actual.dtype == np.float64
    assert actual.tolist() == [[0.0, -2e4]]


def test_no_number_stays_no_number() -> None:
    """NaN or infinite logits give NaN metrics without a warning."""
    log_probabilities = softmax.log_softmax(np.array([[math.nan, 1.0], [math.inf, 0.0]]))
    values = metrics.evaluate(log_probabilities, np.array([0, 0]))
    assert all(math.isnan(values[name]) for name in ("nll", "brier", "ece"))


def test_confusion_counts_true_by_row() -> None:
    """Rows are true classes, columns predicted ones, uint8 labels do not overflow, absent classes count zero."""
    predicted, labels = np.array([19, 19, 0, 1], np.uint8), np.array([19, 18, 0, 0], np.uint8)
    actual = metrics.confusion(predicted, labels, 20)
    expected = np.zeros((20, 20), int)
    expected[19, 19] = expected[18, 19] = expected[0, 0] = expected[0, 1] = 1
    assert expected.tolist() == actual.tolist()


def test_per_class_by_hand() -> None:
    """Precision, recall and F1 of a 3 × 3 table, one class never seen and never predicted."""
    scores = metrics.per_class(np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]]))
    expected = [(0, 6 / 7, 6 / 8, 12 / 15, 8), (1, 3 / 5, 3 / 4, 6 / 9, 4), (2, 0, 0, 0, 0)]
    assert [pytest.approx(row) for row in expected] == [tuple(row) for row in scores]


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    """Bins are closed on the right: 7/15 stands with 0.44, and right and wrong cancel but for 0.5 - 0.4533."""
    confidences = np.array([7 / 15, 0.44])
    assert np.exp(np.log(confidences))[0] == np.linspace(0, 1, 16)[7]
    log_probabilities = np.log(np.stack([confidences, 0.3 * np.ones(2), 0.7 - confidences], axis=1))
    assert metrics.ece(log_probabilities, np.array([0, 1])) == pytest.approx(0.5 - confidences.mean())


def evaluate_scaled(logits: np.ndarray, labels: np.ndarray, temperature: float) -> dict[str, float]:
    """The scaled metrics at a temperature."""
    return metrics.evaluate(softmax.log_softmax(logits / temperature), labels, metrics.SCALED)


def noisy(seed: int, images: int = 60, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Logits that lean towards the labels, and among the labels some that are wrong."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, images)
    logits = random.normal(0, 2, (images, classes)) + 3 * np.eye(classes)[labels]
    return logits, np.where(random.random(images) < 0.3, (labels + 1) % classes, labels)


@given(st.integers(0, 2**32 - 1), st.floats(-4, 4))
@settings(deadline=None)
def test_the_temperature_is_where_scipy_finds_the_least_nll(seed: int, exponent: float) -> None:
    """Also where logits are ten thousand times as large or as small as usual."""
    from scipy.optimize import minimize_scalar

    logits, labels = noisy(seed)
    logits *= 10**exponent
    log_probabilities = softmax.log_softmax(logits)

    def scaled_nll(log_temperature: float) -> float:
        return evaluate_scaled(logits, labels, math.exp(log_temperature))["nll_scaled"]

    around = exponent * math.log(10)
    best = minimize_scalar(scaled_nll, bounds=(around - 6, around + 6), method="bounded", options={"xatol": 1e-10})
    actual = softmax.temperature(log_probabilities, labels)
    assert scaled_nll(math.log(actual)) <= best.fun + 1e-12
    assert softmax.temperature(logits, labels) == pytest.approx(actual, rel=1e-6)


def test_a_temperature_worked_out_by_hand() -> None:
    """Three of four right: the best probability of logits (z, 0) is 3/4, so z/T = log 3."""
    logits, labels = np.array([[9.0, 0.0]] * 4), np.array([0, 0, 0, 1])
    assert softmax.temperature(logits, labels) == pytest.approx(9 / math.log(3), rel=1e-9)
    expected = {"nll_scaled": -(3 * math.log(0.75) + math.log(0.25)) / 4, "ece_scaled": 0}
    assert expected == pytest.approx(evaluate_scaled(logits, labels, 9 / math.log(3)))


def test_true_probabilities_need_no_scaling() -> None:
    """Labels drawn from the probabilities themselves give a temperature near 1."""
    random = np.random.default_rng(0)
    log_probabilities = softmax.log_softmax(random.normal(0, 2, (20_000, 4)))
    labels = (np.exp(log_probabilities).cumsum(axis=1) < random.random((20_000, 1))).sum(axis=1)
    assert softmax.temperature(log_probabilities, labels) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    ("logits", "labels", "expected"),
    [
        ([[5.0, 0.0], [0.0, 1e4]], [0, 1], 1),
        ([[0.0, 0.0], [0.0, 0.0]], [0, 1], 1),
        ([[5.0, 0.0], [0.0, 1e4]], [1, 0], 1e6),
        ([[1e300, 0.0], [1.0, 0.0]], [0, 1], 1e6),
        ([[math.nan, 0.0], [1.0, 0.0]], [0, 1], math.nan),
        ([[-math.inf, 0.0], [1.0, 0.0]], [1, 1], math.nan),
    ],
    ids=["all right", "all equal", "all wrong", "huge", "no number", "infinite"],
)
def test_temperatures_where_no_finite_one_is_best(logits: list, labels: list, expected: float) -> None:
    """Nothing to sharpen by is 1, no better than chance is the highest, no number is no number; no warning."""
    actual = softmax.temperature(np.array(logits), np.array(labels))
    assert actual == pytest.approx(expected, nan_ok=True)
    if math.isfinite(actual):
        scaled = evaluate_scaled(np.array(logits), np.array(labels), actual)
        assert all(math.isfinite(value) for value in scaled.values())
