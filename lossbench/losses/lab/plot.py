"""Plots of losses: value and slope over the margin or over p_y, next to cross-entropy."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import numpy as np

from lossbench import files
from lossbench.losses.expression import LossTerm, parse
from lossbench.losses.lab.plot_file import AXES, Over
from lossbench.losses.lab.probe import HEAD_SCALE, Array, Probe, fit_to_classes, gradient, values
from lossbench.losses.labels import label
from lossbench.losses.plain_data import to_yaml
from lossbench.losses.registry import find
from lossbench.losses.signature import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from lossbench.losses.signature import Hyperparameter

CLASSES = 10
POINTS = 241
MAX_MARGIN = 8.0
"""Largest margin of losses without a cosine head."""

MOST_CERTAIN = 0.999
"""Largest p_y on an axis; the smallest is as far from 0."""

SMALLEST_SHOWN = 0.05
"""Smallest p_y for which a slope is shown whole."""

MAX_COLUMNS = 3
"""Maximum number of hyperparameters that are varied, one per column."""

FACTORS = (0.25, 0.5, 1, 2, 4)
"""Values of a hyperparameter, as multiples of its current value."""

SHARES = (0, 0.25, 0.5, 0.75, 1)
"""Values of a hyperparameter that is a share, or 0."""

MIN_VISIBLE_CHANGE = 0.02
"""Smallest visible difference between two curves, relative to the range of the first."""

MIN_RELATIVE_STEP = 0.1
"""Smallest relative distance of another value from the current one."""


def save(losses: Mapping[str, Sequence[LossTerm]], path: Path, *, over: Over = "margin") -> None:
    """Write a plot as a PNG file: several losses in one panel, or one loss with its hyperparameters varied.

    Args:
        losses: The losses, by the names for the legend.
        path: The file.
        over: Horizontal axis: the margin of the true class, or its probability.

    Raises:
        UsageError: If the file's name does not end in .png.
        MachineError: If the file cannot be written.
    """
    files.check_picture(path, parameter="plot")
    figure = build_figure(losses, over)
    files.write(path, lambda file: figure.savefig(file, format="png", dpi=160))


def build_figure(losses: Mapping[str, Sequence[LossTerm]], over: Over) -> Any:
    """Build the figure: the loss above its slope, in one column, or in one per varied hyperparameter."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    cosines = all(Probe(terms, CLASSES).needs_cosines for terms in losses.values())
    margins = _margins(over, HEAD_SCALE if cosines else MAX_MARGIN)
    first, *others = losses.values()
    columns = {"": {name: curves(terms, margins) for name, terms in losses.items()}} if others else None
    columns = columns or variations(first, margins)
    ordered = len(set(map(_loss_names, losses.values()))) == 1
    figure = Figure(figsize=(6.8 if others else 1.6 + 3.4 * len(columns), 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(columns), sharex=True, squeeze=False)
    reference = curves(parse("categorical_crossentropy"), margins)
    named = parse("categorical_crossentropy") in losses.values()
    for column, (name, varied) in enumerate(columns.items()):
        _draw_column(axes[:, column], margins, None if named and others else reference, varied, over, ordered=ordered)
        axes[0, column].legend(
            title=name or None, fontsize=8, title_fontsize=8, facecolor="white", edgecolor="none", framealpha=0.85
        )
    scaled = f" (cosines times {HEAD_SCALE:g})" if cosines else ""
    figure.supxlabel(f"{AXES[over]}, the other logits equal{scaled}", fontsize=10)
    axes[0, 0].set_ylabel("loss")
    axes[1, 0].set_ylabel(f"slope in {'$p_y$' if over == 'p_y' else 'the margin'}")
    title = ", ".join(dict.fromkeys(name.split()[0] for name in losses)) if others else label(first)
    figure.suptitle(title, fontsize=10, fontweight="bold", wrap=True)
    return figure


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
    """Limit the slope's axis to what happens above p_y = 0.05: below, that of cross-entropy grows beyond all others."""
    inside = [np.asarray(line.get_ydata())[np.asarray(line.get_xdata()) >= SMALLEST_SHOWN] for line in axis.lines]
    low, high = min(map(np.min, inside)), max(map(np.max, inside))
    axis.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))


