"""Losses of the overlap between targets and probabilities, over the whole batch: one number for all its images."""

from lossbench import ops
from lossbench.losses.types import NonNegative, Tensor

EPSILON = 1e-7
"""What Keras adds to the divisor."""


def dice(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """One less the Dice coefficient of targets and probabilities, over all images and classes at once.

        1 - 2 Σ e p / (Σ e + Σ p)

    As the targets and the probabilities of an image each sum to 1, it is the mean of 1 - p_y over the batch.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        The loss of the batch, a scalar in [0, 1].

    Example:
        >>> round(float(dice(ops.eye(3), ops.eye(3))), 4)
        0.4239

    Source: Dice 1945; Keras.
    """
    p = ops.softmax(y_pred)
    return 1 - 2 * ops.sum(y_true * p) / (ops.sum(y_true) + ops.sum(p) + EPSILON)


def tversky(y_true: Tensor, y_pred: Tensor, *, alpha: NonNegative = 0.5, beta: NonNegative = 0.5) -> Tensor:
    """One less the Tversky index of targets and probabilities, over all images and classes at once.

        1 - Σ e p / (Σ e p + α Σ e (1-p) + β Σ (1-e) p)

    As the targets and the probabilities of an image each sum to 1, what is missed and what is added are equal: only
    α + β counts, and with α + β = 1 it is `dice`.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        alpha: α, the weight of the true classes' missing probability.
        beta: β, the weight of the other classes' probability.

    Returns:
        The loss of the batch, a scalar in [0, 1].

    Example:
        >>> round(float(tversky(ops.eye(3), ops.eye(3))), 4)
        0.4239

    Source: Salehi, Erdogmus & Gholipour 2017, Tversky loss function for image segmentation; Keras.
    """
    p = ops.softmax(y_pred)
    overlap = ops.sum(y_true * p)
    missed, added = ops.sum(y_true * (1 - p)), ops.sum((1 - y_true) * p)
    return 1 - overlap / (overlap + alpha * missed + beta * added + EPSILON)
