"""The plane of a penultimate layer with two units: test images as digits, predicted classes as regions."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from lossbench import files
from lossbench.report.plots import canvas
from lossbench.report.run import classes

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path
    from numpy.typing import NDArray

    from lossbench.inspect.feature_plane import FeaturePlane

WIDTH, HEIGHTS = 7.0, (4.0, 10.0)
"""Inches: the width, and the lowest and the highest body of a figure in which angles keep their size."""

MARK = 12
"""Size of an image's digit, in square points."""

TINT = 0.72
"""Share of white in a region's colour."""

SHADE = 0.7
"""Factor that darkens the colour of an image's digit."""


def save_feature_plot(plane: FeaturePlane, path: pathlib.Path) -> None:
    """Write the plane of a run as a PNG file; raises MachineError if it cannot be written."""
    with canvas.style():
        content = io.BytesIO()
        feature_figure(plane).savefig(content, format="png")
    files.write_bytes(path, content.getvalue())


def feature_figure(plane: FeaturePlane) -> Figure:
    """Draw the regions of the predicted classes, and each test image as its true class."""
    names = _names(plane)
    left, right, bottom, top = plane.box
    height = float(np.clip(WIDTH * (top - bottom) / (right - left), *HEIGHTS)) if plane.is_angular else WIDTH
    figure, body = canvas.figure_with_head(WIDTH, height, list(_sentences(plane)), ())
    axis: Axes = body.subplots()
    _draw_regions(axis, plane, len(names))
    _draw_images(axis, plane, names)
    axis.set(xlim=(left, right), ylim=(bottom, top), xlabel="feature 1", ylabel="feature 2")
    axis.spines[:].set_visible(False)
    if plane.is_angular:
        axis.set_aspect("equal")
        axis.plot(0, 0, "+", color="black", markersize=8, zorder=5)
    return figure


def _sentences(plane: FeaturePlane) -> Iterator[str]:
    accuracy = plane.run.metrics.get("test.last.accuracy")
    score = "" if accuracy is None else f" · test accuracy {100 * accuracy:.2f} %"
    yield canvas.short_label(plane.run.loss)
    yield f"seed {plane.run.seed}{score}"
    yield f"{len(plane.labels):,} test images, each drawn as its true class; large: the median of a class"
    rule = "cosine head: the angle at the origin (+) decides" if plane.is_angular else f"{plane.head} head"
    yield f"background: the predicted class ({rule})"


def _names(plane: FeaturePlane) -> list[str]:
    """Return the names of the classes: those of the data files where `data.classes` chose some."""
    labels = classes.class_labels(plane.run.config)
    count = 1 + max(int(plane.labels.max()), int(plane.regions.max()))
    return [labels.get(str(index), str(index)) for index in range(count)]


def _colours(count: int) -> NDArray[np.float64]:
    """Return a colour per class `[classes, 3]`; with more than ten, they repeat."""
    from matplotlib import colormaps

    return np.array([colormaps["tab10"](index % 10)[:3] for index in range(count)])


def _draw_regions(axis: Axes, plane: FeaturePlane, count: int) -> None:
    """Fill each region with a tint of its class, and draw the boundaries for readers without colour."""
    pale = TINT + (1 - TINT) * _colours(count)
    axis.imshow(pale[plane.regions], origin="lower", extent=plane.box, aspect="auto", interpolation="nearest")
    rows, columns = plane.regions.shape
    left, right, bottom, top = plane.box
    x = left + (np.arange(columns) + 0.5) / columns * (right - left)
    y = bottom + (np.arange(rows) + 0.5) / rows * (top - bottom)
    shown = np.unique(plane.regions)
    for each in shown if len(shown) > 1 else ():
        axis.contour(x, y, plane.regions == each, levels=[0.5], colors="white", linewidths=1.2)


def _draw_images(axis: Axes, plane: FeaturePlane, names: Sequence[str]) -> None:
    """Draw each image as the name of its class, and the name once more, large, at the median of the class."""
    from matplotlib.patheffects import withStroke

    for each, (name, colour) in enumerate(zip(names, SHADE * _colours(len(names)), strict=True)):
        images = plane.features[plane.labels == each]
        if not len(images):
            continue
        middle = np.median(images, axis=0)
        axis.scatter(
            images[:, 0],
            images[:, 1],
            s=MARK * len(name) ** 2,
            marker=_outline(name),
            color=colour,
            linewidths=0,
            zorder=3,
        )
        written = axis.text(middle[0], middle[1], name, color=colour, fontsize=15, fontweight="bold", zorder=4)
        written.set(ha="center", va="center", in_layout=False)
        written.set_path_effects([withStroke(linewidth=3, foreground="white")])


def _outline(text: str) -> Path:
    """Return the outline of a text around the origin, as the marker of an image."""
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    outline = TextPath((0, 0), text, size=10)
    box = outline.get_extents()
    return outline.transformed(Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2))
