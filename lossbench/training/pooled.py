"""Max-pooling of 2×2 pixels together with what comes before it, compiled by XLA: biases or batch norm, and ReLU.

The images may be in half precision: sums, batch norm and comparisons are computed in float32.

The forward functions keep the position of the maximum in its window as a byte, so that the gradient needs neither the
images before pooling nor comparisons. Of equal values the first one wins, as in TensorFlow.

A step of `cnn_bn` at batch 128 takes 37 ms this way and 77-85 ms with TensorFlow's operations, one of `cnn` 20 and
24 ms (one thread, Emerald Rapids with AVX-512, medians of 5 runs of 40 steps).
"""

from __future__ import annotations

from typing import Any

from lossbench.training.xla import compiled

NOWHERE = 4
"""Position of a window whose maximum is not positive: ReLU lets no gradient through."""


def biased(images: Any, bias: Any) -> Any:
    """Return max-pooled ReLU of images plus biases: `[batch, height, width, channels]` to half of height and width."""
    import tensorflow as tf

    @tf.custom_gradient  # type: ignore[untyped-decorator] # TensorFlow carries no types
    def run(images: Any, bias: Any) -> Any:
        pooled, position = compiled(_biased)(images, bias)
        return pooled, lambda upstream: compiled(_biased_gradient)(upstream, position, images)

    return run(images, tf.identity(bias))


def scaled(images: Any, scale: Any, shift: Any) -> Any:
    """Return max-pooled ReLU of images times a scale plus a shift per channel; it has no gradient."""
    return compiled(_scaled)(images, scale, shift)


def normalized(images: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """Return max-pooled ReLU of batch-normalised images, and the batch's mean and variance of each channel.

    Args:
        images: `[batch, height, width, channels]` with even height and width.
        gamma: `[channels]`, scale.
        beta: `[channels]`, shift.
        epsilon: Added to the variance.
    """
    import tensorflow as tf

    @tf.custom_gradient  # type: ignore[untyped-decorator] # TensorFlow carries no types
    def run(images: Any, gamma: Any, beta: Any) -> Any:
        pooled, position, largest, mean, variance = compiled(_normalized)(images, gamma, beta, epsilon)

        def gradient(upstream: Any, *_: Any) -> Any:
            inverse = tf.math.rsqrt(variance + epsilon)
            return compiled(_normalized_gradient)(upstream, position, largest, images, gamma, mean, inverse)

        return (pooled, mean, variance), gradient

    return run(images, tf.identity(gamma), tf.identity(beta))  # type: ignore[no-any-return] # likewise


def _biased(images: Any, bias: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    largest, position = _maximum(_corners(_windows(tf.cast(images, bias.dtype))))
    shifted = largest + bias
    return tf.cast(tf.nn.relu(shifted), images.dtype), tf.where(shifted > 0, position, NOWHERE)


def _biased_gradient(upstream: Any, position: Any, images: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    through = tf.cast(tf.where(position < NOWHERE, upstream, 0), tf.float32)
    height, width, channels = images.shape[1:]
    placed = tf.reshape(_place(upstream, position), [-1, height // 2 * 2, width // 2 * 2, channels])
    return tf.pad(placed, [[0, 0], [0, height % 2], [0, width % 2], [0, 0]]), _total(through)


def _scaled(images: Any, scale: Any, shift: Any) -> Any:
    import tensorflow as tf

    corners = _corners(_windows(tf.cast(images, scale.dtype)))
    largest, _ = _maximum([corner * scale + shift for corner in corners])
    return tf.cast(tf.nn.relu(largest), images.dtype)


def _normalized(images: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any, Any, Any]:
    import tensorflow as tf

    wide = tf.cast(images, gamma.dtype)
    count = tf.cast(tf.size(wide) // wide.shape[-1], wide.dtype)
    mean = _total(wide) / count
    variance = tf.maximum(_total_of_squares(wide) / count - mean * mean, 0)
    scale = gamma * tf.math.rsqrt(variance + epsilon)
    shift = beta - mean * scale
    corners = _corners(_windows(wide))
    largest, position = _maximum([corner * scale + shift for corner in corners])
    at_maximum = corners[3]
    for number in (2, 1, 0):
        at_maximum = tf.where(position == number, corners[number], at_maximum)
    pooled, position = tf.cast(tf.nn.relu(largest), images.dtype), tf.where(largest > 0, position, NOWHERE)
    return pooled, position, tf.cast(at_maximum, images.dtype), mean, variance


def _normalized_gradient(
    upstream: Any, position: Any, at_maximum: Any, images: Any, gamma: Any, mean: Any, inverse: Any
) -> tuple[Any, Any, Any]:
    """Return the gradients; their sums over the batch need the pooled values only, where the gradient is not 0."""
    import tensorflow as tf

    wide, at_maximum, upstream = (tf.cast(each, gamma.dtype) for each in (images, at_maximum, upstream))
    count = tf.cast(tf.size(wide) // wide.shape[-1], wide.dtype)
    through = tf.where(position < NOWHERE, upstream, 0)
    for_beta, for_gamma = _total(through), _total(through * ((at_maximum - mean) * inverse))
    centred = (_windows(wide) - mean) * inverse
    gradient = gamma * inverse * (_place(upstream, position) - (for_beta + centred * for_gamma) / count)
    return tf.cast(tf.reshape(gradient, tf.shape(images)), images.dtype), for_gamma, for_beta


def _windows(images: Any) -> Any:
    """Return `[batch, rows, 2, columns, 2, channels]`; an odd last row or column is dropped."""
    import tensorflow as tf

    rows, columns, channels = images.shape[1] // 2, images.shape[2] // 2, images.shape[3]
    return tf.reshape(images[:, : 2 * rows, : 2 * columns], [-1, rows, 2, columns, 2, channels])


def _corners(windows: Any) -> list[Any]:
    return [windows[:, :, row, :, column] for row in (0, 1) for column in (0, 1)]


def _maximum(corners: list[Any]) -> tuple[Any, Any]:
    """Return the maximum of four corners and the number of the first that equals it."""
    import tensorflow as tf

    first, second, third, fourth = corners
    largest = tf.maximum(tf.maximum(first, second), tf.maximum(third, fourth))
    position = tf.where(first == largest, 0, tf.where(second == largest, 1, tf.where(third == largest, 2, 3)))
    return largest, tf.cast(position, tf.int8)


def _place(upstream: Any, position: Any) -> Any:
    """Return `[batch, rows, 2, columns, 2, channels]` with the gradient at its position and 0 elsewhere."""
    import tensorflow as tf

    corner = tf.constant([[0, 1], [2, 3]], tf.int8)[:, tf.newaxis, :, tf.newaxis]
    here = position[:, :, tf.newaxis, :, tf.newaxis] == corner
    return tf.where(here, upstream[:, :, tf.newaxis, :, tf.newaxis], 0)


def _total(images: Any) -> Any:
    """Return the sum over all but the last axis, in two stages: 1.2-2.5 ms, not 13 (Zen 3)."""
    import tensorflow as tf

    _, height, width, channels = images.shape
    return tf.reduce_sum(tf.reduce_sum(tf.reshape(images, [-1, height * width, channels]), 1), 0)


def _total_of_squares(images: Any) -> Any:
    """Return the sum of squares; rows are squared after reshaping, which XLA fuses better: 2.5 ms, not 10 (Zen 3)."""
    import tensorflow as tf

    _, height, width, channels = images.shape
    rows = tf.reshape(images, [-1, height, width * channels])
    return tf.reduce_sum(tf.reshape(tf.reduce_sum(rows * rows, 1), [-1, width, channels]), [0, 1])
