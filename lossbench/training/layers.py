"""Keras layers that are faster on a CPU.

They compute the same functions as those of Keras: convolution, average pooling and dense layers differ in the last
digits, max-pooling in none, dropout in its random numbers. On a GPU, convolution and pooling are those of Keras, and a
dense layer has one block.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

FEWEST_COLUMNS = 16
"""With fewer filters the product is computed transposed: a matrix product with few columns is slow."""

MOST_BLOCKS, WEIGHTS_PER_BLOCK = 4, 50_000
"""A dense layer keeps its weights in at most `MOST_BLOCKS` blocks of at least `WEIGHTS_PER_BLOCK` weights each."""


def blocks(inputs: int, units: int) -> int:
    """Return the number of blocks of a dense layer. It is independent of threads, so that they change no result."""
    return max(1, min(MOST_BLOCKS, inputs * units // WEIGHTS_PER_BLOCK))


@cache
def layers() -> SimpleNamespace:
    """Return the layers that replace those of `keras.layers`, under the same names."""
    import keras

    return SimpleNamespace(
        Conv2D=_convolution(),
        Dense=_dense(),
        MaxPooling2D=_pooling(keras.layers.MaxPooling2D, _max_pooled()),
        AveragePooling2D=_pooling(keras.layers.AveragePooling2D, _compiled(_average_pool)),
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


def _dense() -> type[Any]:
    """Return Keras' dense layer, with many weights kept in blocks that are multiplied and updated in parallel."""
    import keras
    import tensorflow as tf

    class Dense(keras.layers.Dense):  # type: ignore[misc] # Keras carries no types
        def build(self, shape: tuple[int, ...]) -> None:
            inputs = shape[-1]
            count = 1 if on_gpu() else blocks(inputs, self.units)
            ends = [inputs * block // count for block in range(count + 1)]
            kernel = self.kernel_initializer((inputs, self.units), self.variable_dtype)
            self.blocks = [
                self.add_weight(shape=(end - begin, self.units), initializer=kernel[begin:end], name="kernel")
                for begin, end in pairwise(ends)
            ]
            self.bias = self.add_weight(shape=(self.units,), initializer=self.bias_initializer, name="bias")
            self.built = True

        def call(self, features: Any) -> Any:
            columns = tf.split(features, [block.shape[0] for block in self.blocks], -1)
            products = [keras.ops.matmul(*pair) for pair in zip(columns, self.blocks, strict=True)]
            return self.activation(keras.ops.add(tf.add_n(products), self.bias))

    return Dense


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
        return largest, lambda upstream: _compiled(_max_pool_gradient)(images, largest, upstream)

    return pooled  # type: ignore[no-any-return] # likewise


def _dropout() -> type[Any]:
    """Return Keras' dropout with 16 random bits per number: the rate is rounded to 1/65536, the scale follows."""
    import keras
    import tensorflow as tf

    class Dropout(keras.layers.Dropout):  # type: ignore[misc] # Keras carries no types
        def call(self, features: Any, *, training: bool = False) -> Any:
            return self.drop_parts([features], [tf.shape(features)[0]])[0] if training else features

        def drop_parts(self, parts: list[Any], images: list[Any]) -> list[Any]:
            """Drop features of a batch in parts during training; `images` is the number of images of each part.

            The result does not depend on the division. The random numbers are computed before the features arrive.
            """
            dropped = round(self.rate * 2**16)
            if not dropped:
                return parts
            shape = [tf.add_n(images), *parts[0].shape[1:]]
            count = tf.reduce_prod(shape)
            words = tf.random.stateless_uniform([(count + 1) // 2], self.seed_generator.next(), None, None, tf.int32)
            draws = tf.reshape(tf.reshape(tf.bitcast(words, tf.uint16), [-1])[:count], shape)
            kept = [tf.cast(each >= dropped, self.compute_dtype) for each in tf.split(draws, images, num=len(parts))]
            return [part * (each / (1 - dropped / 2**16)) for part, each in zip(parts, kept, strict=True)]

    return Dropout


def on_gpu() -> bool:
    """Return whether TensorFlow computes on a GPU."""
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


@cache
def _compiled(function: Callable[..., Any]) -> Any:
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)


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
