"""The losses' values and slopes by whichever backend Keras runs on."""

import numpy as np


def backend():
    """`tensorflow`, `jax` or `torch`."""
    import keras

    return keras.backend.backend()


def value_and_gradient(loss, y_true, y_pred):
    """The losses of a batch and the slope of their sum, by automatic differentiation, in float32."""
    return globals()[f"_{backend()}"](loss, np.asarray(y_true, "float32"), np.asarray(y_pred, "float32"))


def compiled(loss):
    """The loss as its backend compiles it; None where that needs a C++ compiler that is not there."""
    match backend():
        case "tensorflow":
            import tensorflow as tf

            return tf.function(loss, autograph=False)
        case "jax":
            import jax

            return jax.jit(loss)
    return None


def _tensorflow(loss, y_true, y_pred):
    import tensorflow as tf

    logits = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = loss(tf.constant(y_true), logits)
    return losses.numpy(), tape.gradient(losses, logits).numpy()


def _jax(loss, y_true, y_pred):
    import jax

    def total(logits):
        losses = loss(y_true, logits)
        return losses.sum(), losses

    (_, losses), gradient = jax.value_and_grad(total, has_aux=True)(jax.numpy.asarray(y_pred))
    return np.asarray(losses), np.asarray(gradient)


def _torch(loss, y_true, y_pred):
    import torch

    logits = torch.tensor(y_pred, requires_grad=True)
    losses = loss(torch.tensor(y_true), logits)
    losses.sum().backward()
    return losses.detach().numpy(), logits.grad.numpy()
