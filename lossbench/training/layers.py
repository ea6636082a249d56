"""Keras layers that are faster on a CPU.

They compute the same functions as those of Keras: convolution and average pooling differ in the last digits,
max-pooling in none, dropout in its random numbers. On a GPU, convolution and pooling are those of Keras.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from lossbench.training import draws
from lossbench.training.xla import compiled

if TYPE_CHECKING:
    from collections.abc import Callable

FEWEST_COLUMNS = 16
"""With fewer filters the product is computed transposed: a matrix product with few columns is slow."""


@cache
def layers() -> SimpleNamespace:
    """Return the layers that replace those of `keras.layers`, under the same names."""
    import keras

    return SimpleNamespace(
        Conv2D=_convolution(),
        MaxPooling2D=_pooling(keras.layers.MaxPooling2D, _max_pooled()),
        AveragePooling2D=_pooling(keras.layers.AveragePooling2D, compiled(_average_pool)),
        Dropout=_dropout(),
    )


def _convolution() -> type[Any]:
    """Return Keras' 2-D convolution, with images of one channel computed as one matrix product of patches."""
    import keras
    import tensorflow as tf

    class Convolution(keras.layers.Conv2D):  # type: ignore[misc] # Keras carries no types
        def convolution_op(self, images: Any, kernel: Any) -> Any:
            if images.shape[-1] > 1 or on_gpu():
                return super().convolution_op(images, kernel)
            size, filters = kernel.shape[0], kernel.shape[-1]
            if self.padding == "same":
                around = [(size - 1) // 2, size // 2]
                images = tf.pad(images, [[0, 0], around, around, [0, 0]])
            height, width = images.shape[1] - size + 1, images.shape[2] - size + 1
            shifted = [images[:, i : i + height, j : j + width, 0] for i in range(size) for j in range(size)]
            columns = tf.reshape(tf.stack(shifted), [size**2, -1])
            weights = tf.reshape(kernel, [size**2, filters])
            if filters < FEWEST_COLUMNS:
                flat = tf.transpose(tf.matmul(weights, columns, transpose_a=True))
            else:
                flat = tf.matmul(columns, weights, transpose_a=True)
            return tf.reshape(flat, [-1, height, width, filters])

    return Convolution


def _pooling(own: Any, pooled: Callable[[Any], Any]) -> type[Any]:
    """Return the pooling layer `own` of Keras for 2×2 pixels, computed by `pooled` on a CPU."""

    class Pooling(own):  # type: ignore[misc] # Keras carries no types
        def call(self, images: Any) -> Any:
            return super().call(images) if on_gpu() else pooled(images)

    return Pooling


def _max_pooled() -> Callable[[Any], Any]:
    """Return max-pooling of 2×2 pixels; its gradient goes to the first pixel that equals the maximum."""
    import tensorflow as tf

    @tf.custom_gradient  # type: ignore[untyped-decorator] # TensorFlow carries no types
    def pooled(images: Any) -> Any:
        largest = tf.nn.max_pool2d(images, 2, 2, "VALID")
        return largest, lambda upstream: compiled(_max_pool_gradient)(images, largest, upstream)

    return pooled  # type: ignore[no-any-return] # likewise


def _dropout() -> type[Any]:
    """Return Keras' dropout with random numbers of `draws`."""
    import keras
    import tensorflow as tf

    class Dropout(keras.layers.Dropout):  # type: ignore[misc] # Keras carries no types
        def call(self, features: Any, *, training: bool = False) -> Any:
            if not training or not self.rate:
                return features
            seed, step = tf.unstack(self.seed_generator.next())
            words = draws.words(seed, step, tf.size(features))
            kept = tf.reshape(words, tf.shape(features)) >= tf.constant(round(self.rate * 2**32), tf.uint32)
            return tf.where(kept, features / (1 - self.rate), 0)

    return Dropout


def on_gpu() -> bool:
    """Return whether TensorFlow computes on a GPU."""
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


def _average_pool(images: Any) -> Any:
    import tensorflow as tf

    height, width, channels = images.shape[1] // 2, images.shape[2] // 2, images.shape[3]
    squares = tf.reshape(images[:, : 2 * height, : 2 * width], [-1, height, 2, width, 2, channels])
    return tf.reduce_mean(squares, [2, 4])


def _max_pool_gradient(images: Any, largest: Any, upstream: Any) -> Any:
    import tensorflow as tf

    height, width, channels = largest.shape[1:]
    corners = (images[:, i : 2 * height : 2, j : 2 * width : 2] for i in (0, 1) for j in (0, 1))
    shares, left = [], upstream
    for corner in corners:
        shares.append(tf.where(corner == largest, left, 0))
        left -= shares[-1]
    rows = tf.stack([tf.stack(shares[:2], 3), tf.stack(shares[2:], 3)], 2)
    gradient = tf.reshape(rows, [-1, 2 * height, 2 * width, channels])
    odd = [[0, images.shape[1] % 2], [0, images.shape[2] % 2]]
    return tf.pad(gradient, [[0, 0], *odd, [0, 0]])
