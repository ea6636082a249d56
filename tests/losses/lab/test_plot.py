"""The picture of a loss: the curves in it, and the file."""

import numpy as np
import pytest

from lossbench.errors import MachineError, UsageError
from lossbench.losses import expression, registry
from lossbench.losses.lab import curves, plot

MARGINS = np.linspace(-8, 8, 33)


def test_curve_of_cross_entropy():
    """Against the margin m cross-entropy of ten classes is log(1 + 9 exp(-m)), and its slope that of this."""
    loss, slope = curves.curves(expression.parse("ce"), MARGINS)
    np.testing.assert_allclose(loss, np.log1p(9 * np.exp(-MARGINS)), rtol=1e-4)
    np.testing.assert_allclose(slope, -1 / (1 + np.exp(MARGINS) / 9), rtol=1e-4)


def test_slope_of_a_loss_of_the_whole_batch():
    """Each margin is a batch of its own: the slope is the curve's own."""
    margins = np.linspace(-6, 6, 601)
    loss, slope = curves.curves(expression.parse("dice"), margins)
    np.testing.assert_allclose(slope, np.gradient(loss, margins), atol=1e-3)


@pytest.mark.parametrize(
    ("loss", "name", "values"),
    [
        ("focal", "gamma", [0.5, 1, 2, 4, 8]),
        ({"name": "focal", "gamma": 0}, "gamma", [0, 0.25, 0.5, 0.75, 1]),
        ("focal", "label_smoothing", [0, 0.25, 0.5, 0.75]),
        ("focal", "stop_gradient", [False, True]),
        ("gce", "q", [0.25, 0.5, 0.7, 1]),
        ("taylor_crossentropy", "order", [1, 2, 4, 8]),
        ("multi_margin", "p", [1, 2]),
        ("rce", "log_zero", [np.log(1e-4) * factor for factor in (4, 2, 1, 0.5, 0.25)]),
    ],
    ids=str,
)
def test_alternatives(loss, name, values):
    """A hyperparameter takes a few valid values, in order, the one that it has among them."""
    (term,) = expression.parse(loss)
    hyperparameter = registry.find(term.name).hyperparameters[name]
    assert curves.alternatives(hyperparameter, term.hyperparameters[name]) == pytest.approx(values)


def test_a_list_has_no_alternatives():
    """One number for each class is not varied."""
    assert curves.alternatives(registry.find("focal").hyperparameters["alpha"], (1.0, 2.0)) == [(1.0, 2.0)]


@pytest.mark.parametrize(
    ("loss", "varied"),
    [
        ("focal", ["gamma", "label_smoothing", "stop_gradient"]),
        ("rce", ["log_zero"]),
        ("brier", [""]),
        ("nce_rce", ["reverse_crossentropy: log_zero"]),
    ],
)
def test_only_what_makes_a_difference_is_varied(loss, varied):
    """Hyperparameters that change the shape come before those that only scale, and the others are left out."""
    found = curves.variations(expression.parse(loss), MARGINS)
    assert list(found) == varied
    assert all(sum(value.endswith("(default)") for value in each) == 1 for name, each in found.items() if name)


@pytest.mark.parametrize("loss", ["gce", "ce", "weighted_crossentropy", "normalized_softmax"])
def test_picture(loss, tmp_path):
    """The file is a PNG of readable size, and nothing else is left behind."""
    path = tmp_path / "card.png"
    plot.save({str(loss): expression.parse(loss)}, path)
    content = path.read_bytes()
    width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
    assert content.startswith(b"\x89PNG")
    assert width >= 700
    assert height >= 700
    assert list(tmp_path.iterdir()) == [path]


def test_file_name(tmp_path):
    """A name without .png is refused before anything is drawn."""
    with pytest.raises(UsageError, match=r"ends in \.png"):
        plot.save({"ce": expression.parse("ce")}, tmp_path / "card.pdf")


def test_folder_that_is_not_there(tmp_path):
    """A file that cannot be written is the machine's matter."""
    with pytest.raises(MachineError, match=r"card\.png: cannot be written: No such file"):
        plot.save({"ce": expression.parse("ce")}, tmp_path / "nowhere" / "card.png")


def test_over_the_probability_cross_entropy_is_its_logarithm():
    """The axis is p_y, the slope that in p_y: -1/p."""
    figure = plot.build_figure({"ce": expression.parse("ce"), "gce": expression.parse("gce")}, "p_y")
    loss, slope = (axis.lines[0] for axis in figure.axes)
    p, values = loss.get_data()
    assert (p[0], p[-1]) == pytest.approx((0.001, 0.999))
    np.testing.assert_allclose(values, -np.log(p), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(slope.get_ydata(), -1 / p, rtol=2e-3)


def test_a_card_has_both_axes_and_a_triangle_per_loss():
    """Loss above gradient: over p_y, over the margin, over three probabilities; of four losses only the curves."""
    few = {name: expression.parse(name) for name in ("focal", "gce", "ce")}
    one = plot.build_figure({"focal": few["focal"]}).axes
    assert [axis.get_xlabel() for axis in one if axis.get_xlabel()] == [plot.AXES["p_y"], plot.AXES["margin"]]
    assert [axis.get_title() for axis in one if axis.get_title()] == ["loss", "‖gradient‖ in the logits"]
    assert [axis.get_title() for axis in plot.build_figure(few).axes][2:5] == [f"loss of {name}" for name in few]
    assert len(plot.build_figure(few | {"mae": expression.parse("mae")}).axes) == 4
    assert len(plot.build_figure(few, "simplex").axes) == 6


def test_a_card_varies_what_a_margin_alone_varies():
    """Both axes show the first hyperparameter that makes a difference, with the same values."""
    axes = plot.build_figure({"focal": expression.parse("focal")}).axes
    names = [[text.get_text() for text in axis.get_legend().get_texts()] for axis in axes[:2]]
    assert names[0] == names[1] == ["cross-entropy", "0.5", "1", "2 (default)", "4", "8"]


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("arcface", "with cosines times 30"),
        ("forward_correction", "with 20% symmetric label noise"),
        ("binary_crossentropy", "which not every loss here trains"),
        ({"name": "weighted_crossentropy", "class_weight": [1, 2, 3]}, "triangles: three classes"),
    ],
    ids=str,
)
def test_a_card_says_what_it_assumes(loss, words):
    """Stand-in context, and probabilities that the loss does not train; a list per class is cut to the classes."""
    figure = plot.build_figure({"loss": expression.parse(loss)})
    assert words in figure.get_supxlabel()


@pytest.mark.parametrize("name", [name for name, each in registry.signatures().items() if not each.plugin])
@pytest.mark.slow
def test_every_loss_has_a_card(name):
    """Integers, choices, lists, heads, context, losses of the whole batch: curves and triangles are finite."""
    figure = plot.build_figure({name: expression.parse(name)})
    assert all(np.isfinite(line.get_ydata()).all() for axis in figure.axes for line in axis.lines)
    assert not any("not drawn" in text.get_text() for axis in figure.axes for text in axis.texts)
    figure.draw_without_rendering()
