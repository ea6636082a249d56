"""Margin losses: functions of score differences, not of probabilities."""

from typing import Literal

from lossbench import ops
from lossbench.losses.catalogue._numerics import expectation
from lossbench.losses.types import NonNegative, Tensor


def hinge(y_true: Tensor, y_pred: Tensor, *, margin: NonNegative = 1.0) -> Tensor:
    """Mean of C binary hinge losses, one-vs-rest.

        mean_j max(0, margin - t_j z_j),  t = 2e - 1

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`; not invariant to a shift.
        margin: Distance from 0 that each score should have on its side.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(hinge(ops.eye(3), ops.eye(3))[0]), 4)
        0.6667

    Source: keras.losses.Hinge.
    """
    return ops.mean(ops.relu(margin - (2 * y_true - 1) * y_pred), axis=-1)


def squared_hinge(y_true: Tensor, y_pred: Tensor, *, margin: NonNegative = 1.0) -> Tensor:
    """Squared hinge loss: smooth at the margin, with a larger penalty for large violations.

        mean_j max(0, margin - t_j z_j)²,  t = 2e - 1

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`; not invariant to a shift.
        margin: Distance from 0 that each score should have on its side.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(squared_hinge(ops.eye(3), ops.eye(3))[0]), 4)
        0.6667

    Source: keras.losses.SquaredHinge.
    """
    return ops.mean(ops.square(ops.relu(margin - (2 * y_true - 1) * y_pred)), axis=-1)


def categorical_hinge(y_true: Tensor, y_pred: Tensor, *, margin: NonNegative = 1.0) -> Tensor:
    """Multi-class hinge loss: the true class should exceed its strongest rival by a margin.

        max(0, margin + max_{j≠y} z_j - z_y)

    Keras' loss of this name uses max(0, max_{j≠y} z_j) instead of max_{j≠y} z_j, which differs where all other scores
    are negative.

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.
        margin: Amount by which z_y should exceed each other z_j.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(categorical_hinge(ops.eye(3), ops.eye(3) / 2)[0]), 4)
        0.5

    Source: Crammer & Singer (2001). On the algorithmic implementation of multiclass kernel-based vector machines.
    JMLR 2:265-292.
    """
    return ops.max(y_pred + margin * (1 - y_true), axis=-1) - expectation(y_true, y_pred)


def multi_margin(y_true: Tensor, y_pred: Tensor, *, p: Literal[1, 2] = 1, margin: NonNegative = 1.0) -> Tensor:
    """Multi-class hinge loss that sums over all classes inside the margin.

        (1/C) Σ_{j≠y} max(0, margin - z_y + z_j)^p

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.
        p: Exponent: 1 linear, 2 squared.
        margin: Amount by which z_y should exceed each other z_j.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(multi_margin(ops.eye(3), ops.eye(3) / 2)[0]), 4)
        0.3333

    Source: Weston & Watkins (1999). Support vector machines for multi-class pattern recognition. ESANN
    1999:219-224; torch.nn.MultiMarginLoss.
    """
    violations = ops.relu(margin - expectation(y_true, y_pred)[:, None] + y_pred)
    return ops.mean((1 - y_true) * violations**p, axis=-1)


def multiclass_perceptron(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Highest score minus the score of the true class; 0 where the image is classified correctly.

        max_j z_j - z_y

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, ≥ 0.

    Example:
        >>> round(float(multiclass_perceptron(ops.eye(3), -ops.eye(3))[0]), 4)
        1.0

    Source: Collins (2002). Discriminative training methods for hidden Markov models. doi:10.3115/1118693.1118694;
    optax.losses.multiclass_perceptron_loss.
    """
    return ops.max(y_pred, axis=-1) - expectation(y_true, y_pred)


def _margin(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Return m = z_y - mean_{j≠y} z_j, the score of the true class minus the mean of the others."""
    classes = y_pred.shape[-1]
    return classes / (classes - 1) * (expectation(y_true, y_pred) - ops.mean(y_pred, axis=-1))


def sigmoid_loss(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Sigmoid of the negative margin: bounded and symmetric.

        σ(-m),  m = z_y - mean_{j≠y} z_j

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(sigmoid_loss(ops.eye(3), ops.eye(3))[0]), 4)
        0.2689

    Source: Bartlett, Jordan & McAuliffe (2006). Convexity, classification, and risk bounds.
    doi:10.1198/016214505000000907.
    """
    return ops.sigmoid(-_margin(y_true, y_pred))


def savage(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Bounded loss whose gradient vanishes for images far on the wrong side, which limits the effect of outliers.

        1 / (1 + exp(2m))²,  m = z_y - mean_{j≠y} z_j

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(savage(ops.eye(3), ops.eye(3))[0]), 4)
        0.0142

    Source: Masnadi-Shirazi & Vasconcelos (2008). On the design of loss functions for classification. NeurIPS
    21:1049-1056.
    """
    return ops.square(ops.sigmoid(-2 * _margin(y_true, y_pred)))


def ramp(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Hinge loss clipped to [0, 1]: images beyond either end have no gradient.

        min(1, max(0, (1 - m) / 2)),  m = z_y - mean_{j≠y} z_j

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`, in [0, 1].

    Example:
        >>> round(float(ramp(ops.eye(3), ops.eye(3) / 2)[0]), 4)
        0.25

    Source: Bartlett, Jordan & McAuliffe (2006). Convexity, classification, and risk bounds.
    doi:10.1198/016214505000000907.
    """
    return ops.clip((1 - _margin(y_true, y_pred)) / 2, 0, 1)


def unhinged(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Hinge loss without the clipping at 0: linear in the margin, hence robust to symmetric label noise.

        1 - m,  m = z_y - mean_{j≠y} z_j

    Unbounded below: the loss keeps falling during training, so use `regularization` or `optimizer.weight_decay`.

    Link: none.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Scores z, `[batch, classes]`.

    Returns:
        Loss per image, `[batch]`.

    Example:
        >>> round(float(unhinged(ops.eye(3), ops.eye(3) / 2)[0]), 4)
        0.5

    Source: van Rooyen, Menon & Williamson (2015). Learning with symmetric label noise: the importance of being
    unhinged. arXiv:1505.07634.
    """
    return 1 - _margin(y_true, y_pred)
