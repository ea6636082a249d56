"""The picture of a plane: each image at its features, each region in its class's colour, angles where they count."""

import numpy as np
import pytest

from lossbench.inspect.feature_plane import read_feature_plane
from lossbench.report.plots import canvas
from lossbench.report.run import feature_plot
from lossbench.runs import paths, read, write

LONG = "my $wonderful$ loss_with_a_name_that_is_much_longer_than_any_panel alpha=0.123456 and 漢字 beta=[1, 2, 3]"


@pytest.fixture
def plane(fabricate, tmp_path):
    """Return the plane of a run: three classes around the origin, the regions by their angles."""

    def make(label="focal", head="linear", **config):
        chosen = {"model.features": 2, "model.head": {"name": head}, **config}
        folder = fabricate(tmp_path, label, images=90, classes=3, config=chosen)
        labels = read.predictions(folder)["labels"]
        angles = labels * 2 + np.linspace(-0.5, 0.5, 90)
        features = np.stack([3 * np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
        regions = np.arange(40 * 40).reshape(40, 40) % 40 // 14
        box = np.array([-4, 4, -1.5, 1.5], np.float32)
        write.arrays(folder / paths.FEATURES, {"features": features, "box": box, "regions": regions.astype(np.uint8)})
        return read_feature_plane(read.read(folder))

    return make


@pytest.fixture
def drawn():
    """Return a function that draws a plane and returns figure and axes, laid out."""

    def draw(plane):
        with canvas.style():
            figure = feature_plot.feature_figure(plane)
            figure.draw_without_rendering()
        (axis,) = figure.axes
        return figure, axis

    return draw


def test_each_image_lies_at_its_features(plane, drawn):
    """One collection per class, in the order of the classes; the large name is at the median."""
    plane = plane()
    _, axis = drawn(plane)
    scattered = [each for each in axis.collections if type(each).__name__ == "PathCollection"]
    for each, (points, name) in enumerate(zip(scattered, axis.texts, strict=True)):
        mine = plane.features[plane.labels == each]
        np.testing.assert_allclose(points.get_offsets(), mine, rtol=1e-6)
        assert (name.get_text(), name.get_position()) == (str(each), pytest.approx(tuple(np.median(mine, axis=0))))


def test_regions_have_the_colours_of_their_classes(plane, drawn):
    """The picture has one tint per class, from the bottom left, over the whole box."""
    plane = plane()
    _, axis = drawn(plane)
    (image,) = axis.images
    tints = np.asarray(image.get_array())
    for each in range(3):
        assert len(np.unique(tints[plane.regions == each], axis=0)) == 1
    assert len(np.unique(tints.reshape(-1, 3), axis=0)) == 3
    assert (image.origin, image.get_extent()) == ("lower", [-4, 4, -1.5, 1.5])


@pytest.mark.parametrize(("head", "aspect"), [("linear", "auto"), ("cosine", 1.0)])
def test_angles_keep_their_size_where_they_decide(plane, drawn, head, aspect):
    """A unit is as long across as up with a cosine head, and the picture says that the angle decides."""
    figure, axis = drawn(plane(head=head))
    assert axis.get_aspect() == aspect
    assert ("angle" in figure.subfigs[0].texts[0].get_text()) is (head == "cosine")


def test_the_classes_have_the_labels_of_their_files(plane, drawn):
    """Where `data.classes` chose them."""
    _, axis = drawn(plane(**{"data.classes": [7, 1, 26]}))
    assert [text.get_text() for text in axis.texts] == ["7", "1", "26"]


@pytest.mark.parametrize("head", ["linear", "cosine"])
def test_nothing_lies_outside_the_picture(plane, drawn, head):
    """With a loss of any name."""
    figure, axis = drawn(plane(LONG, head))
    title = figure.subfigs[0].texts[0].get_window_extent()
    assert figure.bbox.x0 <= title.x0 < title.x1 <= figure.bbox.x1
    assert axis.get_tightbbox().y1 < title.y0


def test_the_file_is_a_png(plane, tmp_path):
    """Equal planes give equal bytes."""
    plane = plane()
    for name in ("a.png", "b.png"):
        feature_plot.save_feature_plot(plane, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
