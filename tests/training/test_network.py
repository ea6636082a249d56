"""Groups of layers that are computed together on a CPU, against Keras' own layers."""

from types import SimpleNamespace

import numpy as np
import pytest

from lossbench import models
from lossbench.config import resolve
from lossbench.training import pooled
from lossbench.training.layers import layers
from lossbench.training.network import steps


def draws(shape, seed=3):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def classes_on_a_cpu():
    """Keras' layers, with lossbench's convolution."""
    import keras

    return SimpleNamespace(**{**vars(keras.layers), "Conv2D": layers().Conv2D})


def model_and_variables(name, sides, layer_classes, precision="float32"):
    """A model with random biases, batch norm constants and moving averages, the same for every class of layers."""
    section = resolve.from_mapping({"model": name}).model
    counts = np.ones(10, int)
    given = {"class_counts": counts, "image_shape": sides, "seed": 1, "precision": precision}
    model = models.build(section, **given, layer_classes=layer_classes)
    for number, weight in enumerate(model.weights):
        if len(weight.shape) == 1 and "seed" not in weight.name:
            weight.assign(0.1 * draws(weight.shape, number) + (weight.name != "bias"))
    return model, [weight.value for weight in model.trainable_variables]


def outcome(function, variables, images):
    """Logits, and the gradients of their weighted sum."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        logits = function(images)
        total = tf.reduce_sum(tf.cast(logits, tf.float32) * draws(logits.shape))
    return [np.asarray(each) for each in (logits, *tape.gradient(total, variables))]


@pytest.fixture
def any_batch():
    """Compile the network of a model for images of one size and any number of them."""

    def compiled(model, sides, *, training):
        import tensorflow as tf

        def compute(images):
            for step in steps(model, gpu=False):
                images = step(images, training=training)
            return images

        return tf.function(compute, input_signature=[tf.TensorSpec([None, *sides, 1], tf.float32)], autograph=False)

    return compiled


@pytest.mark.parametrize("name", ["lenet5", "cnn", "cnn_bn"])
@pytest.mark.parametrize("sides", [(28, 28), (29, 31), (27, 18)])
def test_a_network_is_keras_own(name, sides, any_batch):
    """To rounding in norm: logits and all gradients, for a whole batch, a remainder and one image, also at odd sizes.

    Where two values of a window agree to rounding, the gradient may go to the other one: 0.2 % here.

    Batch norm is compared while training, where Keras' dropout cannot be; one image has no variance.
    """
    training = name == "cnn_bn"
    ours, our_variables = model_and_variables(name, sides, classes_on_a_cpu())
    theirs, their_variables = model_and_variables(name, sides, None)
    compute = any_batch(ours, sides, training=training)
    for count in (32, 7, 2 if training else 1):
        images = draws((count, *sides, 1), seed=count)
        actual = outcome(compute, our_variables, images)
        expected = outcome(lambda images: theirs(images, training=training), their_variables, images)
        largest = max(map(np.linalg.norm, expected))
        for one, other in zip(actual, expected, strict=True):
            assert np.linalg.norm(one - other) <= 5e-3 * np.linalg.norm(other) + 1e-5 * largest


@pytest.mark.parametrize("name", ["lenet5", "cnn", "cnn_bn"])
def test_a_network_in_bfloat16_is_as_near_to_float32_as_keras_own(name, any_batch):
    """In norm, for logits and all gradients: at most 1.5 times as far as the layers of Keras in bfloat16."""
    training, images = name == "cnn_bn", draws((32, 28, 28, 1))
    exact, variables = model_and_variables(name, (28, 28), None)
    expected = outcome(lambda images: exact(images, training=training), variables, images)
    theirs, their_variables = model_and_variables(name, (28, 28), None, "mixed_bfloat16")
    rounded = outcome(lambda images: theirs(images, training=training), their_variables, images)
    ours, our_variables = model_and_variables(name, (28, 28), classes_on_a_cpu(), "mixed_bfloat16")
    actual = outcome(any_batch(ours, (28, 28), training=training), our_variables, images)
    largest = max(map(np.linalg.norm, expected))
    for one, other, truth in zip(actual, rounded, expected, strict=True):
        assert np.linalg.norm(one - truth) <= 1.5 * np.linalg.norm(other - truth) + 1e-3 * largest


def test_the_network_updates_moving_averages_as_keras_does(any_batch):
    """Three batches while training; evaluation then changes nothing and agrees."""
    pairs = [model_and_variables("cnn_bn", (28, 28), classes)[0] for classes in (classes_on_a_cpu(), None)]
    train = any_batch(pairs[0], (28, 28), training=True)
    for seed in range(3):
        images = 3 * draws((16, 28, 28, 1), seed)
        train(images)
        pairs[1](images, training=True)
    moving = [[np.asarray(each) for each in model.non_trainable_variables] for model in pairs]
    for ours, theirs in zip(*moving, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    evaluate = any_batch(pairs[0], (28, 28), training=False)
    np.testing.assert_allclose(evaluate(images), pairs[1](images, training=False), rtol=1e-4, atol=1e-4)
    assert all(map(np.array_equal, moving[0], (np.asarray(each) for each in pairs[0].non_trainable_variables)))


@pytest.mark.parametrize("sides", [(6, 4), (7, 9)])
def test_of_equal_values_the_first_gets_the_gradient(sides):
    """To the bit against Keras: with whole numbers from -2 to 2 most windows hold several of the largest."""
    import keras
    import tensorflow as tf

    images = tf.constant(np.random.default_rng(1).integers(-2, 3, (5, *sides, 3)).astype(np.float32))
    bias, pool = tf.constant([-1.0, 0.0, 1.0]), keras.layers.MaxPooling2D(2)
    results = []
    for function in (pooled.biased, lambda images, bias: pool(tf.nn.relu(images + bias))):
        with tf.GradientTape() as tape:
            tape.watch([images, bias])
            result = function(images, bias)
            total = tf.reduce_sum(result * np.round(8 * draws(result.shape)))
        results.append([result, *tape.gradient(total, [images, bias])])
    assert all(np.array_equal(*pair) for pair in zip(*results, strict=True))


@pytest.mark.parametrize("gamma", [0.0, -1.5])
def test_batch_norm_has_a_gradient_at_every_scale(gamma):
    """Scale 0 divides by nothing; with a negative one the maximum is where the images are smallest."""
    import keras
    import tensorflow as tf

    images, (gammas, beta) = tf.constant(draws((5, 6, 4, 3))), (tf.constant([gamma, 1.0, -1.0]), tf.constant(draws(3)))
    pool = keras.layers.MaxPooling2D(2)

    def reference(images, gamma, beta):
        mean, variance = tf.nn.moments(images, [0, 1, 2])
        return pool(tf.nn.relu(tf.nn.batch_normalization(images, mean, variance, beta, gamma, 1e-5)))

    results = []
    for function in (lambda *given: pooled.normalized(*given, 1e-5)[0], reference):
        with tf.GradientTape() as tape:
            tape.watch([images, gammas, beta])
            result = function(images, gammas, beta)
            total = tf.reduce_sum(result * draws(result.shape))
        results.append([result, *tape.gradient(total, [images, gammas, beta])])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_a_gpu_computes_keras_layers():
    """No group is formed there."""
    model, _ = model_and_variables("cnn_bn", (28, 28), None)
    assert steps(model, gpu=True) == model.layers[1:]
    assert len(steps(model, gpu=False)) < len(model.layers[1:])
