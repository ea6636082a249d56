"""Overlap losses of targets and probabilities, computed over the whole batch: one value per batch."""

from lossbench import ops
from lossbench.losses.types import NonNegative, Tensor

EPSILON = 1e-7
"""Constant that Keras adds to the divisor."""


def dice(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """One minus the Dice coefficient of targets and probabilities, over all images and classes.

        1 - 2 Σ e p / (Σ e + Σ p)

    Targets and probabilities of an image each sum to 1, so it equals the mean of 1 - p_y over the batch.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.

    Returns:
        Loss of the batch, a scalar in [0, 1].

    Example:
        >>> round(float(dice(ops.eye(3), ops.eye(3))), 4)
        0.4239

    Source: Dice (1945). Measures of the amount of ecologic association between species. doi:10.2307/1932409;
    keras.losses.Dice.
    """
    p = ops.softmax(y_pred)
    return 1 - 2 * ops.sum(y_true * p) / (ops.sum(y_true) + ops.sum(p) + EPSILON)


def tversky(y_true: Tensor, y_pred: Tensor, *, alpha: NonNegative = 0.5, beta: NonNegative = 0.5) -> Tensor:
    """One minus the Tversky index of targets and probabilities, over all images and classes.

        1 - Σ e p / (Σ e p + α Σ e (1-p) + β Σ (1-e) p)

    Targets and probabilities of an image each sum to 1, so false negatives and false positives are equal: only α + β
    matters, and α + β = 1 is `dice`.

    Link: softmax.

    Args:
        y_true: Targets e, `[batch, classes]`.
        y_pred: Logits z, `[batch, classes]`.
        alpha: α, weight of false negatives.
        beta: β, weight of false positives.

    Returns:
        Loss of the batch, a scalar in [0, 1].

    Example:
        >>> round(float(tversky(ops.eye(3), ops.eye(3))), 4)
        0.4239

    Source: Salehi, Erdogmus & Gholipour (2017). Tversky loss function for image segmentation using 3D fully
    convolutional deep networks. arXiv:1706.05721; keras.losses.Tversky.
    """
    p = ops.softmax(y_pred)
    overlap = ops.sum(y_true * p)
    missed, added = ops.sum(y_true * (1 - p)), ops.sum((1 - y_true) * p)
    return 1 - overlap / (overlap + alpha * missed + beta * added + EPSILON)
