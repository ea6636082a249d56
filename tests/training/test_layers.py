"""The layers that are arranged for a processor against Keras' own: values and gradients."""

import numpy as np
import pytest

from lossbench.training.layers import FEW_UNITS, layers


def values_and_gradients(layer, images, upstream):
    """What a layer makes of images, and the gradients of that, weighted: for the images, then for the weights."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(images)
        result = layer(images)
        total = tf.reduce_sum(tf.cast(result, tf.float32) * upstream(result.shape))
    return result, tape.gradient(total, [images, *layer.trainable_variables])


def draws(shape):
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize(("channels", "filters"), [(1, 6), (1, 32), (4, 6)])
def test_a_convolution_is_keras_own(padding, size, channels, filters):
    """To 1e-4 of sums of up to 5·5·4 products, at odd and even kernels, with a bias and ReLU."""
    import keras

    settings = {"padding": padding, "activation": "relu", "kernel_initializer": keras.initializers.GlorotUniform(1)}
    images = keras.ops.convert_to_tensor(draws((7, 11, 8, channels)))
    expected = values_and_gradients(keras.layers.Conv2D(filters, size, **settings), images, draws)
    actual = values_and_gradients(layers().Conv2D(filters, size, **settings), images, draws)
    for ours, theirs in zip([actual[0], *actual[1]], [expected[0], *expected[1]], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("rate", "dtype"), [(0.2, "float32"), (0.5, "float32"), (0.999, "float32"), (0.5, "bfloat16")])
def test_dropout_keeps_its_share_and_the_mean(rate, dtype):
    """The share of zeros among 999,999 numbers, within four standard errors; what is left makes up for it."""
    import keras

    layer = layers().Dropout(rate, seed=5, dtype=dtype)
    ones = keras.ops.ones((111, 9009), dtype=dtype)
    dropped = np.asarray(keras.ops.cast(layer(ones, training=True), "float64"))
    assert (dropped == 0).mean() == pytest.approx(rate, abs=4 * np.sqrt(rate * (1 - rate) / dropped.size) + 2**-16)
    assert np.unique(dropped) == pytest.approx([0, 1 / (1 - rate)], rel=2e-2)
    assert np.array_equal(np.asarray(keras.ops.cast(layer(ones, training=False), "float64")), np.ones(ones.shape))


def test_dropout_draws_anew_with_each_call_and_by_its_seed():
    """Two calls differ and are not shifted copies; two layers of one seed agree; all columns are treated alike."""
    import keras

    ones, layer, twin = keras.ops.ones((2000, 7)), *(layers().Dropout(0.5, seed=5) for _ in range(2))
    first, second = (np.asarray(layer(ones, training=True)) for _ in range(2))
    assert np.array_equal(first, twin(ones, training=True))
    assert np.abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.04
    assert np.abs(np.corrcoef(first.T) - np.eye(7)).max() < 0.1


@pytest.mark.parametrize("units", [7, FEW_UNITS + 1])
def test_the_gradient_of_dropout_is_zero_where_a_number_was_dropped(units):
    """Elsewhere it is the upstream gradient over 1 - rate, with few units and where XLA compiles dropout."""
    import tensorflow as tf

    features, upstream = (tf.random.stateless_uniform([50, units], [1, draw], 1, 2) for draw in (1, 2))
    with tf.GradientTape() as tape:
        tape.watch(features)
        dropped = layers().Dropout(0.3, seed=5)(features, training=True)
    gradient = np.asarray(tape.gradient(dropped, features, upstream))
    expected = np.where(np.asarray(dropped) == 0, 0, np.asarray(upstream) / np.float32(0.7))
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)


def test_xla_drops_the_same_numbers():
    """The position in the batch decides, so rows of other lengths drop the same; only long ones are compiled."""
    import keras

    short, long = keras.ops.ones((FEW_UNITS + 1, 8)), keras.ops.ones((8, FEW_UNITS + 1))
    plain, compiled = (np.asarray(layers().Dropout(0.4, seed=3)(ones, training=True)) for ones in (short, long))
    assert np.array_equal(plain.ravel(), compiled.ravel())


def test_dropout_at_zero_is_nothing():
    """The numbers themselves, also while training."""
    ones = np.ones((3, 5), np.float32)
    assert np.array_equal(layers().Dropout(0.0, seed=1)(ones, training=True), ones)
