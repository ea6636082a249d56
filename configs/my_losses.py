"""A loss of your own is a function: keyword-only parameters are its hyperparameters, the docstring its help."""

from lossbench import ops
from lossbench.losses.types import Tensor


def tempered_crossentropy(y_true: Tensor, y_pred: Tensor, *, temperature: float = 2.0) -> Tensor:
    """Cross-entropy of softened logits: -Σ e log softmax(z / temperature).

    Link: softmax.

    Args:
        y_true: `[batch, classes]`, one-hot.
        y_pred: `[batch, classes]`, logits.
        temperature: What the logits are divided by.

    Returns:
        `[batch]`.
    """
    return -ops.sum(y_true * ops.log_softmax(y_pred / temperature), axis=-1)
