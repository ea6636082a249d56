"""Training time as a metric of a comparison."""

import csv
import io
import json

import pytest

from lossbench import metrics
from lossbench.analysis.query import Query, answer
from lossbench.errors import UsageError
from lossbench.report import formats, wording
from lossbench.report.comparison import footnotes

CE = "categorical_crossentropy"


@pytest.fixture
def study(tmp_path, fabricate):
    """Two losses over six seeds; focal takes half a second longer in each."""
    for seed in range(6):
        for loss, more in ((CE, 0.0), ("focal", 0.5)):
            seconds = {"startup": 9.0, "data": 1.0, "train": 3 + seed / 10 + more, "total": 20.0}
            fabricate(tmp_path, loss, seed, images=20, epochs=1, seconds=seconds)
    return tmp_path


@pytest.mark.parametrize("at", ["last", "best"])
def test_training_time_is_the_training_phase_of_the_run(study, at):
    """Mean and difference in seconds; less is better; the same for both epochs, as there is one training."""
    found = answer(Query(paths=(study,), metric_names=("train_seconds",), at=at))
    (block,) = found.comparison.blocks
    ce, focal = block.groups
    assert (ce.label, focal.label) == (CE, "focal")
    assert ce.metrics["train_seconds"].mean == pytest.approx(3.25)
    assert focal.difference.mean == pytest.approx(0.5)
    assert focal.difference.verdict == "worse"


def test_it_is_shown_with_its_unit_and_a_warning(study):
    """Seconds in the titles; a footnote says why it does not carry over to other machines."""
    found = answer(Query(paths=(study,), metric_names=("train_seconds", "accuracy")))
    text = " ".join(formats.comparison_text(found, "table", to_stdout=False).split())
    assert "training time s ↓" in text
    assert "Δ s ↓" in text
    assert "not comparable between machines" in text
    assert " · training time · baseline" in wording.comparison_title(found.comparison)
    assert "+0.50 s in training time" in " ".join(
        wording.verdict_sentence(found.comparison, group) for group in found.comparison.blocks[0].groups
    )


def test_it_is_there_only_where_it_is_named(study):
    """No further column in a table, CSV or JSON, and no footnote."""
    found = answer(Query(paths=(study,)))
    assert not any("training time" in note for note in footnotes.notes(found.comparison))
    for form in ("csv", "json", "jsonl"):
        assert "train_seconds" not in formats.comparison_text(found, form, to_stdout=False)
    named = answer(Query(paths=(study,), metric_names=("accuracy", "train_seconds")))
    rows = list(csv.DictReader(io.StringIO(formats.comparison_text(named, "csv", to_stdout=False))))
    assert {row["loss"]: float(row["train_seconds_mean"]) for row in rows} == pytest.approx({CE: 3.25, "focal": 3.75})


@pytest.mark.parametrize("seconds", [None, {}, {"train": "3"}, {"total": 4.0}, [3.0]])
def test_a_run_without_it_has_none(seconds, tmp_path, fabricate):
    """A folder of another version, or one that was edited."""
    for loss in (CE, "focal"):
        fabricate(tmp_path, loss, 0, images=20, epochs=1)
    for path in tmp_path.rglob("run.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"seconds": seconds}))
    found = answer(Query(paths=(tmp_path,), metric_names=("accuracy", "train_seconds")))
    assert "no run has training time" in list(footnotes.notes(found.comparison))


def test_a_threshold_and_an_order_may_use_it(study):
    """A gate on seconds, which are no percentage points."""
    found = answer(Query(paths=(study,), thresholds=("train_seconds > 3.5", "delta.train_seconds > 1")))
    assert [each.outcome for each in found.gate_results if each.label == "focal"] == ["failed", "passed"]
    with pytest.raises(UsageError, match="pp"):
        answer(Query(paths=(study,), thresholds=("delta.train_seconds > 1pp",)))


def test_no_metric_of_predictions_is_a_cost():
    """A cost is no column of `metrics.csv` and no value of `evaluate`."""
    assert not metrics.COSTS.keys() & metrics.REPORTED.keys()
    assert all(each.judges == "machine" for each in metrics.COSTS.values())
    assert not any("seconds" in column for column in metrics.VALIDATION_COLUMNS)
