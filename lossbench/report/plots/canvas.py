"""What all plots share: sizes, inks, labels, a grid of panels, and how a figure becomes two files."""

from __future__ import annotations

import io
import math
import textwrap
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lossbench import files
from lossbench.metrics import REPORTED
from lossbench.report import formatting
from lossbench.report.comparison import columns
from lossbench.report.comparison.table import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from lossbench.analysis.measure import Measure
    from lossbench.analysis.result import Group

INK, PALE, BASELINE, FAINT = "#0072b2", "#a6d0ea", "0.25", "0.88"
"""A loss (Okabe and Ito's blue), its band, the baseline (always dashed), what stays behind: apart in grey too."""

MOST_LOSSES, MOST_COLUMNS = 20, 4
"""In one figure, and side by side in it."""

LETTERS_PER_INCH, SHORT = 13, 60
LINE = 0.17
"""Inches from a line of text to the next."""

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
    """Draw with the settings of this file, whatever the user's own are; a letter that no font has becomes a box."""
    import matplotlib as mpl

    settings: Any = {**mpl.rcParamsDefault, **STYLE}
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")
        yield


def grid(
    panels: int, sentences: Sequence[str], meanings: Sequence[Artist], *, width: float = 2.4, height: float = 1.9
) -> tuple[Figure, SubFigure, list[Axes]]:
    """So many panels with the same axes, up to four side by side, below sentences and the meanings of the inks.

    Returns:
        The figure, the part of it that holds the panels, and their axes.
    """
    across = panels if panels <= MOST_COLUMNS else min(MOST_COLUMNS, math.ceil(math.sqrt(panels)))
    rows = math.ceil(panels / across)
    figure, body = page(max(5.2, 0.8 + width * across), 0.5 + height * rows, sentences, meanings)
    axes = list(body.subplots(rows, across, squeeze=False, sharex=True, sharey=True).ravel())
    for place, axis in enumerate(axes):
        if place >= panels:
            axis.remove()
        elif place + across >= panels:
            axis.tick_params(labelbottom=True)
    return figure, body, axes[:panels]


def page(width: float, height: float, sentences: Sequence[str], meanings: Sequence[Artist]) -> tuple[Figure, SubFigure]:
    """A figure with a body of so many inches, below its title, sentences, and the meanings of the inks.

    Returns:
        The figure, which no window knows, and its body.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    text = "\n".join(textwrap.fill(formatting.clean(each), int(width * LETTERS_PER_INCH)) for each in sentences if each)
    letters = sum(len(str(each.get_label())) + 8 for each in meanings)
    beside = letters < width * LETTERS_PER_INCH
    head = LINE * (text.count("\n") + 1.5 + (min(1, len(meanings)) if beside else len(meanings)))
    figure = Figure(figsize=(width, head + height), dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(2, 1, height_ratios=(head, height))
    top, body = parts
    top.text(0.5, 1 - 0.4 * LINE / head, text, ha="center", va="top", fontsize=9)
    if meanings:
        top.legend(handles=meanings, loc="lower center", ncols=len(meanings) if beside else 1, borderaxespad=0)
    return figure, body


def label(text: str, width: int = 30, most: int = 3) -> str:
    """A label in lines, an ellipsis at the end if there are too many."""
    lines = [line.strip() for line in wrapped(formatting.clean(text), width)]
    return "\n".join(lines) if len(lines) <= most else "\n".join(lines[:most]) + " …"


def short(text: str) -> str:
    """A label in one line of at most 60 letters."""
    one_line = formatting.clean(text)
    return one_line if len(one_line) <= SHORT else f"{one_line[:SHORT]}…"


def name(group: Group, width: int = 30, most: int = 3) -> str:
    """A group's label in lines, marked if it trains no softmax probabilities."""
    return label(group.label, width, most) + columns.NO_SOFTMAX * (group.link != "softmax")


def footnote(groups: Iterable[Group]) -> str:
    """What the mark behind a name means; empty if none has it."""
    marked = any(group.link != "softmax" for group in groups)
    return f"{columns.NO_SOFTMAX} the loss trains no softmax probabilities" if marked else ""


def cut(losses: int) -> str:
    """What a figure says that does not show all of so many losses."""
    return f"the best {MOST_LOSSES} of {losses} losses" if losses > MOST_LOSSES else ""


def stroke(meaning: str, **how: Any) -> Artist:
    """A line for the legend, in a loss's ink unless it is said how."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=meaning, **{"color": INK, **how})


def area(meaning: str, color: str) -> Artist:
    """A patch for the legend."""
    from matplotlib.patches import Patch

    return Patch(color=color, label=meaning)


def dashed(label: str | None) -> list[Artist]:
    """The baseline for the legend, if there is one."""
    return [stroke(f"{short(label)} (baseline)", color=BASELINE, linestyle="--")] if label else []


def quantity(measure: Measure) -> str:
    """A measure with its unit: `test accuracy (%)`, `test NLL (nats)`."""
    unit = "%" if measure.in_percent else REPORTED[measure.name].unit
    return f"test {measure.title} ({unit})"


def scale(measure: Measure) -> int:
    """What its values are multiplied by."""
    return 100 if measure.in_percent else 1


def lay_out(figure: Figure) -> None:
    """Make room for every word, once for both files: it takes as long as drawing one of them."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")


def save(figure: Figure, directory: Path, name: str) -> Sequence[Path]:
    """Write a figure as PNG and as SVG."""
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
