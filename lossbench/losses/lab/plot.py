"""Plots of losses: value and slope over the margin, over p_y and over three probabilities, next to cross-entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench import files
from lossbench.losses.expression import LossTerm, link, parse
from lossbench.losses.lab import simplex
from lossbench.losses.lab.curves import CLASSES, MAX_COLUMNS, curves, variations
from lossbench.losses.lab.plot_file import AXES, Over, check_count
from lossbench.losses.lab.probe import HEAD_SCALE, Array, Probe, stand_ins
from lossbench.losses.labels import label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

POINTS = 241
MAX_MARGIN = 8.0
"""Largest margin of losses without a cosine head."""

MOST_CERTAIN = 0.999
"""Largest p_y on an axis; the smallest is as far from 0."""

SHOWN_WHOLE = (0.05, 0.95)
"""Values of p_y between which a slope is shown whole."""

WIDE, MANY_WIDE, TRIANGLE_WIDE = 3.4, 4.2, 2.9
"""Inches of a column of curves of one loss, of several losses, and of a triangle."""


def save(losses: Mapping[str, Sequence[LossTerm]], path: Path, *, over: Over = "all") -> None:
    """Write a plot as a PNG file: one loss with its hyperparameters varied, or several side by side.

    Args:
        losses: The losses, by the names for the legend.
        path: The file.
        over: What the loss is drawn over: the probability of the true class, the margin, the probabilities of three
            classes, or all of them.

    Raises:
        UsageError: If the file's name does not end in .png, or more losses were given than fit.
        MachineError: If the file cannot be written.
    """
    files.check_picture(path, parameter="plot")
    check_count(len(losses), over)
    figure = build_figure(losses, over)
    files.write(path, lambda file: figure.savefig(file, format="png", dpi=160))


def build_figure(losses: Mapping[str, Sequence[LossTerm]], over: Over = "all") -> Any:
    """Build the figure: the loss above its slope, a column per axis, per varied hyperparameter and per triangle."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = _line_columns(losses, over)
    triangles = _triangle_columns(losses, over)
    widths = [*(MANY_WIDE if len(losses) > 1 else WIDE for _ in lines), *(TRIANGLE_WIDE for _ in triangles)]
    figure = Figure(figsize=(1.6 + sum(widths), 5.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(widths), squeeze=False, width_ratios=widths)
    for column, drawn in enumerate(lines):
        _draw_lines(axes[:, column], drawn, losses)
    for column, (name, terms) in enumerate(triangles.items(), len(lines)):
        simplex.draw(axes[:, column], terms)
        axes[0, column].set_title(f"loss{f' of {name}' * (len(losses) > 1)}", fontsize=9, wrap=True)
        axes[1, column].set_title("‖gradient‖ in the logits", fontsize=9)
    figure.suptitle(_title(losses), fontsize=10, fontweight="bold", wrap=True)
    figure.supxlabel(_note(losses, with_triangles=bool(triangles), with_lines=bool(lines)), fontsize=8)
    return figure


@dataclass(frozen=True)
class LineColumn:
    """Curves over one axis: a name for the legend, and `[2, points]` of loss and slope in the margin per curve."""

    over: Over
    margins: Array
    name: str
    curves: dict[str, Array]


def _line_columns(losses: Mapping[str, Sequence[LossTerm]], over: Over) -> list[LineColumn]:
    """Return the columns of curves; over all axes at once only the first hyperparameter is varied."""
    largest = HEAD_SCALE if _needs_cosines(losses) else MAX_MARGIN
    chosen: list[Over] = ["p_y", "margin"] if over == "all" else [over] if over in AXES else []
    if not chosen:
        return []
    margins = np.concatenate([_margins(each, largest) for each in chosen])
    first, *others = losses.values()
    varied = {"": {name: curves(terms, margins) for name, terms in losses.items()}} if others else None
    varied = varied or variations(first, margins)
    if over == "all":
        varied = dict(list(varied.items())[:1])
    return [
        LineColumn(each, margins[part], name, {label: curve[:, part] for label, curve in of_name.items()})
        for each, part in ((each, slice(index * POINTS, (index + 1) * POINTS)) for index, each in enumerate(chosen))
        for name, of_name in varied.items()
    ]


def _triangle_columns(losses: Mapping[str, Sequence[LossTerm]], over: Over) -> Mapping[str, Sequence[LossTerm]]:
    """Return the losses that are drawn over three probabilities; beside curves, a few have room."""
    shown = over == "simplex" or (over == "all" and len(losses) <= MAX_COLUMNS)
    return losses if shown else {}


def _draw_lines(axes: Any, drawn: LineColumn, losses: Mapping[str, Sequence[LossTerm]]) -> None:
    """Draw one column of curves with cross-entropy, legend and titles of the axes."""
    several = len(losses) > 1
    ordered = len(set(map(_loss_names, losses.values()))) == 1
    named = parse("categorical_crossentropy") in losses.values()
    reference = None if named and several else curves(parse("categorical_crossentropy"), drawn.margins)
    _draw_column(axes, drawn.margins, reference, drawn.curves, drawn.over, ordered=ordered)
    axes[0].legend(
        title=drawn.name or None, fontsize=8, title_fontsize=8, facecolor="white", edgecolor="none", framealpha=0.85
    )
    axes[0].set_ylabel("loss")
    axes[1].set_ylabel(f"slope in {'$p_y$' if drawn.over == 'p_y' else 'the margin'}")
    axes[1].set_xlabel(AXES[drawn.over])


def _needs_cosines(losses: Mapping[str, Sequence[LossTerm]]) -> bool:
    return all(Probe(terms, CLASSES).needs_cosines for terms in losses.values())


def _title(losses: Mapping[str, Sequence[LossTerm]]) -> str:
    first, *others = losses.values()
    return ", ".join(dict.fromkeys(name.split()[0] for name in losses)) if others else label(first)


def _note(losses: Mapping[str, Sequence[LossTerm]], *, with_lines: bool, with_triangles: bool) -> str:
    """Return what the picture assumes: the logits, and the context that a loss was given."""
    parts = [f"curves: {CLASSES} classes, the other logits equal"] * with_lines
    parts += [
        "triangles: three classes, logits log p with mean 0; dotted: where the prediction changes"
    ] * with_triangles
    context = dict.fromkeys(words for terms in losses.values() for words in stand_ins(terms, CLASSES))
    links = {link(terms) for terms in losses.values()}
    if links != {"softmax"}:
        parts.append("p is the softmax of the logits, which not every loss here trains")
    return "\n".join([*parts, *([f"with {', '.join(context)}"] if context else [])])


def _loss_names(terms: Sequence[LossTerm]) -> str:
    return " + ".join(term.name for term in terms)


def _margins(over: Over, largest: float) -> Array:
    """Return margins that are evenly spaced on the axis."""
    if over == "margin":
        return np.linspace(-largest, largest, POINTS)
    p = np.linspace(1 - MOST_CERTAIN, MOST_CERTAIN, POINTS)
    return np.log(p / (1 - p) * (CLASSES - 1))


def probabilities(margins: Array) -> Array:
    """Return p_y at each margin, with the other logits equal."""
    return np.asarray(1 / (1 + (CLASSES - 1) * np.exp(-margins)))


def _draw_column(
    axes: Iterable[Axes],
    margins: Array,
    reference: Array | None,
    varied: dict[str, Array],
    over: Over,
    *,
    ordered: bool,
) -> None:
    """Draw curves of the loss and of its slope; shades of one colour where they are ordered."""
    from matplotlib import colormaps

    x = margins if over == "margin" else probabilities(margins)
    stretch = (1.0, 1.0) if over == "margin" else (1.0, 1 / (x * (1 - x)))  # d margin / d p_y
    palette = colormaps["tab10"].colors  # type: ignore[attr-defined] # a list of colours
    shades = colormaps["viridis"](np.linspace(0, 0.85, max(len(varied), 2)))
    colours = shades if ordered else [palette[number % len(palette)] for number in range(len(varied))]
    for row, axis in enumerate(axes):
        if reference is not None:
            style: dict[str, Any] = {"color": "0.45", "linestyle": "--", "linewidth": 1.2, "zorder": 3}
            axis.plot(x, reference[row] * stretch[row], **style, label="cross-entropy")
        for colour, (name, curve) in zip(colours, varied.items(), strict=False):
            width = 2.6 if name.endswith(")") else 1.5
            axis.plot(x, curve[row] * stretch[row], color=colour, linewidth=width, label=name)
        if over == "margin":
            axis.axvline(0, color="0.85", linewidth=0.8, zorder=0)
        elif row:
            _focus(axis)
        axis.axhline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)


def _focus(axis: Axes) -> None:
    """Limit the slope's axis to the middle of p_y: at its ends, some slopes grow beyond all others; 0 is shown."""
    low, high = 0.0, 0.0
    for line in axis.lines:
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        inside = y[(x >= SHOWN_WHOLE[0]) & (x <= SHOWN_WHOLE[1])]
        low, high = min(low, inside.min()), max(high, inside.max())
    room = 0.05 * (high - low) or 1
    axis.set_ylim(low - room, high + room)
