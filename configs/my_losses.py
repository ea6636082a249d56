"""Example of a user loss: a function whose keyword-only parameters are its hyperparameters."""

from lossbench import ops
from lossbench.losses.types import Tensor


def tempered_crossentropy(y_true: Tensor, y_pred: Tensor, *, temperature: float = 2.0) -> Tensor:
    """Cross-entropy of softened logits: -Σ e log softmax(z / temperature).

    Link: softmax.

    Args:
        y_true: `[batch, classes]`, one-hot.
        y_pred: `[batch, classes]`, logits.
        temperature: Divisor of the logits.

    Returns:
        `[batch]`.
    """
    return -ops.sum(y_true * ops.log_softmax(y_pred / temperature), axis=-1)
