"""Gradient of a loss, compiled as in the training step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lossbench.losses.behaviour import Gradient


def differentiate(loss: Callable[[Any, Any], Any], classes: int) -> Gradient:
    """Return the compiled gradient of a loss for batches of any size.

    Args:
        loss: Function of targets and logits, both `[batch, classes]`.
        classes: Number of classes.

    Returns:
        Function of targets and logits that returns the losses, and their gradient with respect to the logits.
    """
    import tensorflow as tf

    batch = tf.TensorSpec([None, classes], tf.float32)

    @tf.function(input_signature=[batch, batch], autograph=False)  # type: ignore[untyped-decorator]
    def compiled(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            losses = loss(y_true, y_pred)
        slopes = tape.gradient(losses, y_pred, unconnected_gradients="zero")
        return losses, tf.convert_to_tensor(slopes)  # of a gather it is sparse

    def gradient(y_true: NDArray[Any], y_pred: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        losses, slopes = compiled(y_true, y_pred)
        return np.asarray(losses), np.broadcast_to(slopes, y_pred.shape)

    return gradient
