"""Convolution, bias, ReLU and 2×2 average pooling as matrix products over tiles, with the batch as the last axis.

A tile is the input of one pooled pixel: (k+1)×(k+1) pixels for a k×k kernel. One product of all tiles with the kernel,
written out for the four positions of the 2×2 window, gives all outputs; its long axis is rows × columns × batch.

Images have the shape `[channels, s, s, rows, columns, batch]`: row r of an image is row r // s of phase r % s. In this
layout the pixels at one position of all tiles are contiguous, and so are the outputs of a layer whose reader has s / 2
phases. XLA would fuse the assembly of the tiles into their readers and compute it several times; a loop prevents that.

In half precision, values between layers are rounded to it and products are computed in float32: XLA's convolutions in
bfloat16 take 150 times as long.

A compiled step of `lenet5` at batch 32 takes 1.7 ms this way; TensorFlow's operations with convolutions as products of
patches take 3.5-4.9 ms (one thread, Emerald Rapids with AVX-512, medians of 5 runs of 200 steps).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lossbench.training.xla import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Layer(NamedTuple):
    """Kernel `[size, size, channels, filters]`, biases, and the pooled rows and columns that the next layer reads."""

    kernel: Any
    bias: Any
    rows: int
    columns: int


def pooled_convolutions(images: Any, convolutions: list[Any]) -> Any:
    """Return the images after convolutions with ReLU, each followed by 2×2 average pooling.

    Args:
        images: `[batch, height, width, 1]`; they receive no gradient.
        convolutions: One or two Keras layers with odd kernels; the second has no padding.

    Returns:
        `[batch, rows, columns, filters]` in the precision in which the layers compute.
    """
    import tensorflow as tf

    precision = convolutions[0].compute_dtype
    layers = _layers(convolutions, images.shape[1:3])
    phases = 2 ** len(layers)
    size = layers[0].kernel.shape[0]
    before = size // 2 if convolutions[0].padding == "same" else 0
    pixels = _rounded(images[..., 0], precision)
    features = _divide(pixels, before, phases, (2 * layers[0].rows, 2 * layers[0].columns), size)
    for layer in layers:
        features = _rounded(_pooled_convolution(features, layer), precision)
    return tf.cast(tf.transpose(features[:, 0, 0], [3, 1, 2, 0]), precision)


def fits(convolutions: list[Any]) -> bool:
    """Return whether `pooled_convolutions` can compute these Keras layers."""
    return 0 < len(convolutions) <= 2 and all(  # noqa: PLR2004 - the number of phases of the first layer is 4
        layer.kernel_size[0] % 2 and (layer is convolutions[0] or layer.padding == "valid") for layer in convolutions
    )


def _layers(convolutions: list[Any], sides: tuple[int, int]) -> list[Layer]:
    """Return the layers with the rows and columns of their outputs that are read; pooling drops the last odd one."""
    pooled = []
    for convolution in convolutions:
        lost = 0 if convolution.padding == "same" else convolution.kernel_size[0] - 1
        sides = tuple((side - lost) // 2 for side in sides)  # type: ignore[assignment] # two sides
        pooled.append(sides)
    if len(pooled) > 1:
        margin = convolutions[1].kernel_size[0] - 1
        pooled[0] = tuple(2 * side + margin for side in pooled[1])
    return [
        Layer(_rounded(each.kernel.value, each.compute_dtype), each.bias.value, *read)
        for each, read in zip(convolutions, pooled, strict=True)
    ]


def _rounded(values: Any, precision: str) -> Any:
    """Return float32 values rounded to a precision."""
    import tensorflow as tf

    return values if precision == "float32" else tf.cast(tf.cast(values, precision), tf.float32)


def _divide(images: Any, before: int, phases: int, outputs: tuple[int, int], size: int) -> Any:
    """Return images `[batch, height, width]` in phases, padded as the tiles need them."""
    import tensorflow as tf

    counts = [-(-(output + size - 1) // phases) for output in outputs]
    after = [max(0, phases * count - before - side) for count, side in zip(counts, images.shape[1:], strict=True)]
    padded = tf.pad(images, [[0, 0], [before, after[0]], [before, after[1]]])
    padded = padded[:, : phases * counts[0], : phases * counts[1]]
    divided = tf.reshape(padded, [-1, counts[0], phases, counts[1], phases])
    return tf.transpose(divided, [2, 4, 1, 3, 0])[tf.newaxis]


def _pooled_convolution(features: Any, layer: Layer) -> Any:
    import tensorflow as tf

    @tf.custom_gradient  # type: ignore[untyped-decorator] # TensorFlow carries no types
    def run(features: Any, kernel: Any, bias: Any) -> Any:
        pooled, tiles, outputs = compiled(_forward)(features, kernel, bias, layer.rows, layer.columns)
        return pooled, lambda upstream: compiled(_backward)(upstream, features, kernel, tiles, outputs)

    return run(features, tf.identity(layer.kernel), tf.identity(layer.bias))


def _forward(features: Any, kernel: Any, bias: Any, rows: int, columns: int) -> tuple[Any, Any, Any]:
    """Return the pooled outputs, the tiles with a row of ones for the bias, and the outputs before ReLU."""
    import tensorflow as tf

    phases, filters = features.shape[1] // 2, kernel.shape[-1]
    tiles = _tiles(features, kernel.shape[0], rows // phases, columns // phases)
    weights = tf.concat([_written_out(kernel), tf.tile(bias, [4])[tf.newaxis]], 0)
    outputs = tf.reshape(tf.matmul(weights, tiles, transpose_a=True), [4, filters, -1])
    active = tf.nn.relu(outputs)
    mean = (active[0] + active[1] + active[2] + active[3]) / 4
    return tf.reshape(mean, [filters, phases, phases, rows // phases, columns // phases, -1]), tiles, outputs


def _backward(upstream: Any, features: Any, kernel: Any, tiles: Any, outputs: Any) -> tuple[Any, Any, Any]:
    """Return the gradients of features, kernel and biases; features of one channel are images and have none."""
    import tensorflow as tf

    size, channels, filters = kernel.shape[0], kernel.shape[2], kernel.shape[3]
    share = tf.reshape(upstream, [1, filters, -1]) / 4
    upstreams = tf.reshape(tf.where(outputs > 0, share, 0), [4 * filters, -1])
    for_weights = tf.matmul(tiles, upstreams, transpose_b=True)
    by_tap = tf.reshape(for_weights[:-1], [channels, (size + 1) ** 2, 4, filters])
    for_kernel = tf.reshape(tf.einsum("tok,ctof->kcf", _positions(size), by_tap), kernel.shape)
    for_bias = tf.reduce_sum(tf.reshape(for_weights[-1], [4, filters]), 0)
    if channels == 1:
        return tf.zeros_like(features), for_kernel, for_bias
    for_tiles = tf.matmul(_written_out(kernel), upstreams)
    return _overlapped(for_tiles, features, size, *upstream.shape[3:5]), for_kernel, for_bias


@cache
def _positions(size: int) -> NDArray[np.float32]:
    """Return `[pixel of the tile, output, pixel of the kernel]`: 1 where the kernel's pixel meets the tile's."""
    met = np.zeros([size + 1, size + 1, 2, 2, size, size], np.float32)
    for row, column, i, j in np.ndindex(2, 2, size, size):
        met[row + i, column + j, row, column, i, j] = 1
    return met.reshape((size + 1) ** 2, 4, size**2)


def _written_out(kernel: Any) -> Any:
    """Return the kernel as weights `[channels · pixels of the tile, 4 · filters]`."""
    import tensorflow as tf

    size, _, channels, filters = kernel.shape
    flat = tf.reshape(kernel, [size**2, channels, filters])
    return tf.reshape(tf.einsum("tok,kcf->ctof", _positions(size), flat), [-1, 4 * filters])


def _tiles(features: Any, size: int, rows: int, columns: int) -> Any:
    """Return `[channels · pixels of the tile + 1, phases² · rows · columns · batch]`; the last row is 1."""
    import tensorflow as tf
    from tensorflow.compiler.tf2xla.python import xla

    channels, phases, width = features.shape[0], features.shape[1], size + 1
    origins, batch = _origins(width, phases), tf.shape(features)[-1]
    planes = tf.reshape(features, [channels, phases**2, *features.shape[3:5], -1])

    def add(step: Any, tiles: Any) -> tuple[Any, Any]:
        phase, row, column = tf.unstack(xla.dynamic_slice(origins, [step, 0], [1, 3])[0])
        part = xla.dynamic_slice(planes, [0, phase, row, column, 0], tf.stack([channels, 1, rows, columns, batch]))
        return step + 1, xla.dynamic_update_slice(tiles, part, [0, step, 0, 0, 0])

    count = len(origins)
    empty = tf.zeros(tf.stack([channels, count, rows, columns, batch]))
    shapes = [tf.TensorShape([]), tf.TensorShape([channels, count, rows, columns, None])]
    tiles = tf.while_loop(lambda step, _: step < count, add, [0, empty], shape_invariants=shapes)[1]
    flat = tf.reshape(tiles, [channels * width**2, -1])
    return tf.concat([flat, tf.ones_like(flat[:1])], 0)


@cache
def _origins(width: int, phases: int) -> NDArray[np.int32]:
    """Return phase, row and column at which every pixel of the tile begins, for every output of a phase in turn."""
    starts = [
        (2 * row + i, 2 * column + j)
        for i, j in np.ndindex(width, width)
        for row, column in np.ndindex(phases // 2, phases // 2)
    ]
    return np.array([(y % phases * phases + x % phases, y // phases, x // phases) for y, x in starts], np.int32)


def _overlapped(for_tiles: Any, features: Any, size: int, rows: int, columns: int) -> Any:
    """Return the gradient of features of two phases: the sum of the tiles' gradients at every pixel."""
    import tensorflow as tf
    from tensorflow.compiler.tf2xla.python import xla

    channels, batch, half = features.shape[0], tf.shape(features)[-1], (size + 1) // 2
    tiles = tf.reshape(for_tiles, tf.stack([channels, half, 2, half, 2, rows, columns, batch]))
    part = tf.stack([channels, 2, 2, rows, columns, batch])
    offsets = np.array(list(np.ndindex(half, half)), np.int32)

    def add(step: Any, total: Any) -> tuple[Any, Any]:
        row, column = tf.unstack(xla.dynamic_slice(offsets, [step, 0], [1, 2])[0])
        sizes = tf.stack([channels, 1, 2, 1, 2, rows, columns, batch])
        tile = tf.reshape(xla.dynamic_slice(tiles, [0, row, 0, column, 0, 0, 0, 0], sizes), part)
        begin = [0, 0, 0, row, column, 0]
        return step + 1, xla.dynamic_update_slice(total, xla.dynamic_slice(total, begin, part) + tile, begin)

    shapes = [tf.TensorShape([]), features.shape]
    return tf.while_loop(lambda step, _: step < half**2, add, [0, tf.zeros_like(features)], shape_invariants=shapes)[1]
