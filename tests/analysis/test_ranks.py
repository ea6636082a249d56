"""Mean ranks over conditions: which losses are ranked, the place of diverged runs, and what is left out and why."""

import numpy as np
import pytest
from fabricate import row
from scipy import stats

from lossbench.analysis.comparison import compare
from lossbench.analysis.query import Query
from lossbench.analysis.ranks import mean_ranks
from lossbench.metrics import METRICS
from lossbench.report import rank_words
from lossbench.report.page import chart_sections, row_charts

CE = "categorical_crossentropy"
RATES = (None, 0.2, 0.4, 0.6)
LOSSES = (CE, "focal", "dice", "brier")


def study(accuracy, rates=RATES, losses=LOSSES, **others):
    """Rows of two seeds per loss and noise rate; `accuracy(loss, rate)` is None where the run diverged."""
    return [
        row(loss, seed, accuracy(loss, rate), data__label_noise__rate=rate, **others)
        for loss in losses
        for rate in rates
        for seed in range(2)
    ]


def ranked(rows, metric="accuracy", **query):
    return mean_ranks(compare(rows, Query(**query)), METRICS[metric])


def scores(loss, rate):
    """Another order in each condition."""
    place, number = LOSSES.index(loss), RATES.index(rate)
    return 0.9 - (rate or 0) / 2 + 0.001 * ((3 * place + 2 * number) % 5)


def test_ranks_are_averaged_over_conditions():
    """SciPy's ranks of the means, sorted, and the last loss within the critical difference."""
    found = ranked(study(scores))
    table = np.array([[scores(loss, rate) for loss in LOSSES] for rate in RATES])
    expected = dict(zip(LOSSES, stats.rankdata(-table, axis=1).mean(axis=0), strict=True))
    assert dict(zip(found.labels, found.ranks, strict=True)) == pytest.approx(expected)
    assert list(found.ranks) == sorted(found.ranks)
    assert (found.conditions, found.left_out) == (4, {})
    for near, last in zip(found.ranks, found.last, strict=True):
        assert [rank - near < found.critical - 1e-9 for rank in found.ranks] == [i <= last for i in range(len(LOSSES))]


def test_losses_that_always_have_the_same_order_differ():
    """Best and worst in all of four conditions; neighbours do not."""
    found = ranked(study(lambda loss, _: 0.9 - 0.1 * LOSSES.index(loss)))
    assert (found.labels, found.ranks) == (LOSSES, (1.0, 2.0, 3.0, 4.0))
    assert found.last == (2, 3, 3, 3)


def test_a_diverged_run_is_the_last_of_its_condition():
    """However good the others of its loss are; two such losses share the place."""
    found = ranked(
        study(lambda loss, rate: None if loss in {"dice", "brier"} and rate == 0.4 else 0.9 + 0.01 * (loss == "dice"))
    )
    ranks = dict(zip(found.labels, found.ranks, strict=True))
    assert ranks == {
        "dice": (3 * 1 + 3.5) / 4,
        CE: (3 * 3 + 1.5) / 4,
        "focal": (3 * 3 + 1.5) / 4,
        "brier": (3 * 3 + 3.5) / 4,
    }


def test_a_loss_that_lacks_a_condition_is_left_out():
    """With the number of conditions; the others are ranked without it."""
    rows = [each for each in study(scores) if (each["loss"], each["data.label_noise.rate"]) != ("dice", 0.2)]
    found = ranked(rows)
    assert found.left_out == {"dice": "missing in 1 of 4 conditions"}
    assert set(found.labels) == set(LOSSES) - {"dice"}
    assert "left out: dice: missing in 1 of 4 conditions" in list(rank_words.notes(found))


@pytest.mark.parametrize(("metric", "is_ranked"), [("accuracy", True), ("nll", False), ("brier", False)])
def test_a_loss_without_probabilities_is_ranked_by_its_classes_only(metric, is_ranked):
    """NLL and Brier score judge what it does not train."""
    rows = study(scores, losses=LOSSES[:3]) + study(lambda *_: 0.95, losses=("hinge",), link="none")
    found = ranked(rows, metric)
    assert ("hinge" in found.labels) is is_ranked
    assert ("hinge" in found.left_out) is not is_ranked


def test_a_loss_that_was_trained_longer_is_left_out():
    """It has no verdict either."""
    rows = study(scores, losses=LOSSES[:3]) + study(lambda *_: 0.95, losses=("hinge",), train__epochs=50)
    assert ranked(rows).left_out == {"hinge": "not alike"}


def test_lower_nll_is_better():
    """The loss with the lowest has rank 1."""
    rows = [each | {"test.last.nll": 1 + LOSSES.index(each["loss"])} for each in study(scores)]
    assert ranked(rows, "nll").labels == LOSSES


@pytest.mark.parametrize(("rates", "losses"), [(RATES[:3], LOSSES), (RATES, LOSSES[:2])])
def test_too_few_conditions_or_losses_give_no_ranks(rates, losses):
    """Three conditions, or two losses: no section on the page."""
    rows = study(scores, rates, losses)
    assert ranked(rows) is None
    assert chart_sections.ranks_section(compare(rows, Query())) == ""


def test_too_few_complete_losses_are_said():
    """The page has the section with the reasons, and no chart."""
    rows = [each for each in study(scores) if each["loss"] == CE or each["data.label_noise.rate"] != 0.2]
    section = chart_sections.ranks_section(compare(rows, Query(metric_names=("accuracy",))))
    assert "fewer than three losses can be ranked in every condition" in section
    assert section.count("left out: ") == 3
    assert "<svg" not in section


def test_marks_lie_at_the_mean_ranks():
    """From half a rank before the first to half a rank after the last; a label is text."""
    rows = study(lambda loss, _: 0.9 - 0.01 * len(loss), losses=(CE, "<b>focal</b>", "dice"))
    text = row_charts.rank_figure(ranked(rows))
    places = [100 * (rank - 0.5) / 3 for rank in (1, 2, 3)]
    assert all(f'<circle cx="{place:.2f}%"' in text for place in places)
    assert "<b>" not in text
