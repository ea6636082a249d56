"""What plots show, recomputed by hand: bands over seeds, reliability, confusion and its difference."""

from pathlib import Path

import numpy as np
import pytest

from lossbench import metrics, softmax
from lossbench.analysis import comparison, figure_data, loading
from lossbench.analysis.query import Query
from lossbench.runs import read


def drawn(runs, **query):
    """The pictures of all runs in a folder, and the faults."""
    return figure_data.read_figures(comparison.compare(loading.rows([runs])[0], Query(**query)))


@pytest.fixture
def study(fabricate, tmp_path):
    """A baseline with three seeds, and a loss with two of them and one of its own."""
    folders = {}
    for label, strength, seeds in (("categorical_crossentropy", 5.0, (0, 1, 2)), ("focal", 3.0, (0, 1, 3))):
        for seed in seeds:
            folders[label, seed] = fabricate(tmp_path / "runs", label, seed, strength=strength)
    return tmp_path / "runs", folders


def test_a_band_is_mean_and_range_as_far_as_every_seed_goes():
    """Three seeds, one of which stopped after two epochs."""
    histories = [[{"a": 1.0}, {"a": 2.0}, {"a": 3.0}], [{"a": 2.0}, {"a": 2.0}], [{"a": 6.0}, {"a": 5.0}, {"a": 9.0}]]
    band = figure_data.band(histories, "a")
    assert (band.mean.tolist(), band.low.tolist(), band.high.tolist()) == ([3, 3], [1, 2], [6, 5])


@pytest.mark.parametrize("histories", [[], [[]], [[{"a": None}]], [[{}]], [[{"a": float("inf")}]]])
def test_without_values_there_is_no_band(histories):
    """No runs, no epochs, an empty column, no such column, nothing finite."""
    assert figure_data.band(histories, "a") is None


def test_reliability_gives_the_ece_back():
    """Σ share · abs(accuracy - confidence) over the bins is the ECE of all images together."""
    generator = np.random.default_rng(0)
    scores = softmax.log_softmax(generator.normal(size=(1000, 10)) * 3)
    labels = np.where(generator.random(1000) < 0.6, scores.argmax(axis=1), generator.integers(0, 10, 1000))
    right = scores.argmax(axis=1) == labels
    halves = [
        figure_data.binned(np.exp(scores.max(axis=1))[half], right[half]) for half in (slice(400), slice(400, None))
    ]
    found = figure_data.reliability(halves)
    assert np.nansum(found.share * np.abs(found.accuracy - found.confidence)) == pytest.approx(
        metrics.ece(scores, labels)
    )
    assert found.share.sum() == pytest.approx(1)
    assert np.isnan(found.accuracy[0])


def test_the_range_of_reliability_is_over_seeds():
    """In one bin: 3 of 4 right, then 1 of 2; an empty seed says nothing."""
    one = [figure_data.binned(np.full(n, 0.9), np.arange(n) < right) for n, right in ((4, 3), (2, 1))]
    none = figure_data.binned(np.full(5, 0.1), np.zeros(5, bool))
    found = figure_data.reliability([*one, none])
    place = 13  # (13/15, 14/15] holds 0.9
    assert (found.low[place], found.accuracy[place], found.high[place]) == (0.5, 4 / 6, 0.75)


def test_confusion_is_the_mean_share_over_seeds(study):
    """Each row of each matrix sums to one; the diagonal is the mean recall of per_class.csv."""
    runs, folders = study
    (picture,), faults = drawn(runs)
    assert faults == []
    for panel in picture.panels:
        of_loss = [folder for (label, _), folder in folders.items() if label == panel.group.label]
        recalls = [[row["recall"] for row in read.per_class(run) if row["at"] == "last"] for run in of_loss]
        assert panel.confusion.sum(axis=1) == pytest.approx(1)
        assert panel.confusion.diagonal() == pytest.approx(np.mean(recalls, axis=0))


def test_the_difference_is_over_shared_seeds(study):
    """Seeds 0 and 1, though each has another one; the baseline has none from itself."""
    runs, folders = study
    (picture,), _ = drawn(runs)
    panels = {panel.group.label: panel for panel in picture.panels}

    def share(label, seed):
        counts = read.confusion(folders[label, seed])["last"]
        return counts / counts.sum(axis=1, keepdims=True)

    expected = np.mean([share("focal", seed) - share("categorical_crossentropy", seed) for seed in (0, 1)], axis=0)
    assert panels["focal"].difference == pytest.approx(expected)
    assert panels["categorical_crossentropy"].difference is None
    assert picture.baseline is panels["categorical_crossentropy"]


def test_the_best_epoch_is_read_where_it_is_asked_for(study):
    """`--at best` reads the other half of the files."""
    runs, folders = study
    (picture,), _ = drawn(runs, at="best")
    counts = [read.confusion(folders["focal", seed])["best"] for seed in (0, 1, 3)]
    expected = np.mean([each / each.sum(axis=1, keepdims=True) for each in counts], axis=0)
    (focal,) = (panel for panel in picture.panels if panel.group.label == "focal")
    assert focal.confusion == pytest.approx(expected)


@pytest.mark.parametrize(
    ("file", "content", "missing"),
    [
        ("metrics.csv", b"epoch\nx\n", "curves"),
        ("predictions.npz", b"\x00", "reliability"),
        ("confusion.csv", b"at,true,predicted,count\nlast,0,0,9\n", "confusion"),
        ("confusion.csv", b"at,true,predicted,count\nbest,0,0,9\n", "confusion"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_costs_its_plot_alone(study, file, content, missing):
    """One of three seeds of focal: the others are still drawn, in the other plots all are."""
    runs, folders = study
    whole = drawn(runs)[0][0].panels[-1]
    (folders["focal", 1] / file).write_bytes(content)
    (picture,), faults = drawn(runs)
    ((where, reason),) = ((fault.folder, fault.reason) for fault in faults)
    assert (Path(where), reason.startswith(file)) == (folders["focal", 1], True)
    panel = picture.panels[-1]
    assert panel.group.label == whole.group.label == "focal"
    for name in {"curves", "reliability", "confusion"} - {missing}:
        assert repr(getattr(panel, name)) == repr(getattr(whole, name))
    assert getattr(panel, missing) is not None


def test_predictions_that_do_not_fit_together_are_a_fault(study):
    """Fewer labels than predictions, no such array, a text."""
    runs, folders = study
    names = ("labels", "last.predicted", "last.log_probabilities")
    for arrays in ((np.zeros(3), np.zeros(4), np.zeros((4, 10))), (np.zeros(3),), (np.array("x"),) * 3):
        np.savez(folders["focal", 0] / "predictions.npz", **dict(zip(names, arrays, strict=False)))
        assert ["predictions.npz" in fault.reason for fault in drawn(runs)[1]] == [True]
