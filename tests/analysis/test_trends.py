"""Conditions that have a size, put in a row: what belongs together, and what must stay apart."""

import pytest

from lossbench.analysis import comparison, loading
from lossbench.analysis.query import Query
from lossbench.analysis.trends import trends


def found(runs, **query):
    return trends(comparison.compare(loading.rows([runs])[0], Query(**query)), "accuracy")


def noise(rate, kind="symmetric"):
    return {"data.label_noise": rate and {"type": kind, "rate": rate, "include_self": False}}


def imbalance(ratio):
    return {"data.imbalance": ratio and {"type": "step", "ratio": ratio, "minority_classes": 5}}


@pytest.fixture
def study(fabricate, tmp_path):
    """Write runs of two losses under each of some conditions, and return their folder."""

    def write(*conditions, labels=("categorical_crossentropy", "focal")):
        for place, condition in enumerate(conditions):
            for label in labels:
                for seed in (0, 1):
                    fabricate(tmp_path / "runs", label, seed, strength=5 - place / 2, images=100, config=condition)
        return tmp_path / "runs"

    return write


def test_no_noise_is_noise_of_size_zero(study):
    """Three sizes, ascending, each with the estimate of its own block."""
    runs = study(noise(0.4), noise(None), noise(0.2))
    (trend,) = found(runs)
    assert (trend.key, trend.sizes, trend.baseline) == (
        "data.label_noise.rate",
        (0, 0.2, 0.4),
        "categorical_crossentropy",
    )
    compared = comparison.compare(loading.rows([runs])[0], Query())
    means = {
        block.condition["data.label_noise.rate"] or 0: group.metrics["accuracy"].mean
        for block in compared.blocks
        for group in block.groups
        if group.label == "focal"
    }
    assert [estimate.mean for estimate in trend.lines["focal"]] == [means[size] for size in trend.sizes]


def test_balanced_classes_are_an_imbalance_of_one(study):
    """And a number that only comes with the imbalance makes no trend of its own."""
    (trend,) = found(study(imbalance(None), imbalance(10.0), imbalance(100.0)))
    assert (trend.key, trend.sizes) == ("data.imbalance.ratio", (1, 10, 100))


def test_kinds_of_noise_stay_apart_and_share_the_clean_runs(study):
    """Symmetric and pair noise: a trend each, both from zero on."""
    kinds = {
        trend.condition["data.label_noise.type"]: trend.sizes
        for trend in found(study(noise(None), noise(0.2), noise(0.4), noise(0.3, "pair")))
    }
    assert kinds == {"symmetric": (0, 0.2, 0.4), "pair": (0, 0.3)}


def test_noise_and_imbalance_do_not_mix(study):
    """Clean, noisy and imbalanced runs: each trend has the clean runs and its own."""
    runs = study({}, noise(0.4), imbalance(10.0))
    assert {trend.key: trend.sizes for trend in found(runs)} == {
        "data.imbalance.ratio": (1, 10),
        "data.label_noise.rate": (0, 0.4),
    }


def test_any_number_that_varies_is_a_size(study):
    """The number of training images, here."""
    (trend,) = found(study({"data.train_size": 500}, {"data.train_size": 2000}))
    assert (trend.key, trend.sizes) == ("data.train_size", (500, 2000))


def test_one_size_is_no_trend(study):
    """Nor is a text that varies."""
    assert found(study(noise(0.4))) == []
    assert found(study(noise(0.4), noise(0.4, "pair"))) == []


def test_a_loss_that_lacks_a_size_has_a_gap(study):
    """None where it has no run."""
    study(noise(None), noise(0.2))
    (trend,) = found(study(noise(None), noise(0.2), noise(0.4), labels=("categorical_crossentropy",)))
    assert trend.lines["focal"][2] is None
    assert trend.lines["focal"][0].mean is not None
