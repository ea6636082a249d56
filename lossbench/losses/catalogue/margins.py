"""Losses of score differences: they ask for a margin, not for a probability."""

from typing import Literal

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation
from lossbench.losses.types import NonNegative, Tensor


def hinge(y_true: Tensor, y_pred: Tensor, *, margin: NonNegative = 1.0) -> Tensor:
    """C support vector machines, each telling one class from the rest.

        mean_j max(0, margin - t_j z_j),  t = 2e - 1

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`; not invariant to a shift.
        margin: How far from 0, on its side, each score should be.

    Returns:
        The loss of each image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(hinge(ops.eye(3), ops.eye(3))[0]), 4)
        0.6667

    Source: Keras.
    """
    return ops.mean(ops.relu(margin - (2 * y_true - 1) * y_pred), axis=-1)


def squared_hinge(y_true: Tensor, y_pred: Tensor, *, margin: NonNegative = 1.0) -> Tensor:
    """The hinge loss squared: smooth at the margin, and stricter beyond it.

        mean_j max(0, margin - t_j z_j)²,  t = 2e - 1

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`; not invariant to a shift.
        margin: How far from 0, on its side, each score should be.

    Returns:
        The loss of each image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(squared_hinge(ops.eye(3), ops.eye(3))[0]), 4)
        0.6667

    Source: Keras.
    """
    return ops.mean(ops.square(ops.relu(margin - (2 * y_true - 1) * y_pred)), axis=-1)


def categorical_hinge(y_true: Tensor, y_pred: Tensor, *, margin: NonNegative = 1.0) -> Tensor:
    """The multi-class support vector machine: the true class should lead its strongest rival by a margin.

        max(0, margin + max_{j≠y} z_j - z_y)

    Keras' own puts max(0, max_{j≠y} z_j) in the place of max_{j≠y} z_j, which differs where all other scores are
    negative.

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.
        margin: By how much z_y should exceed each other z_j.

    Returns:
        The loss of each image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(categorical_hinge(ops.eye(3), ops.eye(3) / 2)[0]), 4)
        0.5

    Source: Crammer & Singer 2001, On the algorithmic implementation of multiclass kernel-based vector machines.
    """
    return ops.max(y_pred + margin * (1 - y_true), axis=-1) - expectation(y_true, y_pred)


def multi_margin(y_true: Tensor, y_pred: Tensor, *, p: Literal[1, 2] = 1, margin: NonNegative = 1.0) -> Tensor:
    """The multi-class support vector machine in which every rival inside the margin counts.

        (1/C) Σ_{j≠y} max(0, margin - z_y + z_j)^p

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.
        p: The power: 1 for straight, 2 for squared.
        margin: By how much z_y should exceed each other z_j.

    Returns:
        The loss of each image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(multi_margin(ops.eye(3), ops.eye(3) / 2)[0]), 4)
        0.3333

    Source: Weston & Watkins 1999; PyTorch.
    """
    violations = ops.relu(margin - expectation(y_true, y_pred)[:, None] + y_pred)
    return ops.mean((1 - y_true) * violations**p, axis=-1)


def multiclass_perceptron(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """How far the highest score is above the true class's: 0 where the image is classified correctly.

        max_j z_j - z_y

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.

    Returns:
        The loss of each image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(multiclass_perceptron(ops.eye(3), -ops.eye(3))[0]), 4)
        1.0

    Source: Collins 2002, Discriminative training methods for hidden Markov models; optax.
    """
    return ops.max(y_pred, axis=-1) - expectation(y_true, y_pred)


def _margin(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """By how much the true class leads the mean of the others: m = z_y - mean_{j≠y} z_j."""
    classes = y_pred.shape[-1]
    return classes / (classes - 1) * (expectation(y_true, y_pred) - ops.mean(y_pred, axis=-1))


def sigmoid_loss(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """A smooth step from 1 to 0 as the true class takes the lead: bounded and symmetric.

        σ(-m),  m = z_y - mean_{j≠y} z_j

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.

    Returns:
        The loss of each image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(sigmoid_loss(ops.eye(3), ops.eye(3))[0]), 4)
        0.2689

    Source: Bartlett, Jordan & McAuliffe 2006, Convexity, classification, and risk bounds.
    """
    return ops.sigmoid(-_margin(y_true, y_pred))


def savage(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """A bounded loss whose slope returns to 0 for images far on the wrong side, so that outliers are let go.

        1 / (1 + exp(2m))²,  m = z_y - mean_{j≠y} z_j

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.

    Returns:
        The loss of each image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(savage(ops.eye(3), ops.eye(3))[0]), 4)
        0.0142

    Source: Masnadi-Shirazi & Vasconcelos 2008, On the design of loss functions for classification.
    """
    return ops.square(ops.sigmoid(-2 * _margin(y_true, y_pred)))


def ramp(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """A straight slope between 1 and 0, flat outside: images beyond either end no longer teach.

        min(1, max(0, (1 - m) / 2)),  m = z_y - mean_{j≠y} z_j

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.

    Returns:
        The loss of each image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(ramp(ops.eye(3), ops.eye(3) / 2)[0]), 4)
        0.25

    Source: Bartlett, Jordan & McAuliffe 2006, Convexity, classification, and risk bounds.
    """
    return ops.clip((1 - _margin(y_true, y_pred)) / 2, 0, 1)


def unhinged(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The hinge loss without its hinge: a straight line, the convex loss most robust to symmetric label noise.

        1 - m,  m = z_y - mean_{j≠y} z_j

    Unbounded below: it falls for as long as training lasts, so weigh the model's size with `regularization` or
    `optimizer.weight_decay`.

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.

    Returns:
        The loss of each image, `[batch]`.

    Example:
        >>> round(float(unhinged(ops.eye(3), ops.eye(3) / 2)[0]), 4)
        0.5

    Source: van Rooyen, Menon & Williamson 2015, Learning with symmetric label noise: the importance of being unhinged.
    """
    return 1 - _margin(y_true, y_pred)
