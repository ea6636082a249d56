"""Plots, measured after they are laid out: nothing overlaps, nothing is cut off, whatever the losses are called."""

import itertools
from xml.etree import ElementTree as ET

import pytest
from matplotlib.legend import Legend
from matplotlib.transforms import Bbox

from lossbench.analysis import comparison, figure_data, loading
from lossbench.analysis.query import Query
from lossbench.report import figures as shared
from lossbench.report import plots
from lossbench.report.plots import canvas

BASELINE = "categorical_crossentropy"
LONG = (
    "my $wonderful$ loss_with_a_name_that_is_much_longer_than_any_panel alpha=0.123456 \x1b[31m and 漢字 beta=[1, 2, 3]"
)
HOSTILE = r"$\frac{1}{ a_b^ {c} \unknown$ $"


def drawn(runs, directory, metrics=("accuracy", "nll")):
    compared = comparison.compare(loading.rows([runs])[0], Query(metric_names=tuple(metrics)))
    found, faults = figure_data.read_figures(compared)
    assert faults == []
    return plots.save_plots(compared, found, directory)


@pytest.fixture
def figures(tmp_path, monkeypatch):
    """Draw runs and return the figures by name, laid out as they would be written."""

    def draw(runs):
        found = {}

        def keep(figure, _, name):
            canvas.lay_out(figure)
            figure.draw_without_rendering()
            found[name] = figure
            return []

        monkeypatch.setattr(canvas, "save_figure", keep)
        drawn(runs, tmp_path / "plots")
        return found

    return draw


@pytest.fixture
def study(fabricate, tmp_path):
    """Write runs: losses × seeds × noise rates."""

    def write(labels, seeds=2, rates=(None,), epochs=3):
        for (place, label), seed, rate in itertools.product(enumerate(labels), range(seeds), rates):
            noise = rate and {"type": "symmetric", "rate": rate}
            link = "none" if place % 3 == 2 else "softmax"
            settings = {"data.label_noise": noise}
            strength = 4 - place / 10 - 2 * (rate or 0)
            fabricate(
                tmp_path / "runs", label, seed, strength=strength, images=300, config=settings, link=link, epochs=epochs
            )
        return tmp_path / "runs"

    return write


def parts(figure):
    """Everything with words in it: what it is, where it is, and the axes that it belongs to."""
    for part in (figure, *figure.subfigs):
        texts = [*part.texts, part._supxlabel, part._supylabel]  # noqa: SLF001 - no public way
        yield from ((text.get_text(), text.get_window_extent(), None) for text in texts if text and text.get_text())
        yield from (("legend", legend.get_window_extent(), None) for legend in part.findobj(Legend, include_self=False))
    for axes in figure.axes:
        yield axes.get_title(), axes.title.get_window_extent(), (axes, "title")
        yield "axes", axes.get_window_extent(), (axes, "frame")
        for axis in (axes.xaxis, axes.yaxis):
            if box := axis.get_tightbbox():
                yield "ticks", box, (axes, "frame")


def tick_labels(axis):
    """Those that are shown."""
    low, high = sorted(axis.get_view_interval())
    along = 0 if axis.axis_name == "x" else 1
    shown = [label for label in axis.get_majorticklabels() if label.get_visible() and label.get_text()]
    return [label for label in shown if low <= label.get_position()[along] <= high]


def overlap(one, other):
    """Whether two boxes share more than a pixel."""
    shared = Bbox.intersection(one, other)
    return shared is not None and min(shared.width, shared.height) > 1


def check(figure):
    """Nothing lies outside the figure or on something else."""
    words = list({(text, tuple(box.extents), owner): (text, box, owner) for text, box, owner in parts(figure)}.values())
    canvas_box = figure.bbox.padded(1)
    for text, box, _ in words:
        assert canvas_box.x0 <= box.x0 <= box.x1 <= canvas_box.x1, text
        assert canvas_box.y0 <= box.y0 <= box.y1 <= canvas_box.y1, text
    for (text, box, owner), (other_text, other_box, other_owner) in itertools.combinations(words, 2):
        if owner is None or owner != other_owner:
            assert not overlap(box, other_box), (text, other_text)
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        boxes = [label.get_window_extent() for label in tick_labels(axis)]
        assert not any(itertools.starmap(overlap, itertools.combinations(boxes, 2)))


@pytest.mark.parametrize(
    "labels",
    [
        [BASELINE],
        [BASELINE, LONG],
        [LONG, HOSTILE, "focal"],
        [BASELINE, *(f"generalized_crossentropy q=0.{i} label_smoothing=0.1" for i in range(4))],
        pytest.param([BASELINE, LONG, *(f"brier {'k' * i}" for i in range(18))], marks=pytest.mark.slow),
    ],
    ids=lambda labels: str(len(labels)),
)
@pytest.mark.slow
def test_nothing_overlaps_and_nothing_is_cut_off(figures, study, labels):
    """Titles, legends, axis labels, tick labels and panels, of 1 to 20 losses."""
    found = figures(study(labels))
    names = {
        "forest",
        "seeds-accuracy",
        "seeds-nll",
        "curves-val_accuracy",
        "curves-val_nll",
        "curves-accuracy",
        "reliability",
    }
    assert names <= found.keys()
    assert ("confusion-difference" in found) is (BASELINE in labels and len(labels) > 1)
    for name, figure in found.items():
        check(figure)
        assert max(figure.get_size_inches()) <= 16, name


