"""The steps of a model, with groups of its layers computed together on a CPU.

The Keras layers keep the weights and their settings; on a GPU, they compute.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lossbench.training import pooled, tiles

if TYPE_CHECKING:
    from collections.abc import Callable


FEWEST_ROWS, MOST_ROWS, MOST_EVALUATED = 128, 1000, 10_000
"""Images evaluated at once, since fewer take longer and more need much memory, and the most of one call."""


def steps(model: Any, *, gpu: bool) -> list[Callable[..., Any]]:
    """Return the functions that compute a Keras model one after the other, each of features and `training`."""
    layers = model.layers[1:]
    return list(layers) if gpu else _groups(layers)


def rows_evaluated(model: Any, batch_size: int) -> int:
    """Return how many images to evaluate at once.

    Convolutions take as many as they train on, in functions that are compiled already, unless those are few: with 128
    instead of 32, `lenet5` takes 35 instead of 49 µs per image, after 0.4 s of compiling. Dense layers take many.
    """
    import keras

    is_convolutional = any(isinstance(layer, keras.layers.Conv2D) for layer in model.layers)
    return min(max(batch_size, FEWEST_ROWS), MOST_ROWS) if is_convolutional else MOST_ROWS


def _groups(layers: list[Any]) -> list[Callable[..., Any]]:
    """Return the layers with each group replaced by its function."""
    import keras

    of = keras.layers
    count = _leading_pairs(layers, of.Conv2D, of.AveragePooling2D)
    convolutions = layers[: 2 * count : 2]
    if tiles.fits(convolutions):
        return [partial(_pooled_convolutions, convolutions), *_groups(layers[2 * count :])]
    if _are(layers[:2], [of.Conv2D, of.MaxPooling2D]):
        return [partial(_convolved, layers[0]), *_groups(layers[2:])]
    if _are(layers[:3], [of.BatchNormalization, of.ReLU, of.MaxPooling2D]):
        return [partial(_normalized, layers[:3]), *_groups(layers[3:])]
    return [layers[0], *_groups(layers[1:])] if layers else []


def _are(layers: list[Any], kinds: list[Any]) -> bool:
    return len(layers) == len(kinds) and all(map(isinstance, layers, kinds))


def _leading_pairs(layers: list[Any], *kinds: Any) -> int:
    count = 0
    while _are(layers[2 * count : 2 * count + 2], list(kinds)):
        count += 1
    return count


def _pooled_convolutions(convolutions: list[Any], images: Any, *, training: bool) -> Any:  # noqa: ARG001 - as a layer
    return tiles.pooled_convolutions(images, convolutions)


def _convolved(convolution: Any, images: Any, *, training: bool) -> Any:  # noqa: ARG001 - as a layer
    import tensorflow as tf

    images, kernel = (tf.cast(each, convolution.compute_dtype) for each in (images, convolution.kernel.value))
    return pooled.biased(convolution.convolution_op(images, kernel), convolution.bias.value)


def _normalized(layers: list[Any], images: Any, *, training: bool) -> Any:
    """Return batch norm, ReLU and max-pooling; during training, update the moving averages as Keras does."""
    norm = layers[0]
    if not training:
        return pooled.scaled(images, *_moving_scale_and_shift(norm))
    if images.shape[1] % 2 or images.shape[2] % 2:
        for layer in layers:
            images = layer(images, training=training)
        return images
    result, *moments = pooled.normalized(images, norm.gamma.value, norm.beta.value, norm.epsilon)
    for moving, moment in zip((norm.moving_mean, norm.moving_variance), moments, strict=True):
        moving.assign(moving * norm.momentum + moment * (1 - norm.momentum))
    return result


def _moving_scale_and_shift(norm: Any) -> tuple[Any, Any]:
    """Return batch norm by moving averages as a factor and a summand of each channel."""
    import tensorflow as tf

    scale = norm.gamma.value * tf.math.rsqrt(norm.moving_variance.value + norm.epsilon)
    return scale, norm.beta.value - norm.moving_mean.value * scale
