"""What kind of loss this is, measured and not proven: bounded, symmetric, proper, and how steep.

Every loss is measured alike, a user's own included, on grids and samples of logits; that no larger value was found does
not prove that there is none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench import ops
from lossbench.losses.expression import link
from lossbench.losses.lab.probe import FLIPPED, HEAD_SCALE, Array, Probe, fit_to_classes, gradient, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lossbench.losses.expression import LossTerm

CLASSES = 10
IMAGES_OF_CLASS = ((12, 6, 2), (8, 7, 5), (10, 9, 1))
"""Of 20 images that look alike, how many are of each of three classes."""

INFINITIES = (float("inf"), -float("inf"))
UNBOUNDED_GROWTH = 1.05
"""What is larger by this factor at ten times the logits is taken to grow without bound."""

CONSTANT_SUM_TOLERANCE = 1e-3
"""Relative difference up to which sums in float32 are called constant."""

MINIMISER_TOLERANCE = 0.01
"""Difference of probabilities up to which a minimiser is called the class probabilities."""


@dataclass(frozen=True)
class Properties:
    """The measured properties of a loss; infinite is what grows without bound.

    Attributes:
        smallest: The smallest value found.
        largest: The largest value found.
        sums: The smallest and the largest Σ_c L(c) found, the sum over all classes that could be the true one.
        minimisers: Class probabilities, and the probabilities at which the expected loss is least; none if it has no
            least value.
        steepest: The largest ‖∂L/∂z‖₂ found.
    """

    smallest: float
    largest: float
    sums: tuple[float, float]
    minimisers: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]
    steepest: float

    @property
    def bounded(self) -> bool:
        """Whether values stay finite however large the logits."""
        return bool(np.isfinite([self.smallest, self.largest]).all())

    @property
    def symmetric(self) -> bool:
        """Whether Σ_c L(c) does not depend on the logits: what makes a loss robust to symmetric label noise."""
        low, high = self.sums
        return high - low <= CONSTANT_SUM_TOLERANCE * max(abs(low), abs(high))

    @property
    def proper(self) -> bool:
        """Whether the expected loss is least at the class probabilities."""
        return bool(self.minimisers) and all(
            np.allclose(found, true, atol=MINIMISER_TOLERANCE) for true, found in self.minimisers
        )


def measure(terms: Sequence[LossTerm]) -> Properties:
    """The properties of a loss, or of a weighted sum of several, on 10 equally frequent classes."""
    probe = Probe(fit_to_classes(terms, CLASSES), CLASSES)
    smallest, largest = _range(probe)
    least = _minimisers(Probe(fit_to_classes(terms, 3), 3), link(terms))
    return Properties(smallest, largest, _sums(probe), least, _steepest(probe))


def _logit_patterns(classes: int) -> Array:
    """Logits of size about 1: one class ahead, one behind, two level, all level, and any."""
    ahead = np.eye(classes)
    level = ahead + np.roll(ahead, 1, axis=0)
    patterns = [ahead, -ahead, 2 * ahead - 1, 1 - 2 * ahead, level, 2 * level - 1, np.zeros((1, classes))]
    sample = np.random.default_rng(0).uniform(-1, 1, (60, classes))
    return np.concatenate([*patterns, sample])


def _with_every_label(logits: Array) -> tuple[Array, Array]:
    """Targets and logits in which each row meets each true class."""
    images, classes = logits.shape
    return np.tile(np.eye(classes), (images, 1)), np.repeat(logits, classes, axis=0)


def _scales(probe: Probe) -> NDArray[np.float64]:
    return probe.max_logit * np.logspace(-4, 0, 9)


def _range(probe: Probe) -> tuple[float, float]:
    """The smallest and the largest value; infinite where the last step outwards still adds."""
    found = [values(probe.per_image, *_with_every_label(scale * _logit_patterns(CLASSES))) for scale in _scales(probe)]
    return -_largest_or_infinite(probe, [-each for each in found]), _largest_or_infinite(probe, found)


def _largest_or_infinite(probe: Probe, found: Sequence[Array]) -> float:
    """The largest number of all, or infinity if it grew in the last decade of scales."""
    *nearer, _, last = [float(each.max()) for each in found]
    bounded = (
        probe.needs_cosines or last <= max(nearer) + (UNBOUNDED_GROWTH - 1) * abs(max(nearer)) + CONSTANT_SUM_TOLERANCE
    )
    return max(*nearer, last) if bounded else float("inf")


def _sums(probe: Probe) -> tuple[float, float]:
    scales = probe.max_logit * np.array([0.01, 0.1, 0.5]) if probe.needs_cosines else (1, 3, 10)
    logits = np.concatenate([scale * _logit_patterns(CLASSES) for scale in scales])
    sums = values(probe.per_image, *_with_every_label(logits)).reshape(-1, CLASSES).astype(np.float64).sum(axis=1)
    return float(sums.min()), float(sums.max())


def _steepest(probe: Probe) -> float:
    """The largest gradient, near and far, with a fine search along the margin to all rivals and to one of them."""
    far = [_with_every_label(scale * _logit_patterns(CLASSES)) for scale in _scales(probe)]
    first, second = np.eye(1, CLASSES), np.eye(1, CLASSES, k=1)
    margins = np.linspace(-1, 1, 401)[:, None] * min(probe.max_logit, 20)
    behind = min(probe.max_logit, 40) * (1 - first - second)
    near = np.concatenate([margins / 2 * (2 * first - 1), margins / 2 * (first - second) - behind])
    batches = [(np.repeat(first, len(near), axis=0), near), *far]
    slopes = gradient(probe.per_image, *map(np.concatenate, zip(*batches, strict=True)))
    ends = np.cumsum([len(y_pred) for _, y_pred in batches])[:-1]
    return _largest_or_infinite(probe, np.split(np.linalg.norm(slopes, axis=1), ends))


def _minimisers(probe: Probe, link: str) -> tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]:
    """Where the expected loss is least for some class probabilities; none if it falls without end."""
    grid = _grid(9, 37)
    found = []
    for counts in map(np.array, IMAGES_OF_CLASS):
        near, far = (float(_expected(probe, counts, scale * grid).min()) for scale in (1, min(10, probe.max_logit / 9)))
        if far < min(2 * near, -1):
            return ()
        found.append((tuple(counts / counts.sum()), tuple(_probabilities(_minimiser(probe, counts, grid), link))))
    return tuple(found)


def _minimiser(probe: Probe, counts: NDArray[np.int64], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logits of the least expected loss, by a grid that is refined twice."""
    best: NDArray[np.float64] = grid[_expected(probe, counts, grid).argmin()]
    for reach in (0.75, 0.075):
        finer = best + _grid(reach, 31)
        best = finer[_expected(probe, counts, finer).argmin()]
    return best


