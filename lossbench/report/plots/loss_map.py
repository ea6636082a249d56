"""Loss map: a cell per condition, in the colour of the loss with the best mean, hatched where several may be best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.report import map_figure
from lossbench.report.plots import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lossbench.report.map_figure import MapFigure, Tile

WIDTH, HEIGHT = 1.6, 0.85
"""Inches of a cell."""

LETTERS = 28
"""Letters of a name per line."""

HATCH, LINES = "//", "0.45"
"""Pattern of ties, and its grey."""


def plot_map(content: MapFigure) -> Figure:
    """Plot the map."""
    keys = [
        canvas.area_key(canvas.short_label(label), map_figure.PALETTE[each])
        for each, label in enumerate(content.losses)
    ]
    keys += [_hatched_key()] * content.has_ties
    size = (max(5.2, 0.9 + WIDTH * len(content.columns)), 0.6 + HEIGHT * len(content.rows))
    figure, body = canvas.figure_with_head(*size, content.sentences, keys)
    axis: Axes = body.subplots()
    for tile in content.tiles:
        _plot_tile(axis, tile)
    axis.set(xlim=(-0.5, len(content.columns) - 0.5), ylim=(len(content.rows) - 0.5, -0.5))
    axis.set_xticks(range(len(content.columns)), content.columns)
    axis.set_yticks(range(len(content.rows)), content.rows)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_xlabel(canvas.wrapped_label(content.column_key, 60))
    axis.set_ylabel(canvas.wrapped_label(content.row_key, 26))
    return figure


def _plot_tile(axis: Axes, tile: Tile) -> None:
    """Plot a cell: its fill, its names in bold where one loss is best alone, and its number."""
    from matplotlib.patches import Rectangle

    fill = map_figure.OTHERS if tile.colour is None else map_figure.PALETTE[tile.colour]
    corner = (tile.column - 0.5, tile.row - 0.5)
    hatch: Any = {"hatch": HATCH, "edgecolor": LINES} if tile.is_tied else {}
    axis.add_patch(Rectangle(corner, 1, 1, facecolor=fill, linewidth=0, **hatch))
    axis.add_patch(Rectangle(corner, 1, 1, facecolor="none", edgecolor="white", linewidth=3))
    names = ",\n".join(canvas.wrapped_label(name, LETTERS) for name in tile.names)
    weight = "normal" if tile.is_tied else "bold"
    written = axis.text(tile.column, tile.row, f"{names}\n{tile.mean}".rstrip(), fontsize=6.5, weight=weight)
    written.set(ha="center", va="center", bbox={"facecolor": fill, "linewidth": 0, "pad": 2})


def _hatched_key() -> Any:
    from matplotlib.patches import Patch

    return Patch(facecolor="white", edgecolor=LINES, hatch=HATCH, linewidth=0, label=map_figure.TIED)
