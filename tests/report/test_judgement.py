"""A judgement as a screen, a sentence and JSON."""

import json
from dataclasses import replace

import pytest
from made_up_judgements import CLEAN, FEW, METRICS, judged, score, use_small_suite

from lossbench.analysis.judgement import read_judgement
from lossbench.report.judgement import judgement_json, judgement_text, summary


def scores(loss, where, seed):
    """Focal with gamma 9 diverges with few images and is better on clean data."""
    if loss == "focal gamma=9" and where == FEW:
        return "diverged"
    return score(loss, seed) + 0.03 * (loss == "focal gamma=9" and where == CLEAN)


@pytest.fixture(scope="module")
def judgement(tmp_path_factory):
    """A judgement of focal with gamma 9."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_small_suite(monkeypatch)
        folder = judged(tmp_path_factory.mktemp("runs"), {"name": "focal", "gamma": 9}, scores)
        return read_judgement(folder, "quick")


def test_the_screen_has_at_most_80_columns_and_45_lines(judgement):
    """Five conditions, as the suite has, need six lines more."""
    lines = judgement_text(judgement).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 35


def test_each_condition_shows_the_loss_cross_entropy_and_the_best_opponent(judgement):
    """With seeds, accuracy, difference, interval and verdict, and where it diverged."""
    lines = judgement_text(judgement).splitlines()
    rows = lines[lines.index(CLEAN) :]
    assert rows[1].split()[:2] == ["focal", "gamma=9"]
    assert rows[2].split()[0] == "categorical_crossentropy"
    assert rows[2].split()[-1] == "better"
    assert rows[3].split()[0] == "best:"
    few = lines[lines.index(FEW) :]
    assert "diverged in 6 of 6 seeds" in few[1]
    assert few[2].split()[-1] == "diverged"


def test_a_long_name_goes_on_in_the_next_line(judgement):
    """Its hyperparameters distinguish it, so they are not cut off."""
    loss = "categorical_crossentropy label_smoothing=0.1"
    long = replace(judgement, loss=loss, results=[_named(each, loss) for each in judgement.results])
    lines = judgement_text(long).splitlines()
    assert max(map(len, lines)) <= 80
    rows = lines[lines.index(CLEAN) :]
    assert rows[1].split()[0] == "categorical_crossentropy"
    assert rows[2].split() == ["label_smoothing=0.1"]


def _named(result, loss):
    return replace(result, judged=replace(result.judged, loss=loss))


def test_the_summary_is_one_sentence(judgement):
    """It counts conditions by verdict and names those where the loss diverged."""
    assert summary(judgement) == (
        "focal gamma=9: against cross-entropy, it is better in 1 of 3 conditions and equivalent in 1; "
        "against the best other opponent, it is better in 1 of 3 conditions and equivalent in 1; it diverged with: few."
    )
    assert " ".join(judgement_text(judgement).split()).endswith(summary(judgement))


def test_json_has_every_opponent(judgement):
    """The screen's numbers and those of the opponents that it leaves out, with suite and budget."""
    found = json.loads(judgement_json(judgement))
    assert (found["suite"], found["budget"], found["loss"]) == ("judge-2", "quick", "focal gamma=9")
    for each, result in zip(found["conditions"], judgement.results, strict=True):
        assert each["name"] == result.condition.name
        assert [o["verdict"] for o in each["opponents"]] == [o.verdict for o in result.opponents]
        assert [o["delta"] for o in each["opponents"]] == [o.difference for o in result.opponents]
        assert each["opponents"][0]["nll"] == pytest.approx(METRICS["nll"])
    assert found["conditions"][2]["diverged"] == 6
    assert found["summary"] == summary(judgement)


def test_a_loss_that_trains_no_softmax_gets_a_footnote(tmp_path, monkeypatch):
    """Its NLL, Brier score and ECE judge probabilities that it does not train."""
    use_small_suite(monkeypatch)
    folder = judged(tmp_path, "hinge", scores)
    for file in folder.glob("hinge-*/run.json"):
        file.write_text(file.read_text().replace('"softmax"', '"none"'))
    text = judgement_text(read_judgement(folder, "quick"))
    assert "this†" in text
    assert "† the loss trains no softmax probabilities, or does not declare them" in text