def _grid(reach: float, points: int) -> NDArray[np.float64]:
    """All logits of three classes up to so far from 0, `[points³, 3]`."""
    return np.array(list(product(np.linspace(-reach, reach, points), repeat=3)))


def _expected(probe: Probe, counts: NDArray[np.int64], grid: Array) -> NDArray[np.float64]:
    """The mean loss at each point of a grid; where labels are noisy by a transition matrix, of the noisy labels."""
    if probe.couples_batch:
        images = np.eye(3, dtype=np.float32)[np.repeat(np.arange(3), counts)]
        batch = ops.vectorized_map(
            lambda logits: ops.mean(probe(images, ops.tile(logits[None], (len(images), 1)))),
            ops.convert_to_tensor(grid, dtype="float32"),
        )
        return np.asarray(ops.convert_to_numpy(batch), np.float64)
    noise = probe.transition_matrix if "transition_matrix" in probe.context_names else np.eye(3)
    each = values(probe.per_image, *_with_every_label(grid)).reshape(-1, 3).astype(np.float64)
    return np.asarray(each @ (counts / counts.sum() @ noise))


def _probabilities(logits: NDArray[np.float64], link: str) -> NDArray[np.float64]:
    if link == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-logits)))
    return np.asarray(np.exp(logits) / np.exp(logits).sum())


def as_json(measured: Properties) -> dict[str, Any]:
    """The properties in plain values; what is infinite becomes null."""
    verdicts = {name: getattr(measured, name) for name in ("bounded", "symmetric", "proper")}
    return {key: None if value in INFINITIES else value for key, value in (verdicts | asdict(measured)).items()}


def report(terms: Sequence[LossTerm], measured: Properties) -> str:
    """The properties as lines for reading, and what was measured on."""
    low, high = (f"{each:.4g}" for each in measured.sums)
    steepest = "grows with the logits" if np.isinf(measured.steepest) else f"up to {measured.steepest:.3g}"
    lines = [
        ("bounded", measured.bounded, f"{_number(measured.smallest)} to {_number(measured.largest)}"),
        ("symmetric", measured.symmetric, f"Σ_c L(c) is {high if measured.symmetric else f'between {low} and {high}'}"),
        ("proper", measured.proper, _least(measured)),
    ]
    text = [f"  {name:11}{'yes' if holds else 'no':5}{words}" for name, holds, words in lines]
    text += [f"  {'gradient':16}‖∂L/∂z‖ {steepest}"]
    return "\n".join([f"Measured on {CLASSES} classes{_surroundings(terms)}:", "", *text])


def _least(measured: Properties) -> str:
    """Where the expected loss is least."""
    if measured.proper:
        return "the expected loss is least at the class probabilities"
    if not measured.minimisers:
        return "the expected loss has no least value"
    shown = [f"{_shares(true)} become {_shares(found)}" for true, found in measured.minimisers]
    return "class probabilities " + f"\n{'':38}".join(shown)


def _surroundings(terms: Sequence[LossTerm]) -> str:
    asked = Probe(terms, CLASSES).context_names
    conditions = {
        "class_counts": "equal class counts",
        "transition_matrix": f"{FLIPPED:.0%} symmetric label noise",
        "head_scale": f"cosines times {HEAD_SCALE:g}",
        "epoch": "epoch 0",
    }
    named = [words for name, words in conditions.items() if name in asked]
    return f", with {', '.join(named)}" if named else ""


def _number(value: float) -> str:
    return f"{value + 0:.4g}".replace("inf", "∞")


def _shares(probabilities: Sequence[float]) -> str:
    return " ".join(f"{each:.2f}" for each in probabilities)
