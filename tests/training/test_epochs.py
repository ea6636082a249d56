"""Which epoch is best, when to stop early, when a run has diverged."""

import math

import pytest

from lossbench.config.schema import EarlyStopping
from lossbench.training import epochs


def rows(accuracies, nlls=None):
    nlls = nlls or [1.0] * len(accuracies)
    return [{"val_accuracy": a, "val_nll": n, "loss": 0.5} for a, n in zip(accuracies, nlls, strict=True)]


@pytest.mark.parametrize(
    ("accuracies", "nlls", "best"),
    [
        ([0.1, 0.9, 0.5], [1, 1, 1], 1),
        ([0.9, 0.9, 0.5], [2, 1, 0], 1),
        ([0.9, 0.9, 0.9], [1, 1, 1], 0),
        ([None, None], [None, None], None),
        ([], [], None),
    ],
)
def test_best_is_highest_accuracy_then_lowest_nll_then_earliest(accuracies, nlls, best):
    """Without validation there is no best."""
    assert epochs.best_epoch(rows(accuracies, nlls)) == best


@pytest.mark.parametrize(
    ("accuracies", "over"),
    [([], False), ([0.9], False), ([0.9, 0.8], False), ([0.9, 0.8, 0.9], True), ([0.9, 0.8, 0.91, 0.8], False)],
)
def test_early_stopping_waits_for_patience(accuracies, over):
    """Two epochs that are not better than the best end it; equal is not better."""
    assert epochs.is_over(rows(accuracies), EarlyStopping(patience=2)) == over


def test_early_stopping_on_a_measure_whose_less_is_better():
    """NLL falls: no stop; rises twice: stop."""
    stopping = EarlyStopping(monitor="val_nll", patience=2)
    assert not epochs.is_over(rows([0.5] * 3, [3.0, 2.0, 1.0]), stopping)
    assert epochs.is_over(rows([0.5] * 3, [1.0, 2.0, 3.0]), stopping)


@pytest.mark.parametrize(
    ("loss", "val_nll", "diverged"),
    [(1.0, 1.0, False), (math.nan, 1.0, True), (math.inf, None, True), (1.0, math.nan, True), (1.0, None, False)],
)
def test_what_is_not_finite_has_diverged(loss, val_nll, diverged):
    """In the training loss or in the validation NLL."""
    assert epochs.diverged({"loss": loss, "val_nll": val_nll}) == diverged
