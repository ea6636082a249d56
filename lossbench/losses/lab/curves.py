"""Curves of a loss over the margin, and the same with one hyperparameter varied."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import numpy as np

from lossbench.losses.lab.probe import Array, Probe, fit_to_classes, gradient, values
from lossbench.losses.labels import label
from lossbench.losses.plain_data import to_yaml
from lossbench.losses.registry import find
from lossbench.losses.signature import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lossbench.losses.expression import LossTerm
    from lossbench.losses.signature import Hyperparameter

CLASSES = 10
FACTORS = (0.25, 0.5, 1, 2, 4)
"""Values of a hyperparameter, as multiples of its current value."""

SHARES = (0, 0.25, 0.5, 0.75, 1)
"""Values of a hyperparameter that is a share, or 0."""

MIN_VISIBLE_CHANGE = 0.02
"""Smallest visible difference between two curves, relative to the range of the first."""

MIN_RELATIVE_STEP = 0.1
"""Smallest relative distance of another value from the current one."""

MAX_COLUMNS = 3
"""Maximum number of hyperparameters that are varied, one per column."""


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
                scaled = [each / (np.abs(each[0]).max() or 1) for each in varied.values()]
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
