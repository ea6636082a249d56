"""Measured properties of a loss: whether it is bounded, symmetric and proper, and its largest gradient.

Every loss is measured in the same way, on grids and samples of logits. A measured maximum is no proof of a bound.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lossbench import ops
from lossbench.losses.expression import link
from lossbench.losses.lab.probe import Array, Probe, fit_to_classes, gradient, stand_ins, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lossbench.losses.expression import LossTerm

CLASSES = 10
CLASS_COUNTS = np.array([(12, 6, 2), (8, 7, 5), (10, 9, 1)])
"""Three class distributions, each of 20 images with the same logits, for the expected loss on three classes."""

SCALES = np.logspace(-4, 0, 9)
"""Sizes of the logits, relative to the largest: two per decade."""

ClassProbabilities: TypeAlias = tuple[float, ...]

UNBOUNDED_GROWTH = 0.05
"""Relative growth over the last decade of scales from which values count as unbounded. Measured over the catalogue:
at most 0.009 for bounded losses, at least 8.5 for unbounded ones."""

NOISE = 1e-3
"""Absolute growth that is not counted, for values near 0."""

CONSTANT_SUM_TOLERANCE = 1e-4
"""Relative spread up to which Σ_c L(c) counts as constant. Measured over the catalogue: at most 7e-7 for symmetric
losses, at least 1e-3 for all others."""

MINIMISER_TOLERANCE = 0.01
"""Distance up to which a minimiser counts as the class probabilities; the finest grid has steps of 0.005 in the logits,
0.00125 in a probability."""


@dataclass(frozen=True)
class Properties:
    """Measured properties of a loss; an infinite value means growth without bound.

    Attributes:
        smallest: Smallest value found.
        largest: Largest value found.
        sums: Smallest and largest Σ_c L(c) found, the sum of the loss over all possible true classes.
        minimisers: Pairs of class probabilities and the probabilities that minimise the expected loss; empty if the
            expected loss has no minimum.
        steepest: Largest ‖∂L/∂z‖₂ found.
    """

    smallest: float
    largest: float
    sums: tuple[float, float]
    minimisers: tuple[tuple[ClassProbabilities, ClassProbabilities], ...]
    steepest: float

    @property
    def bounded(self) -> bool:
        """Whether all values are finite, however large the logits."""
        return bool(np.isfinite([self.smallest, self.largest]).all())

    @property
    def symmetric(self) -> bool:
        """Whether Σ_c L(c) is constant, which makes a loss robust to symmetric label noise."""
        low, high = self.sums
        return high - low <= CONSTANT_SUM_TOLERANCE * max(abs(low), abs(high))

    @property
    def proper(self) -> bool:
        """Whether the class probabilities minimise the expected loss."""
        pairs = self.minimisers
        return bool(pairs) and all(np.allclose(found, true, atol=MINIMISER_TOLERANCE) for true, found in pairs)


def measure(terms: Sequence[LossTerm]) -> Properties:
    """Measure a loss, or a weighted sum of several.

    Args:
        terms: Loss terms, as `parse` returns them.

    Returns:
        The properties on ten equally frequent classes; the minimisers on three.
    """
    probe = Probe(fit_to_classes(terms, CLASSES), CLASSES)
    far = _at_all_scales(probe)
    losses = np.split(values(probe.per_image, *far), len(SCALES))
    return Properties(
        smallest=-_largest_or_infinite(probe, [-each for each in losses]),
        largest=_largest_or_infinite(probe, losses),
        sums=_sums(probe),
        minimisers=_minimisers(Probe(fit_to_classes(terms, 3), 3), link(terms)),
        steepest=_steepest(probe, far),
    )


def _logit_patterns(classes: int) -> Array:
    """Return logits of size about 1: one class high, one low, two equal, all equal, and a random sample."""
    high = np.eye(classes)
    equal = high + np.roll(high, 1, axis=0)
    patterns = [high, -high, 2 * high - 1, 1 - 2 * high, equal, 2 * equal - 1, np.zeros((1, classes))]
    sample = np.random.default_rng(0).uniform(-1, 1, (60, classes))
    return np.concatenate([*patterns, sample])


def _with_every_label(logits: Array) -> tuple[Array, Array]:
    """Return targets and logits in which each row of logits meets each true class."""
    images, classes = logits.shape
    return np.tile(np.eye(classes), (images, 1)), np.repeat(logits, classes, axis=0)


def _at_all_scales(probe: Probe) -> tuple[Array, Array]:
    """Return targets and logits at all scales, the smallest first."""
    patterns = _logit_patterns(CLASSES)
    return _with_every_label(np.concatenate([scale * probe.max_logit * patterns for scale in SCALES]))


def _largest_or_infinite(probe: Probe, by_scale: Sequence[Array]) -> float:
    """Return the largest value, or infinity if values grow over the last decade of scales; cosines are bounded."""
    *nearer, _, last = [float(each.max()) for each in by_scale]
    largest = max(nearer)
    unbounded = last > largest + UNBOUNDED_GROWTH * abs(largest) + NOISE and not probe.needs_cosines
    return float("inf") if unbounded else max(largest, last)


def _sums(probe: Probe) -> tuple[float, float]:
    scales = probe.max_logit * np.array([0.01, 0.1, 0.5]) if probe.needs_cosines else (1, 3, 10)
    logits = np.concatenate([scale * _logit_patterns(CLASSES) for scale in scales])
    sums = values(probe.per_image, *_with_every_label(logits)).reshape(-1, CLASSES).astype(np.float64).sum(axis=1)
    return float(sums.min()), float(sums.max())


def _steepest(probe: Probe, far: tuple[Array, Array]) -> float:
    """Return the largest gradient at all scales and on a fine grid of margins to all rivals and to one rival."""
    first, second = np.eye(1, CLASSES), np.eye(1, CLASSES, k=1)
    margins = np.linspace(-1, 1, 401)[:, None] * min(probe.max_logit, 20)
    low = min(probe.max_logit, 40) * (1 - first - second)
    near = np.concatenate([margins / 2 * (2 * first - 1), margins / 2 * (first - second) - low])
    slopes = gradient(probe.per_image, *map(np.concatenate, zip((first.repeat(len(near), 0), near), far, strict=True)))
    norms = np.linalg.norm(slopes, axis=1)
    return _largest_or_infinite(probe, [norms[: len(near)], *np.split(norms[len(near) :], len(SCALES))])


def _minimisers(probe: Probe, link: str) -> tuple[tuple[ClassProbabilities, ClassProbabilities], ...]:
    """Minimise the expected loss for some class probabilities; return nothing if it falls without bound."""
    grid = _grid(9, 37)
    far = min(10, probe.max_logit / 9)
    found = []
    for counts in CLASS_COUNTS:
        near, beyond = np.split(_expected_loss(probe, counts, np.concatenate([grid, far * grid])), 2)
        if beyond.min() < min(2 * near.min(), -1):
            return ()
        best = grid[near.argmin()]
        for reach in (0.75, 0.075):
            finer = best + _grid(reach, 31)
            best = finer[_expected_loss(probe, counts, finer).argmin()]
        found.append((tuple(counts / counts.sum()), tuple(_probabilities(best, link))))
    return tuple(found)


def _grid(reach: float, points: int) -> NDArray[np.float64]:
    """Return the logits of three classes on a cube from -reach to reach, `[points³, 3]`."""
    return np.array(list(product(np.linspace(-reach, reach, points), repeat=3)))


def _expected_loss(probe: Probe, counts: NDArray[np.int64], grid: Array) -> NDArray[np.float64]:
    """Return the mean loss at each point of a grid, of labels after the noise of the probe's transition matrix."""
    if probe.couples_batch:
        images = np.eye(3, dtype=np.float32)[np.repeat(np.arange(3), counts)]
        losses = ops.vectorized_map(
            lambda logits: ops.mean(probe(images, ops.tile(logits[None], (len(images), 1)))),
            ops.convert_to_tensor(grid, dtype="float32"),
        )
        return np.asarray(ops.convert_to_numpy(losses), np.float64)
    noise = probe.transition_matrix if "transition_matrix" in probe.context_names else np.eye(3)
    by_label = values(probe.per_image, *_with_every_label(grid)).reshape(-1, 3).astype(np.float64)
    return np.asarray(by_label @ (counts / counts.sum() @ noise))


