"""The heads: their values written out in NumPy, the weights they have, and that they can be trained."""

import numpy as np
import pytest

from lossbench.config import resolve
from lossbench.models import build

COUNTS = np.array([30, 500, 20, 400, 10, 300])
"""By rank, the classes are 1, 3, 5, 0, 2, 4."""


def model(head, class_counts=COUNTS, image_shape=(8, 8)):
    section = resolve.from_mapping({"model": {"name": "linear", "head": head}}).model
    return build(section, class_counts=class_counts, image_shape=image_shape, seed=0)


def images(number=5, seed=0):
    return np.random.default_rng(seed).normal(size=(number, 8, 8, 1)).astype(np.float32)


def emitted(network, inputs):
    import keras

    return keras.ops.convert_to_numpy(network(inputs))


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_cosine_head_gives_scale_times_cosine():
    """Against NumPy, for features before the head as they come."""
    cosine, inputs = model({"name": "cosine", "scale": 16.0}), images()
    features, kernel = inputs.reshape(5, -1), cosine.layers[-1].kernel.numpy()
    expected = 16 * (features @ kernel) / np.outer(np.linalg.norm(features, axis=1), np.linalg.norm(kernel, axis=0))
    np.testing.assert_allclose(emitted(cosine, inputs), expected, rtol=1e-4, atol=1e-5)


def test_the_adaptive_head_gives_log_probabilities_of_cluster_and_class():
    """Class by class: short list 1, 3; clusters 5, 0 and 2, 4; the probability of a cluster times that in it."""
    adaptive, inputs = model({"name": "adaptive", "cutoffs": [2, 4]}), images()
    features = inputs.reshape(5, -1).astype(float)
    weights = {weight.name: weight.numpy().astype(float) for weight in adaptive.weights}
    root = softmax(features @ weights["root"])
    first = softmax(features @ weights["projection_1"] @ weights["cluster_1"])
    second = softmax(features @ weights["projection_2"] @ weights["cluster_2"])
    expected = np.empty((5, 6))
    expected[:, 1], expected[:, 3] = root[:, 0], root[:, 1]
    expected[:, 5], expected[:, 0] = root[:, 2] * first[:, 0], root[:, 2] * first[:, 1]
    expected[:, 2], expected[:, 4] = root[:, 3] * second[:, 0], root[:, 3] * second[:, 1]
    actual = emitted(adaptive, inputs)
    np.testing.assert_allclose(actual, np.log(expected), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(np.exp(actual).sum(axis=1), np.ones(5), rtol=1e-5)


@pytest.mark.parametrize(
    ("cutoffs", "shapes"),
    [
        ([2, 4], {"root": (64, 4), "projection_1": (64, 16), "cluster_1": (16, 2), "projection_2": (64, 4)}),
        ([5], {"root": (64, 6), "projection_1": (64, 16), "cluster_1": (16, 1)}),
        ([1, 2, 3, 4], {"root": (64, 5), "projection_4": (64, 1), "cluster_4": (1, 2)}),
    ],
)
def test_later_clusters_have_fewer_dimensions(cutoffs, shapes):
    """A quarter of the features for the first, a sixteenth for the second, never less than one."""
    actual = {weight.name: tuple(weight.shape) for weight in model({"name": "adaptive", "cutoffs": cutoffs}).weights}
    assert shapes == {name: actual[name] for name in shapes}
    assert len(actual) == 1 + 2 * len(cutoffs)


def test_equal_counts_are_ranked_by_number():
    """The short list of balanced classes is the first ones, so that a seed still fixes everything."""
    by_number = model({"name": "adaptive", "cutoffs": [2]}, np.full(6, 7))
    descending = model({"name": "adaptive", "cutoffs": [2]}, np.arange(6, 0, -1))
    assert (emitted(by_number, images()) == emitted(descending, images())).all()


def test_its_crossentropy_is_the_heads_own_likelihood_and_falls():
    """A softmax of log-probabilities is the probabilities; gradient steps of it reach every weight."""
    import keras
    import tensorflow as tf

    from lossbench.losses import binding, expression

    adaptive, inputs = model({"name": "adaptive", "cutoffs": [2, 4]}), images(60)
    labels = np.random.default_rng(1).integers(0, 6, 60)
    loss, target = binding.bind(expression.parse("categorical_crossentropy")), np.eye(6, dtype=np.float32)[labels]
    before, history = [weight.numpy() for weight in adaptive.weights], []
    optimizer = keras.optimizers.SGD(1.0)
    for _ in range(30):
        with tf.GradientTape() as tape:
            logs = adaptive(inputs)
            value = tf.reduce_mean(loss(target, logs))
        own = -np.mean(logs.numpy()[np.arange(60), labels])
        assert float(value) == pytest.approx(own, rel=1e-5)
        history.append(own)
        optimizer.apply(tape.gradient(value, adaptive.trainable_variables), adaptive.trainable_variables)
    assert history[-1] < history[0] / 2
    assert all((old != new.numpy()).any() for old, new in zip(before, adaptive.weights, strict=True))


def test_the_adaptive_head_stays_finite_at_huge_features():
    """Logits of 1e4 inside, finite log-probabilities outside."""
    logs = emitted(model({"name": "adaptive", "cutoffs": [2, 4]}), 1e4 * images())
    assert np.isfinite(logs).all()
