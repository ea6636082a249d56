"""A loss over three probabilities: its values, the size of its gradient by finite differences, and the levels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lossbench.losses import expression, plugin
from lossbench.losses.lab import simplex
from lossbench.losses.lab.probe import Probe, values

STEP = 1e-2


def test_the_grid_covers_the_triangle():
    """Every point is a distribution without zeros; each corner is there."""
    grid = simplex.grid()
    np.testing.assert_allclose(grid.sum(axis=1), 1)
    assert grid.min() == pytest.approx(simplex.SMALLEST)
    for corner in np.eye(3):
        assert np.abs(grid - corner).sum(axis=1).min() < 0.03


def test_cross_entropy_by_hand():
    """-log p_y, whose gradient in the logits is p - e; the true class is the first."""
    found = simplex.surface(expression.parse("ce"))
    np.testing.assert_allclose(found.loss, -np.log(found.probabilities[:, 0]), rtol=1e-4, atol=1e-6)
    expected = np.linalg.norm(found.probabilities - [1, 0, 0], axis=1)
    np.testing.assert_allclose(found.gradient, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", ["focal", "gce", "squentropy", "dice", "arcface", "forward_correction", "mbls"])
def test_the_gradient_is_that_of_the_values(loss):
    """By central differences in each of the three logits, at every tenth point."""
    terms = expression.parse(loss)
    found = simplex.surface(terms)
    some = slice(None, None, 10)
    logits = np.log(found.probabilities[some])
    logits -= logits.mean(axis=1, keepdims=True)
    y_true, probe = np.eye(1, 3).repeat(len(logits), axis=0), Probe(terms, 3)
    up, down = ([values(probe.per_image, y_true, logits + sign * STEP * e) for e in np.eye(3)] for sign in (1, -1))
    slopes = (np.array(up, np.float64) - np.array(down, np.float64)) / (2 * STEP)
    np.testing.assert_allclose(found.gradient[some], np.linalg.norm(slopes, axis=0), rtol=2e-2, atol=2e-3)
    np.testing.assert_allclose(found.loss[some], values(probe.per_image, y_true, logits), rtol=1e-5, atol=1e-6)


def test_a_loss_for_ten_classes_says_why_it_has_no_triangle(tmp_path):
    """Its picture still has its curves."""
    from lossbench.losses.lab import plot

    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\nfrom lossbench import ops\n\n\ndef ten(y_true, y_pred):\n"
        "    weights = ops.convert_to_tensor(np.ones((1, 10), np.float32))\n"
        "    return -ops.sum(weights * y_true * ops.log_softmax(y_pred), axis=-1)\n"
    )
    plugin.load(path)
    figure = plot.build_figure({"ten": expression.parse("ten")})
    texts = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert sum(text.startswith("not drawn: with three classes") for text in texts) == 2
    assert len(figure.axes[0].lines) >= 2


@given(arrays(np.float64, st.integers(2, 200), elements=st.floats(-1e6, 1e6)))
def test_levels_rise_within_the_heights(heights):
    """At most eight, strictly increasing, rounded by less than a twentieth."""
    levels = simplex.contour_levels(heights)
    assert len(levels) <= simplex.LEVELS
    assert (np.diff(levels) > 0).all()
    for level in levels:
        assert heights.min() - 0.05 * abs(level) <= level <= heights.max() + 0.05 * abs(level)


def test_equal_heights_have_no_levels():
    """As the gradient of the unhinged loss."""
    assert simplex.contour_levels(np.full(9, 1.2247)) == []