def _probabilities(logits: NDArray[np.float64], link: str) -> NDArray[np.float64]:
    if link == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-logits)))
    return np.asarray(np.exp(logits) / np.exp(logits).sum())


def as_json(measured: Properties) -> dict[str, Any]:
    """Return the properties as plain values, with null for infinity."""
    verdicts = {name: getattr(measured, name) for name in ("bounded", "symmetric", "proper")}
    plain = verdicts | asdict(measured)
    return {key: None if isinstance(value, float) and np.isinf(value) else value for key, value in plain.items()}


def report(terms: Sequence[LossTerm], measured: Properties) -> str:
    """Return the properties as text, with the conditions under which they were measured."""
    low, high = (f"{each:.4g}" for each in measured.sums)
    lines = [
        ("bounded", measured.bounded, f"{_number(measured.smallest)} to {_number(measured.largest)}"),
        ("symmetric", measured.symmetric, f"Σ_c L(c) is {high if measured.symmetric else f'between {low} and {high}'}"),
        ("proper", measured.proper, _describe_minimisers(measured)),
    ]
    steepest = "grows with the logits" if np.isinf(measured.steepest) else f"up to {measured.steepest:.3g}"
    text = [f"  {name:11}{'yes' if holds else 'no':5}{words}" for name, holds, words in lines]
    given = ", ".join(stand_ins(terms, CLASSES))
    gradient_line = f"  {'gradient':16}‖∂L/∂z‖ {steepest}"
    return "\n".join([f"Measured on {CLASSES} classes{f', with {given}' if given else ''}:", "", *text, gradient_line])


def _describe_minimisers(measured: Properties) -> str:
    if measured.proper:
        return "the class probabilities minimise the expected loss"
    if not measured.minimisers:
        return "the expected loss has no minimum"
    pairs = [f"{_shares(true)} become {_shares(found)}" for true, found in measured.minimisers]
    return "class probabilities " + f"\n{'':38}".join(pairs)


def _number(value: float) -> str:
    return f"{value + 0:.4g}".replace("inf", "∞")


def _shares(probabilities: Sequence[float]) -> str:
    return " ".join(f"{each:.2f}" for each in probabilities)
