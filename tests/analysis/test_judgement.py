"""A judgement read from its folder: the verdicts of the decision, from the side of the judged loss."""

import pytest
from made_up_judgements import CLEAN, FEW, METRICS, NOISE, judged, score, use_small_suite

from lossbench import suite
from lossbench.analysis.judgement import DIVERGED, read_judgement
from lossbench.errors import InterruptedRunError, NothingMatchedError
from lossbench.runs import decision_file, paths

CE, GCE = "categorical_crossentropy", "generalized_crossentropy"


@pytest.fixture(autouse=True)
def _small_suite(monkeypatch):
    use_small_suite(monkeypatch)


def scores(loss, where, seed):
    """Hinge is better than cross-entropy on clean data, worse than gce with noise, and like the others elsewhere."""
    effect = {("hinge", CLEAN): 0.03, (GCE, NOISE): 0.03, ("brier", NOISE): -0.03}
    return score(loss, seed) + effect.get((loss, where), 0.0)


def test_verdicts_are_those_of_the_judged_loss(tmp_path):
    """Better where its opponents are worse; differences are its score minus theirs, over the seeds of the look."""
    found = read_judgement(judged(tmp_path, "hinge", scores), "quick")
    assert [each.condition.name for each in found.results] == [CLEAN, NOISE, FEW]
    verdicts = {each.condition.name: {o.side.loss: o.verdict for o in each.opponents} for each in found.results}
    assert verdicts[CLEAN] == {CE: "better", "focal": "better", "brier": "better"}
    assert (verdicts[NOISE][GCE], verdicts[NOISE]["brier"]) == ("worse", "better")
    assert set(verdicts[FEW].values()) == {"equivalent"}
    for each in found.results:
        for opponent in each.opponents:
            loss, where, seeds = opponent.side.loss, each.condition.name, range(opponent.side.seeds)
            gains = [scores("hinge", where, seed) - scores(loss, where, seed) for seed in seeds]
            assert opponent.difference == pytest.approx(sum(gains) / len(gains))
            assert opponent.interval.low < opponent.difference < opponent.interval.high
            assert (opponent.side.metrics["nll"], opponent.side.diverged) == (METRICS["nll"], 0)


def test_the_best_opponent_is_the_strongest_besides_cross_entropy(tmp_path):
    """By the paired difference; all results have cross-entropy first."""
    found = read_judgement(judged(tmp_path, "hinge", scores), "quick")
    noisy = found.results[1]
    assert noisy.best.side.loss == GCE
    assert [each.opponents[0] is each.reference for each in found.results] == [True] * 3
    assert all(len(each.others) == 2 for each in found.results)


def test_cross_entropy_has_no_reference(tmp_path):
    """It is judged by the other losses, and its cost has nothing to be compared with."""
    found = read_judgement(judged(tmp_path, "ce", scores), "quick")
    assert [each.reference for each in found.results] == [None] * 3
    assert found.cost is None


@pytest.mark.parametrize("lost", [lambda _: True, lambda seed: seed % 2, lambda seed: seed == 7])
def test_a_loss_that_diverges_is_never_better_there(tmp_path, lost):
    """In all runs, in some, or in one, although the runs that end are far better; elsewhere nothing changes."""

    def diverging(loss, where, seed):
        return "diverged" if loss == "hinge" and where == CLEAN and lost(seed) else scores(loss, where, seed)

    found = read_judgement(judged(tmp_path, "hinge", diverging), "quick")
    clean, noisy, _ = found.results
    assert clean.judged.diverged == sum(bool(lost(seed)) for seed in range(clean.judged.seeds)) > 0
    verdicts = {each.verdict for each in clean.opponents}
    assert not verdicts & {"better", "equivalent", "identical"}
    assert (verdicts == {DIVERGED}) == (clean.judged.diverged == clean.judged.seeds)
    assert noisy.best.verdict == "worse"


def test_an_opponent_that_diverges_is_never_stronger(tmp_path):
    """The judged loss is better than one that has no result at all, or undecided; and its runs are counted."""

    def diverging(loss, where, seed):
        return "diverged" if loss == "brier" else scores(loss, where, seed)

    found = read_judgement(judged(tmp_path, "hinge", diverging), "quick")
    for each in found.results[:2]:
        brier = next(opponent for opponent in each.opponents if opponent.side.loss == "brier")
        assert brier.side.diverged == brier.side.seeds
        assert brier.verdict not in {"worse", "equivalent", "identical"}
        assert each.best.side.loss != "brier"


@pytest.mark.parametrize("after", [5, 50, 61])
def test_a_judgement_that_was_stopped_continues_to_the_same_result(tmp_path, after):
    """At any point, with another order of trials; runs that were trained ahead of a look change nothing."""
    whole = judged(tmp_path / "whole", "hinge", scores, room=1)
    with pytest.raises(InterruptedRunError):
        judged(tmp_path / "stopped", "hinge", scores, after=after)
    stopped = judged(tmp_path / "stopped", "hinge", scores, room=4, order=3)
    first, second = (read_judgement(each, "quick") for each in (whole, stopped))
    assert first.results == second.results


def test_the_cost_is_the_median_ratio_of_the_last_epochs(tmp_path):
    """Of each condition and seed; neither the first epoch counts, in which the step is compiled, nor other losses."""
    folder = judged(tmp_path, "hinge", scores)
    seconds = {"hinge": 3.0, CE: 2.0}
    for run in folder.glob("*-s*"):
        last = seconds.get(run.name.rpartition("-s")[0], 9.0)
        (run / paths.METRICS).write_text(f"epoch,seconds\n0,100\n1,{last}\n")
    assert read_judgement(folder, "quick").cost == 1.5


def test_the_family_is_that_of_the_recorded_plan(tmp_path):
    """All comparisons of all conditions are one decision."""
    folder = judged(tmp_path, "hinge", scores)
    decision = decision_file.load(folder)
    assert len(decision.comparisons) == sum(len(each.opponents) + 1 for each in suite.CONDITIONS)


def test_a_folder_without_a_judgement_is_an_error(tmp_path):
    """Exit 5."""
    with pytest.raises(NothingMatchedError, match="no judgement"):
        read_judgement(tmp_path, "quick")
