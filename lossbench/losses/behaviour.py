"""Behaviour of a user's loss on ordinary outputs of a network, compared with another form of its inputs.

A loss that was written for probabilities may fail on logits, which are negative or larger than 1: it is not finite,
falls below zero, or has no gradient where it clips. Some of this is right for other losses: a hinge has no gradient
beyond its margin, a negative cosine is negative. So no observation counts by itself, only one that disappears when the
loss gets its inputs in the other form. A loss that ignores a number added to all logits, as softmax and margins do, was
written for logits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Gradient: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]
    """Function of targets and logits that returns the losses, and their gradient with respect to the logits."""

SMALL, ORDINARY, LARGE = 0.1, 1.0, 5.0
"""Standard deviations of logits: before training, early in training, and late."""

CONFIDENT = (2.0, 5.0, 20.0)
"""Logits of the true class when all others are 0."""

IMAGES = 256
NEGATIVE = -0.02
"""Value below which a loss counts as negative, relative to its size before training."""

LOST = 0.38
"""Difference between two forms, in the share of images or entries without a gradient, that counts as a fault: 0 for all
losses of the catalogue, a quarter for evidence max(z, 0) on two classes, about half for a loss that clips at 0."""

CLIPPED = 0.75
"""Share of entries without a gradient at large logits that counts as a fault: 0.92 if logits are clipped to [0, 1], 0.5
if they are clipped at 0."""

FAINT, MOSTLY_FAINT = 1e-6, 0.8
"""Slope that counts as faint, relative to the ninth decile, and the difference between two forms that counts as a
fault: where Keras clips one factor of a loss to 1e-7, another may still have a gradient."""

PUSHED_DOWN = 0.25
"""Difference between two forms, in the share of images whose true class is pushed down, that counts as a fault."""


@dataclass(frozen=True)
class Behaviour:
    """Behaviour of a loss on random logits, from small to large ones.

    Attributes:
        finite: Whether all losses and gradients are finite.
        has_gradient: Whether any entry of the gradient is finite and not zero.
        negative: Whether losses fall below zero.
        unbounded: Whether losses fall in proportion to the logits.
        shift_invariant: Whether the losses ignore a number that is added to all logits.
        mirrored: Whether the losses of z and -z are equal, as after a division by the sum.
        without_gradient: Share of images without a gradient at small logits.
        clipped: Share of entries of the gradient that are zero, at inputs that are probabilities, at small and at large
            logits.
        faint: Share of faint slopes, which are almost zero, at small negative logits of wrong classes, less the share
            at positive ones.
        pushed_down: Share of images at small logits whose true class a gradient step lowers against the others.
    """

    finite: bool = True
    has_gradient: bool = True
    negative: bool = False
    unbounded: bool = False
    shift_invariant: bool = False
    mirrored: bool = False
    without_gradient: float = 0.0
    clipped: tuple[float, float, float] = (0.0, 0.0, 0.0)
    faint: float = 0.0
    pushed_down: float = 0.0


def observe(gradient: Gradient, classes: int) -> Behaviour:
    """Observe the behaviour of a loss.

    Args:
        gradient: Function of targets and logits, both `[images, classes]`, that returns the losses, `[images]` or a
            scalar, and their gradient `[images, classes]`.
        classes: Number of classes.
    """
    images = max(IMAGES, 4 * classes)
    targets = np.eye(classes, dtype=np.float32)[np.arange(images) % classes]
    normal = np.random.default_rng(0).standard_normal((images, classes)).astype(np.float32)
    values, slopes = zip(*(gradient(targets, scale * normal) for scale in (SMALL, ORDINARY, LARGE)), strict=True)
    patterns = [logit * pattern for logit in CONFIDENT for pattern in (targets, targets - 1, 2 * targets - 1)]
    size = float(np.median(np.abs(values[0])))
    lowest = min(_lowest(each) for each in (*values, *(gradient(targets, each)[0] for each in patterns)))
    shifted, mirrored, far = (gradient(targets, each)[0] for each in (normal + 1, -normal, 10 * LARGE * normal))
    at_probabilities = gradient(targets, _softmax(normal))[1]
    return Behaviour(
        finite=all(np.isfinite(each).all() for each in (*values, *slopes)),
        has_gradient=any(np.any(np.isfinite(each) & (each != 0)) for each in slopes),
        negative=lowest < NEGATIVE * size,
        unbounded=_lowest(far) < 3 * _lowest(values[2]) < -size,
        shift_invariant=_equal(shifted, values[1], size),
        mirrored=_equal(mirrored, values[1], size),
        without_gradient=float(np.mean(np.all(slopes[0] == 0, axis=1))),
        clipped=(_share_of_zeros(at_probabilities), _share_of_zeros(slopes[0]), _share_of_zeros(slopes[2])),
        faint=_share_of_faint(targets, SMALL * normal, slopes[0]),
        pushed_down=share_pushed_down(targets, slopes[0]),
    )


def _equal(values: Array, others: Array, size: float) -> bool:
    return bool(np.isfinite(size)) and np.allclose(values, others, rtol=1e-3, atol=1e-3 * size)


def _lowest(values: Array) -> float:
    return float(np.min(values))


def _share_of_zeros(slopes: Array) -> float:
    return float(np.mean(slopes == 0))


def _share_of_faint(targets: Array, logits: Array, slopes: Array) -> float:
    sizes = np.abs(slopes)
    faint = (sizes > 0) & (sizes <= FAINT * np.quantile(sizes, 0.9))
    wrong = targets == 0
    return float(np.mean(faint[wrong & (logits < 0)]) - np.mean(faint[wrong & (logits > 0)]))


def _softmax(logits: Array) -> Array:
    exponentials = np.exp(logits)
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def share_pushed_down(targets: Array, slopes: Array) -> float:
    """Return the share of images whose true class a gradient step lowers against the others.

    Args:
        targets: One-hot labels `[images, classes]`.
        slopes: Gradient of the loss, likewise.
    """
    true = np.sum(targets * slopes, axis=1)
    others = np.sum((1 - targets) * slopes, axis=1) / (targets.shape[1] - 1)
    return float(np.mean(true > others + 1e-6 * np.abs(slopes).max()))


def fault_of_logits(logits: Behaviour, probabilities: Behaviour | None = None) -> str | None:
    """Return what is wrong with a loss of logits, but right if it gets probabilities.

    Args:
        logits: Behaviour of the loss of logits.
        probabilities: Behaviour of the loss of probabilities; None: without any fault, to see whether it matters.

    Returns:
        The fault in words, e.g. `has no gradient for 56 % of the images`, or None.
    """
    right = probabilities or Behaviour()
    if logits.shift_invariant or not is_sound(right):
        return None
    at_probabilities, small, large = logits.clipped
    lost = logits.without_gradient - right.without_gradient
    faults = {
        "is not finite": not logits.finite,
        f"has no gradient for {logits.without_gradient:.0%} of the images": lost >= LOST,
        f"has no gradient for {small:.0%} of small and {large:.0%} of large logits": small - at_probabilities >= LOST
        and large >= CLIPPED,
        "has almost no gradient for negative logits": logits.faint - right.faint >= MOSTLY_FAINT,
        "falls below zero without bound": logits.unbounded,
        "falls below zero": logits.negative and not right.negative,
        "is the same for z and -z": logits.mirrored and not right.mirrored,
    }
    return next((words for words, found in faults.items() if found), None)


def is_sound(behaviour: Behaviour) -> bool:
    """Return whether a loss is finite and its gradient favours the true class."""
    return behaviour.finite and behaviour.has_gradient and behaviour.pushed_down < PUSHED_DOWN
