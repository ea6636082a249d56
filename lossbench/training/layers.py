"""Keras layers that are faster on a CPU.

They compute the same functions as those of Keras: convolution differs in the last digits, dropout in its random
numbers. On a GPU, convolution is that of Keras.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

from lossbench.training import draws
from lossbench.training.xla import compiled

FEW_UNITS = 1024
"""With more units, dropout compiled by XLA saves more than its call takes: 2 ms of a step of `cnn` (1,600 units)."""


@cache
def layers() -> SimpleNamespace:
    """Return the layers that replace those of `keras.layers`, under the same names."""
    return SimpleNamespace(Conv2D=_convolution(), Dropout=_dropout())


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
            return tf.reshape(tf.matmul(columns, weights, transpose_a=True), [-1, height, width, filters])

    return Convolution


def _dropout() -> type[Any]:
    """Return Keras' dropout with random numbers of `draws`."""
    import keras
    import tensorflow as tf

    class Dropout(keras.layers.Dropout):  # type: ignore[misc] # Keras carries no types
        def call(self, features: Any, *, training: bool = False) -> Any:
            if not training or not self.rate:
                return features
            seed, step = tf.unstack(self.seed_generator.next())

            @tf.custom_gradient  # type: ignore[untyped-decorator] # TensorFlow carries no types
            def run(features: Any) -> Any:
                return _dropped(features, seed, step, self.rate), lambda it: _dropped(it, seed, step, self.rate)

            return run(features)

    return Dropout


def _dropped(features: Any, seed: Any, step: Any, rate: float) -> Any:
    """Return features with a share set to 0 and the others scaled; their gradient is the same function of its own."""
    is_worth_compiling = features.shape[-1] > FEW_UNITS and not on_gpu()
    return (compiled(_drop) if is_worth_compiling else _drop)(features, seed, step, rate)


def _drop(features: Any, seed: Any, step: Any, rate: float) -> Any:
    import tensorflow as tf

    words = draws.words(seed, step, tf.size(features))
    kept = tf.reshape(words, tf.shape(features)) >= tf.constant(round(rate * 2**32), tf.uint32)
    return tf.where(kept, features / (1 - rate), 0)


def on_gpu() -> bool:
    """Return whether TensorFlow computes on a GPU."""
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))