def curves(terms: Sequence[LossTerm], margins: Array) -> Array:
    """Return the loss and its slope at each margin, `[2, margins]`; each image is a batch of one."""
    probe = Probe(fit_to_classes(terms, CLASSES), CLASSES)
    towards = np.eye(1, CLASSES) - 1 / 2
    y_true, y_pred = np.eye(1, CLASSES).repeat(len(margins), axis=0), margins[:, None] * towards
    return np.stack([values(probe.per_image, y_true, y_pred), gradient(probe.per_image, y_true, y_pred) @ towards[0]])


def variations(terms: Sequence[LossTerm], margins: Array) -> dict[str, dict[str, Array]]:
    """Return curves by hyperparameter and value: those that change the shape, else the scale, else one curve."""
    shape: dict[str, dict[str, Array]] = {}
    scale: dict[str, dict[str, Array]] = {}
    for index, term in enumerate(terms):
        for name, now in term.hyperparameters.items():
            hyperparameter = find(term.name).hyperparameters[name]
            varied = {
                _curve_label(hyperparameter, value, now): curves(
                    [*terms[:index], _with(term, hyperparameter, value), *terms[index + 1 :]], margins
                )
                for value in alternatives(hyperparameter, now)
            }
            title = f"{term.name}: {name}" if len(terms) > 1 else name
            if _visibly_different(list(varied.values())):
                scaled = [each / np.abs(each[0]).max() for each in varied.values()]
                (shape if _visibly_different(scaled) else scale)[title] = varied
            if len(shape) == MAX_COLUMNS:
                return shape
    return shape or dict(list(scale.items())[:MAX_COLUMNS]) or {"": {label(terms): curves(terms, margins)}}


def _visibly_different(these: Sequence[Array]) -> bool:
    """Return whether the difference between curves is visible."""
    return any(
        (np.abs(other - these[0]).max(axis=1) > MIN_VISIBLE_CHANGE * np.ptp(these[0], axis=1)).any()
        for other in these[1:]
    )


def _with(term: LossTerm, hyperparameter: Hyperparameter, value: object) -> LossTerm:
    return replace(term, hyperparameters={**term.hyperparameters, hyperparameter.name: value})


def _curve_label(hyperparameter: Hyperparameter, value: Any, now: object) -> str:
    """Return a value as text, with a note on the current value."""
    text = f"{value:.4g}" if isinstance(value, float) else to_yaml(value)
    chosen = "default" if hyperparameter.is_default(now) else "chosen"
    return f"{text} ({chosen})" if value == now else text


def alternatives(hyperparameter: Hyperparameter, now: Any) -> list[Any]:
    """Return a few valid values of a hyperparameter in order, including the current one."""
    if get_origin(hyperparameter.annotation) is Literal:
        return list(get_args(hyperparameter.annotation))
    if isinstance(now, bool):
        return [False, True]
    if not isinstance(now, int | float):
        return [now]
    share = hyperparameter.range.startswith(("(0, 1", "[0, 1")) and hyperparameter.range.endswith(("1)", "1]"))
    tried = SHARES if share or not now else [now * factor for factor in FACTORS]
    apart = [each for each in tried if abs(each - now) >= MIN_RELATIVE_STEP * abs(now or 1)]
    return sorted({now, *_valid(hyperparameter, map(round, apart) if isinstance(now, int) else apart)})


def _valid(hyperparameter: Hyperparameter, tried: Iterable[float]) -> Iterator[float]:
    for each in tried:
        with suppress(ValueError):
            yield canonical(hyperparameter, each)
