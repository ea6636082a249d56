"""Parts that all plots share: sizes, colours, labels, a grid of panels, and the two files of a figure."""

from __future__ import annotations

import io
import math
import textwrap
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lossbench import files
from lossbench.report import formatting
from lossbench.report.comparison import columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from lossbench.analysis.result import Group

INK, PALE, BASELINE, FAINT = "#0072b2", "#a6d0ea", "0.25", "0.88"
"""A loss (Okabe and Ito's blue), its band, the baseline (always dashed) and the background; distinct in grey too."""

MOST_COLUMNS = 4
"""Panels side by side."""

LETTERS_PER_INCH, SHORT = 13, 60
LINE = 0.17
"""Inches per line of text."""

DOTS_PER_INCH = 150

STYLE: dict[str, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "figure.labelsize": 9,
    "legend.fontsize": 8,
    "legend.handlelength": 2.5,
    "legend.frameon": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.h_pad": 0.07,
    "axes.formatter.useoffset": False,
    "text.parse_math": False,  # a label may hold a dollar sign
    "svg.hashsalt": "lossbench",  # equal figures give equal files
}


@contextmanager
def style() -> Iterator[None]:
    """Draw with the settings of this file instead of the user's; a letter that no font has becomes a box."""
    import matplotlib as mpl

    settings: Any = {**mpl.rcParamsDefault, **STYLE}
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")
        yield


def panel_grid(
    panels: int, sentences: Sequence[str], keys: Sequence[Artist], *, width: float = 2.4, height: float = 1.9
) -> tuple[Figure, SubFigure, list[Axes]]:
    """Lay out panels with shared axes, up to four side by side, below sentences and a legend.

    Args:
        panels: How many.
        sentences: The lines above; empty ones are dropped.
        keys: The entries of the legend.
        width: Inches per panel.
        height: Inches per panel.

    Returns:
        The figure, the subfigure that holds the panels, and their axes.
    """
    across = panels if panels <= MOST_COLUMNS else min(MOST_COLUMNS, math.ceil(math.sqrt(panels)))
    rows = math.ceil(panels / across)
    figure, body = figure_with_head(max(5.2, 0.8 + width * across), 0.5 + height * rows, sentences, keys)
    axes = list(body.subplots(rows, across, squeeze=False, sharex=True, sharey=True).ravel())
    for index, axis in enumerate(axes):
        if index >= panels:
            axis.remove()
        elif index + across >= panels:
            axis.tick_params(labelbottom=True)
    return figure, body, axes[:panels]


def figure_with_head(
    width: float, height: float, sentences: Sequence[str], keys: Sequence[Artist]
) -> tuple[Figure, SubFigure]:
    """Create a figure of `width` inches: sentences and legend above an empty body `height` inches high.

    Returns:
        The figure, which belongs to no window, and its body.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    text = "\n".join(textwrap.fill(formatting.clean(each), int(width * LETTERS_PER_INCH)) for each in sentences if each)
    letters = sum(len(str(each.get_label())) + 8 for each in keys)
    in_one_row = letters < width * LETTERS_PER_INCH
    head = LINE * (text.count("\n") + 1.5 + (min(1, len(keys)) if in_one_row else len(keys)))
    figure = Figure(figsize=(width, head + height), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(2, 1, height_ratios=(head, height))
    top, body = parts
    top.text(0.5, 1 - 0.4 * LINE / head, text, ha="center", va="top", fontsize=9)
    if keys:
        top.legend(handles=keys, loc="lower center", ncols=len(keys) if in_one_row else 1, borderaxespad=0)
    return figure, body


def wrapped_label(text: str, width: int = 30, most: int = 3) -> str:
    """Return a label in at most `most` lines, with an ellipsis if there would be more."""
    lines = [line.strip() for line in formatting.wrap_label(formatting.clean(text), width)]
    return "\n".join(lines) if len(lines) <= most else "\n".join(lines[:most]) + " …"


def short_label(text: str, most: int = SHORT) -> str:
    """Return a label in one line of at most `most` letters, and an ellipsis if there would be more."""
    one_line = formatting.clean(text)
    return one_line if len(one_line) <= most else f"{one_line[:most]}…"


def marked_label(group: Group, width: int = 30, most: int = 3) -> str:
    """Return a group's label in lines, marked if it trains no softmax probabilities."""
    return wrapped_label(group.label, width, most) + columns.NO_SOFTMAX * (group.link != "softmax")


def line_key(meaning: str, **style: Any) -> Artist:
    """Return a line for the legend, by default in a loss's ink."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=meaning, **{"color": INK, **style})


def area_key(meaning: str, color: str) -> Artist:
    """Return a patch for the legend."""
    from matplotlib.patches import Patch

    return Patch(color=color, label=meaning)


def baseline_key(label: str | None) -> list[Artist]:
    """Return the legend's entry of the baseline, if there is one."""
    return [line_key(f"{short_label(label)} (baseline)", color=BASELINE, linestyle="--")] if label else []


def set_epochs(axis: Axes) -> None:
    """Set the ticks of an axis of epochs: at most five, at whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(4, steps=(1, 2, 5, 10), integer=True, min_n_ticks=1))


def lay_out(figure: Figure) -> None:
    """Compute the layout once for both files: it takes as long as drawing one of them."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")


def save_figure(figure: Figure, directory: Path, name: str) -> Sequence[Path]:
    """Write a figure as PNG and as SVG, and return both paths."""
    lay_out(figure)
    paths = []
    for form, about in (("png", {}), ("svg", {"Date": None})):
        content = io.BytesIO()
        figure.savefig(content, format=form, metadata=about)
        path = directory / f"{name}.{form}"
        files.make_folder(path.parent)
        files.write_bytes(path, content.getvalue())
        paths.append(path)
    return paths
