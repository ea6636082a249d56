"""The forest plot of a condition: the rows and verdicts of the table, on an axis that one loss cannot squash."""

import re

import numpy as np
import pytest
from fabricate import row

from lossbench.analysis.comparison import compare
from lossbench.analysis.query import Query
from lossbench.report import wording
from lossbench.report.forest import forest
from lossbench.report.page import row_charts

CE = "categorical_crossentropy"
SEEDS = 8
NOISE = np.random.default_rng(0).normal(0, 0.002, (6, SEEDS))


def study(**shifts):
    """A comparison of losses whose accuracy differs from the baseline's by these shifts; None: all runs diverged."""
    values = {CE: 0.5 + NOISE[0]}
    for place, (loss, shift) in enumerate(shifts.items(), 1):
        values[loss] = [None] * SEEDS if shift is None else 0.5 + shift + NOISE[0] + NOISE[place] / 4
    rows = [row(loss, seed, value) for loss, each in values.items() for seed, value in enumerate(each)]
    return compare(rows, Query(rope="0.1pp"))


CLOSE = {"focal": 0.01, "brier": -0.003, "poly1": 0.00001}


def test_rows_are_those_of_the_table():
    """The same order, verdicts and numbers: means of the paired differences, in percentage points."""
    comparison = study(**CLOSE, dice=None)
    (block,) = comparison.blocks
    plot = forest(comparison, block)
    assert [each.label for each in plot.rows] == [group.label for group in block.groups]
    places = {loss: place for place, loss in enumerate(CLOSE, 1)}
    for drawn, group in zip(plot.rows, block.groups, strict=True):
        if drawn.label in CLOSE:
            place = places[drawn.label]
            assert drawn.verdict == wording.verdict(group)
            assert drawn.value == pytest.approx(100 * (CLOSE[drawn.label] + NOISE[place].mean() / 4))
    said = {each.label: each.verdict for each in plot.rows}
    assert said == {"focal": "better", CE: "baseline", "poly1": "equivalent", "brier": "worse", "dice": "8 diverged"}
    assert [each.value for each in plot.rows if each.label in {CE, "dice"}] == [0.0, None]
    assert (plot.reference, plot.rope) == (0.0, pytest.approx(0.1))


@pytest.mark.parametrize("shift", [-0.4, -0.2, 0.3])
def test_a_loss_that_is_far_off_leaves_the_axis_to_the_others(shift):
    """It has an arrow with its value at the edge; the axis is about that of the comparison without it."""
    alone, joined = (forest(found, found.blocks[0]) for found in (study(**CLOSE), study(**CLOSE, mae=shift)))
    (far,) = [each for each in joined.rows if each.label == "mae"]
    assert joined.arrows(far) == [f"← {far.numbers.split()[0]}" if shift < 0 else f"{far.numbers.split()[0]} →"]
    assert (joined.high - joined.low) < 1.5 * (alone.high - alone.low)
    assert not any(joined.arrows(each) for each in joined.rows if each.label != "mae")


@pytest.mark.parametrize("shifts", [CLOSE, {"focal": 0.0}, {"focal": 0.1, "brier": -0.015}, {**CLOSE, "mae": -0.4}])
def test_marks_lie_where_their_values_are(shifts):
    """In per cent of the width, from the left end of the axis to its right end; none lies outside."""
    comparison = study(**shifts)
    plot = forest(comparison, comparison.blocks[0])
    text = row_charts.forest_figure(plot)
    expected = [100 * (each.value - plot.low) / (plot.high - plot.low) for each in plot.rows if plot.shows(each)]
    drawn = [float(place) for place in re.findall(r'<circle cx="([-\d.]+)%"', text)]
    assert drawn == pytest.approx(expected, abs=0.01)
    assert all(0 <= float(place) <= 100 for place in re.findall(r'(?:cx|x1|x2|x)="([-\d.]+)%"', text))
    for each in plot.rows:
        if each.interval and plot.shows(each):
            assert plot.low <= each.interval.low <= each.interval.high <= plot.high


def test_an_interval_that_leaves_the_axis_has_an_arrow():
    """The loss itself is on it: two of its seeds fail, and the others are like the baseline's."""
    noise = NOISE[1] / 4
    losses = {CE: NOISE[0], **{loss: NOISE[0] + noise * (1 + place) for place, loss in enumerate(("a", "b", "c", "d"))}}
    rows = [row(loss, seed, 0.5 + value) for loss, each in losses.items() for seed, value in enumerate(each)]
    rows += [row("wild", seed, 0.5 + NOISE[0][seed] + (0.1, -0.1)[seed % 2]) for seed in range(SEEDS)]
    comparison = compare(rows, Query())
    plot = forest(comparison, comparison.blocks[0])
    arrows = {each.label: plot.arrows(each) for each in plot.rows}
    assert arrows == {**{loss: [] for loss in losses}, "wild": ["←", "→"]}
    text = row_charts.forest_figure(plot)
    assert text.count(">←</text>") == text.count(">→</text>") == 1


def test_without_a_baseline_the_means_are_drawn():
    """On the axis of the metric, without a line or verdicts."""
    rows = [row(loss, seed, 0.5 + NOISE[0][seed]) for loss in ("focal", "dice") for seed in range(SEEDS)]
    comparison = compare(rows, Query())
    plot = forest(comparison, comparison.blocks[0])
    assert (plot.title, plot.axis, plot.reference) == ("Means", "test accuracy (%)", None)
    assert [each.value for each in plot.rows] == pytest.approx([100 * (0.5 + NOISE[0].mean())] * 2)
    assert {each.verdict for each in plot.rows} == {""}


def test_the_better_side_follows_the_metric():
    """Higher accuracy is better, lower NLL is; the unit is on the axis."""
    rows = [row(loss, seed, 0.9) for loss in (CE, "focal") for seed in range(SEEDS)]
    axes = [
        forest(found, found.blocks[0]).axis
        for name in ("accuracy", "nll")
        if (found := compare(rows, Query(metric_names=(name,))))
    ]
    assert axes == [f"accuracy minus that of {CE} (pp), better →", f"← better, NLL minus that of {CE} (nats)"]


def test_without_a_value_there_is_no_plot():
    """All runs of all losses diverged."""
    comparison = compare([row("focal", 0, None), row("dice", 0, None)], Query())
    assert forest(comparison, comparison.blocks[0]) is None


def test_a_label_is_text():
    """Markup in a label is escaped, in the row and in the description of its chart."""
    comparison = study(**{'<img src=x onerror="alert(1)">': 0.01})
    text = row_charts.forest_figure(forest(comparison, comparison.blocks[0]))
    assert "<img" not in text
    assert text.count("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;") == 2
