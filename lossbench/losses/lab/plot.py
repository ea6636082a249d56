"""Plot of a loss: value and slope against the margin, for several hyperparameters, with cross-entropy."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import numpy as np

from lossbench import files
from lossbench.errors import UsageError
from lossbench.losses.expression import LossTerm, label, parse, to_yaml
from lossbench.losses.lab.probe import HEAD_SCALE, Array, Probe, fit_to_classes, gradient, values
from lossbench.losses.registry import find
from lossbench.losses.signature import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from lossbench.losses.signature import Hyperparameter

CLASSES = 10
POINTS = 241
MAX_MARGIN = 8.0
"""Largest margin of losses without a cosine head."""

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


def save(terms: Sequence[LossTerm], path: Path) -> None:
    """Write the plot as a PNG file.

    Raises:
        UsageError: If the file's name does not end in .png.
        MachineError: If the file cannot be written.
    """
    if path.suffix != ".png":
        raise UsageError(f"expected a file name that ends in .png, got {path}", parameter="plot")
    figure = _build_figure(terms)
    files.write(path, lambda file: figure.savefig(file, format="png", dpi=160))


def _build_figure(terms: Sequence[LossTerm]) -> Any:
    """Build the figure: one column per varied hyperparameter, the loss above its slope."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    probe = Probe(terms, CLASSES)
    margins = np.linspace(-1, 1, POINTS) * min(probe.max_logit, HEAD_SCALE if probe.needs_cosines else MAX_MARGIN)
    reference = curves(parse("categorical_crossentropy"), margins)
    columns = variations(terms, margins)
    figure = Figure(figsize=(1.6 + 3.4 * len(columns), 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(columns), sharex=True, squeeze=False)
    for column, (name, varied) in enumerate(columns.items()):
        _draw_column(axes[:, column], margins, reference, varied)
        axes[0, column].legend(
            title=name or None, fontsize=8, title_fontsize=8, facecolor="white", edgecolor="none", framealpha=0.85
        )
    scaled = f" (cosines times {HEAD_SCALE:g})" if probe.needs_cosines else ""
    figure.supxlabel(rf"margin $z_y - \max_{{j \neq y}} z_j$, the other logits equal{scaled}", fontsize=10)
    axes[0, 0].set_ylabel("loss")
    axes[1, 0].set_ylabel("slope in the margin")
    figure.suptitle(label(terms), fontsize=10, fontweight="bold", wrap=True)
    return figure


def _draw_column(axes: Iterable[Axes], margins: Array, reference: Array, varied: dict[str, Array]) -> None:
    from matplotlib import colormaps

    shades = colormaps["viridis"](np.linspace(0, 0.85, max(len(varied), 2)))
    for row, axis in enumerate(axes):
        axis.plot(margins, reference[row], color="0.45", linestyle="--", linewidth=1.2, label="cross-entropy")
        for shade, (name, curve) in zip(shades, varied.items(), strict=False):
            axis.plot(margins, curve[row], color=shade, linewidth=2.6 if name.endswith(")") else 1.3, label=name)
        axis.axvline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.axhline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)


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
