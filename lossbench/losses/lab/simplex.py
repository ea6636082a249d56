"""A loss and the size of its gradient over the probabilities of three classes, as triangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lossbench.losses.lab.probe import Array, Probe, fit_to_classes, gradient, values

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from lossbench.losses.expression import LossTerm

CLASSES = 3
STEPS = 40
"""Points along a side of the triangle."""

SMALLEST = 0.005
"""Smallest probability: at 0 many losses are infinite."""

LEVELS, SAME = 8, 1e-3
"""Contour lines, and the relative range up to which heights count as equal."""

DARKEST = 0.62
"""End of the colour scale, so that black numbers are readable on it; it darkens steadily, also in grey."""

CORNERS = np.array([(0.5, np.sqrt(3) / 2), (0, 0), (1, 0)])
"""Corners of the triangle: the true class above, the two others below."""


@dataclass(frozen=True)
class Surface:
    """A loss over the triangle.

    Attributes:
        probabilities: `[points, 3]`, that of the true class first.
        loss: `[points]`.
        gradient: `[points]`, ‖∂L/∂z‖.
        obstacle: Why there are no values; empty if there are.
    """

    probabilities: Array
    loss: Array
    gradient: Array
    obstacle: str = ""


def grid() -> Array:
    """Return probabilities of three classes on a regular grid, `[points, 3]`; none is below `SMALLEST`."""
    whole = [(first, second) for first in range(STEPS + 1) for second in range(STEPS + 1 - first)]
    shares = np.array([(first, second, STEPS - first - second) for first, second in whole]) / STEPS
    return SMALLEST + (1 - CLASSES * SMALLEST) * shares


def surface(terms: Sequence[LossTerm]) -> Surface:
    """Compute a loss at the logits log p with mean 0, each image as a batch of one."""
    probabilities = grid()
    logits = np.log(probabilities)
    logits -= logits.mean(axis=1, keepdims=True)
    y_true = np.eye(1, CLASSES).repeat(len(logits), axis=0)
    try:
        probe = Probe(fit_to_classes(terms, CLASSES), CLASSES)
        loss, slopes = values(probe.per_image, y_true, logits), gradient(probe.per_image, y_true, logits)
    except Exception as error:  # noqa: BLE001 - a user's loss may be written for its own number of classes
        return Surface(probabilities, np.empty(0), np.empty(0), f"{type(error).__name__}: {error}"[:120])
    size = np.linalg.norm(slopes, axis=1)
    finite = np.isfinite(loss).all() and np.isfinite(size).all()
    return Surface(probabilities, loss, size, "" if finite else "its values are not finite")


def draw(axes: Iterable[Axes], terms: Sequence[LossTerm]) -> None:
    """Draw the loss on the first of two axes, the size of its gradient on the second."""
    found = surface(terms)
    for axis, heights in zip(axes, (found.loss, found.gradient), strict=True):
        axis.set_aspect("equal")
        axis.set(xlim=(-0.08, 1.08), ylim=(-0.1, 1.0))
        axis.set_axis_off()
        if found.obstacle:
            text = f"not drawn: with three classes\n{found.obstacle}"
            axis.text(0.5, 0.3, text, ha="center", fontsize=8, wrap=True)
        else:
            _draw_heights(axis, found.probabilities @ CORNERS, heights)


def _draw_heights(axis: Axes, points: Array, heights: Array) -> None:
    """Fill the triangle by height with numbered contour lines, and mark where the prediction changes."""
    from matplotlib import colormaps

    levels = contour_levels(heights)
    colours = colormaps["YlGnBu"](np.linspace(0.04, DARKEST, len(levels) + 1))
    if len(levels) > 1:
        axis.tricontourf(points[:, 0], points[:, 1], heights, levels=levels, colors=colours, extend="both")
        lines = axis.tricontour(points[:, 0], points[:, 1], heights, levels=levels, colors="0.3", linewidths=0.5)
        axis.clabel(lines, fontsize=7, colors="black", fmt=lambda level: f"{level:.4g}")
    else:
        axis.fill(*CORNERS.T, color=colours[0])
        axis.text(0.5, 0.1, f"constant: {heights.mean():.4g}", ha="center", fontsize=8)
    middle = CORNERS.mean(axis=0)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        halfway = CORNERS[[first, second]].mean(axis=0)
        axis.plot(*np.stack([middle, halfway], axis=1), color="black", linewidth=0.8, linestyle=(0, (1, 2)))
    axis.plot(*CORNERS[[0, 1, 2, 0]].T, color="0.3", linewidth=0.8)
    for (x, y), name in zip(CORNERS, ("$p_y = 1$", "$p_j = 1$", "$p_k = 1$"), strict=True):
        axis.annotate(name, (x, y), (0, 3 if y else -11), textcoords="offset points", ha="center", fontsize=8)


def contour_levels(heights: Array) -> list[float]:
    """Return round heights that divide the points into parts of about equal size; at most one if all are equal.

    Example:
        >>> contour_levels(np.linspace(0, 1, 101))
        [0.11, 0.22, 0.33, 0.44, 0.56, 0.67, 0.78, 0.89]
    """
    if np.ptp(heights) <= SAME * np.abs(heights).max():
        return []
    quantiles = np.quantile(heights, np.linspace(0, 1, LEVELS + 2)[1:-1])
    found: list[float] = []
    for digits in (2, 3, 4):
        found = sorted({float(f"{height:.{digits}g}") for height in quantiles.tolist()})
        if len(found) > LEVELS // 2:
            return found
    return found
