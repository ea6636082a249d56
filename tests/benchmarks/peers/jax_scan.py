"""JAX: an epoch is one compiled `scan` over its batches; Adam written out."""

import json
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn


def parameters(model, key):
    """Return Glorot uniform kernels and zero biases of `mlp` or `cnn`."""
    shapes = [(784, 256), (256, 10)] if model == "mlp" else [(3, 3, 1, 32), (3, 3, 32, 64), (1600, 10)]
    glorot = nn.initializers.glorot_uniform()
    keys = jax.random.split(key, len(shapes))
    return [(glorot(each, shape), jnp.zeros(shape[-1])) for each, shape in zip(keys, shapes, strict=True)]


def dropout(key, features, rate):
    """Zero features at a rate and scale the rest; without a key, change nothing."""
    return (
        features
        if key is None
        else jnp.where(jax.random.bernoulli(key, 1 - rate, features.shape), features / (1 - rate), 0)
    )


def logits(model, weights, images, key=None):
    """Return the output of the network."""
    if model == "mlp":
        (kernel, bias), (last, last_bias) = weights
        hidden = nn.relu(images.reshape(len(images), -1) @ kernel + bias)
        return dropout(key, hidden, 0.2) @ last + last_bias
    features = images[..., None]
    for kernel, bias in weights[:2]:
        features = lax.conv_general_dilated(
            features, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        features = nn.relu(features + bias)
        features = lax.reduce_window(features, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    last, last_bias = weights[2]
    return dropout(key, features.reshape(len(images), -1), 0.5) @ last + last_bias


def main(data_file, model, epochs, batch_size, seed, *, validate=True):
    """Train, validate each epoch if `validate`, test once."""
    data = np.load(data_file)
    images, labels = {}, {}
    for part in ("train", "validation", "test"):
        images[part] = jnp.asarray(
            (data[f"{part}_images"].astype("float32") / 255 - data["mean"]) / data["std"], "float32"
        )
        labels[part] = jnp.asarray(data[f"{part}_labels"], "int32")
    key, begin = jax.random.split(jax.random.key(seed))
    weights = parameters(model, begin)
    zeros = jax.tree.map(jnp.zeros_like, weights)

    def objective(weights, images, labels, key):
        scores = nn.log_softmax(logits(model, weights, images, key))
        return -scores[jnp.arange(len(labels)), labels].mean()

    def step(state, images, labels):
        weights, mean, square, count, key = state
        key, drop = jax.random.split(key)
        gradient = jax.grad(objective)(weights, images, labels, drop)
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
        square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, gradient)
        rate = 0.001 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, mean, square)
        return (weights, mean, square, count + 1, key), None

    @jax.jit
    def epoch(
        state, images, labels, order
    ):  # images as an argument: a captured array would be compiled into the program
        return lax.scan(lambda state, batch: step(state, images[batch], labels[batch]), state, order)[0]

    @jax.jit
    def right(weights, images, labels):
        return (logits(model, weights, images).argmax(1) == labels).mean()

    state = (weights, zeros, zeros, 1.0, key)
    generator, seconds = np.random.default_rng(seed), []
    steps = len(labels["train"]) // batch_size  # the last, smaller batch would be a compilation of its own: left out
    for _ in range(epochs):
        began = time.perf_counter()
        order = generator.permutation(len(labels["train"]))[: steps * batch_size].reshape(steps, batch_size)
        state = jax.block_until_ready(epoch(state, images["train"], labels["train"], jnp.asarray(order)))
        if validate:
            right(state[0], images["validation"], labels["validation"]).block_until_ready()
        seconds.append(time.perf_counter() - began)
    tested = float(right(state[0], images["test"], labels["test"]))
    return {"epochs": seconds, "accuracy": tested, "version": f"JAX {jax.__version__}"}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))))
