"""Memorisation of wrong labels: all losses on one axis, in the plots and on the page; nothing without wrong labels."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text

from lossbench.analysis import comparison, figure_data, loading
from lossbench.analysis.query import Query
from lossbench.report import figures, memorization
from lossbench.report.page.memorization import memorization_section
from lossbench.report.plots import canvas
from lossbench.report.plots.memorization import plot_memorization
from lossbench.runs import paths, read, write

BASELINE = "categorical_crossentropy"
LONG = "my $wonderful$ loss_with_a_name_that_is_much_longer_than_any_panel alpha=0.123456 <b>&"
NOISE = {"data.label_noise": {"type": "symmetric", "rate": 0.4}}


def share(label, seed, epoch):
    """The memorised share that a made-up run has."""
    return 0.1 * (len(label) % 7) + 0.01 * seed + 0.02 * epoch


@pytest.fixture
def content(fabricate, tmp_path):
    """Return the figures of runs with the columns of wrong labels, or without."""

    def make(labels, seeds=2, epochs=4, *, noise=True):
        for label, seed in itertools.product(labels, range(seeds)):
            run = fabricate(tmp_path / "runs", label, seed, config=NOISE if noise else None, epochs=epochs)
            rows = read.history(run)
            for epoch, row in enumerate(rows if noise else ()):
                row |= {"memorized": share(label, seed, epoch), "recovered": 1 - share(label, seed, epoch)}
            write.table(run / paths.METRICS, paths.METRICS_COLUMNS, rows)
        compared = comparison.compare(loading.rows([tmp_path / "runs"])[0], Query(metric_names=("accuracy",)))
        (found,), faults = figure_data.read_figures(compared)
        assert faults == []
        return figures.condition_figure(compared, found, "noise")

    return make


def drawn(content):
    with canvas.style():
        figure = plot_memorization(content)
        canvas.lay_out(figure)
        figure.draw_without_rendering()
    return figure


def test_lines_are_means_and_bands_the_range_over_seeds(content):
    """In per cent, the highest at the end first, in both columns; the baseline has no number."""
    learnt, found = memorization.memorization(content([BASELINE, "focal", "dice"]))
    for line in learnt.lines:
        values = 100 * np.array([[share(line.label, seed, epoch) for epoch in range(4)] for seed in range(2)])
        np.testing.assert_allclose(line.band.mean, values.mean(axis=0))
        np.testing.assert_allclose([line.band.low, line.band.high], [values.min(axis=0), values.max(axis=0)])
    ends = [line.end for line in learnt.lines]
    assert ends == sorted(ends, reverse=True)
    assert [line.label for line in found.lines] == [line.label for line in reversed(learnt.lines)]
    assert {line.label: line.number for line in learnt.lines} == {line.label: line.number for line in found.lines}
    assert [line.label for line in learnt.lines if line.number is None] == [BASELINE]


def test_without_wrong_labels_there_is_nothing(content):
    """Neither a plot nor a section of the page."""
    clean = content([BASELINE, "focal"], noise=False)
    assert memorization.memorization(clean) == []
    assert plot_memorization(clean) is None
    assert memorization_section(clean) == ""


@pytest.mark.parametrize(
    "labels",
    [["focal"], [BASELINE, LONG], [BASELINE, LONG, *(f"brier {'k' * i}" for i in range(18))]],
    ids=lambda labels: str(len(labels)),
)
def test_names_neither_overlap_nor_leave_the_figure(content, labels):
    """Each loss is named once per axis, at the right of its line."""
    figure = drawn(content(labels, epochs=3))
    for axis in figure.axes:
        boxes = [Text.get_window_extent(text) for text in axis.texts]  # without the line that leads to it
        assert len(boxes) == len(labels)
        for box in boxes:
            assert axis.bbox.x1 < box.x0 < box.x1 <= figure.bbox.x1 + 1
            assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        heights = sorted((box.y0, box.y1) for box in boxes)
        assert all(below[1] <= above[0] + 1 for below, above in itertools.pairwise(heights))


def test_a_loss_has_one_colour_and_the_baseline_dashes(content):
    """On both axes, although the order differs."""
    upper, lower = drawn(content([BASELINE, "focal", "brier"])).axes
    colours = [
        {text.get_text(): line.get_color() for text, line in zip(axis.texts, axis.lines, strict=True)}
        for axis in (upper, lower)
    ]
    assert colours[0] == colours[1]
    assert len(set(colours[0].values())) == 3
    dashed = [text.get_text() for text, line in zip(upper.texts, upper.lines, strict=True) if line.is_dashed()]
    assert dashed == [BASELINE]


def test_the_page_names_every_loss_and_escapes_it(content):
    """Two charts with one name per loss; the description has the values of the last epoch."""
    section = memorization_section(content([BASELINE, LONG]))
    assert section.count("<svg") == 2
    assert section.count(f"<title>{BASELINE}</title>") == 2
    assert "<b>" not in section
    mean = 100 * np.mean([share(BASELINE, seed, 3) for seed in range(2)])
    assert f"at the end: {BASELINE} {mean:.4g}" in section or f", {BASELINE} {mean:.4g}" in section
    assert set(re.findall(r'class="leader (\w+)"', section)) == {"lb", "l0"}


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.floats(0.1, 5))
def test_names_are_spread_in_order_within_the_axis(places, gap):
    """Neighbours are `gap` apart, nothing leaves the axis, and what has room stays."""
    places = sorted(places, reverse=True)
    moved = memorization.spread(places, gap, 0, 100)
    assert all(above - below >= gap - 1e-9 for above, below in itertools.pairwise(moved))
    assert 0 - 1e-9 <= moved[-1] <= moved[0] <= 100 + 1e-9
    if all(above - below >= gap for above, below in itertools.pairwise(places)):
        assert moved == pytest.approx(places, abs=1e-6)


def test_names_move_as_little_as_possible():
    """The sum of squared moves is at most that of any neighbour that keeps the distances."""
    places, gap = [9.0, 8.9, 8.8, 3.0, 2.9], 1.0
    moved = np.array(memorization.spread(places, gap, 0, 20))
    for seed in range(200):
        other = moved + np.random.default_rng(seed).normal(0, 0.2, 5)
        if (other[:-1] - other[1:] >= gap).all():
            assert ((moved - places) ** 2).sum() <= ((other - places) ** 2).sum() + 1e-9