def test_a_label_of_any_length_is_a_few_lines():
    """Two thousand letters without a blank, as the baseline too."""
    for label, shown in (("x" * 2000, 3), ("a_" * 1000, 3)):
        assert len(canvas.wrapped_label(label).splitlines()) == shown
        assert len(canvas.short_label(label)) == 61
        assert max(map(len, canvas.wrapped_label(label).splitlines())) <= 32


def test_a_check_that_sees_an_overlap(figures, study):
    """A title moved onto the panels, or out of the figure, does not pass."""
    figure = figures(study([BASELINE, "focal"]))["reliability"]
    text = figure.subfigs[0].texts[0]
    text.set_y(-0.5)
    with pytest.raises(AssertionError):
        check(figure)
    text.set_y(1.5)
    with pytest.raises(AssertionError):
        check(figure)


@pytest.mark.slow
def test_conditions_have_folders_and_noise_has_a_plot_across_them(study, tmp_path):
    """PNG and SVG of each figure; the PNG is one, the SVG is XML, and none holds a control character."""
    files = drawn(study([BASELINE, LONG], seeds=1, rates=(None, 0.4)), tmp_path / "plots", ["accuracy"])
    folders = {path.parent.name for path in files if path.parent != tmp_path / "plots"}
    assert folders == {"1-label-noise-none", "2-label-noise.rate-0.4-label-noise-symmetric"}
    across = {path.name for path in files if path.parent == tmp_path / "plots"}
    assert across == {"accuracy-against-label-noise.rate.png", "accuracy-against-label-noise.rate.svg"}
    assert sorted(files) == sorted(path for path in (tmp_path / "plots").rglob("*") if path.is_file())
    for path in files:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG\r\n")
        else:
            assert ET.parse(path).getroot().tag.endswith("svg")  # noqa: S314 - our own
            assert "\x1b" not in path.read_text()


@pytest.mark.slow
def test_equal_runs_give_equal_files_whatever_the_users_settings(study, tmp_path, monkeypatch):
    """Byte for byte, PNG and SVG, with TeX and another size in the user's matplotlibrc, which keeps both."""
    import matplotlib as mpl

    runs = study([BASELINE, "focal"])
    plain = [path.read_bytes() for path in drawn(runs, tmp_path / "a", ["accuracy"])]
    monkeypatch.setitem(mpl.rcParams, "text.usetex", not mpl.rcParams["text.usetex"])
    monkeypatch.setitem(mpl.rcParams, "font.size", 30)
    assert [path.read_bytes() for path in drawn(runs, tmp_path / "b", ["accuracy"])] == plain
    assert mpl.rcParams["font.size"] == 30


def test_seeds_lie_where_their_values_are(figures, study):
    """A dot for each run at its accuracy, the mean of them below, the baseline's mean through all rows."""
    runs = study([BASELINE, "focal"], seeds=3)
    (axes,) = figures(runs)["seeds-accuracy"].axes
    dots = sorted(x for line in axes.lines if line.get_marker() == "o" for x in line.get_xdata())
    rows = loading.rows([runs])[0]
    assert dots == pytest.approx(sorted(100 * row["test.last.accuracy"] for row in rows))
    values = [100 * row["test.last.accuracy"] for row in rows if row["loss"] == BASELINE]
    (dashed,) = (line for line in axes.lines if line.get_linestyle() == "--")
    assert dashed.get_xdata() == pytest.approx([sum(values) / 3] * 2)


def test_more_losses_than_fit_are_cut_and_said(figures, study, monkeypatch):
    """The best two of four where two fit, in a sentence; the forest plot has room for all."""
    monkeypatch.setattr(shared, "MOST_LOSSES", 2)
    found = figures(study([BASELINE, *(f"brier k={place}" for place in range(3))], seeds=1))
    assert len(found["forest"].axes[0].get_yticks()) == 4
    assert "the best 2" not in found["forest"].subfigs[0].texts[0].get_text()
    figure = found["seeds-accuracy"]
    assert len(figure.axes[0].get_yticks()) == 2
    assert "the best 2 of 4 losses" in figure.subfigs[0].texts[0].get_text()


def test_runs_without_results_give_no_figures(fabricate, tmp_path):
    """All diverged: an empty list, no error."""
    fabricate(tmp_path / "runs", "focal", 0, status="diverged")
    assert drawn(tmp_path / "runs", tmp_path / "plots") == []
