"""One optimiser after the other against its update rule written out in float64 NumPy."""

from types import SimpleNamespace

import numpy as np
import pytest

from lossbench.config import optimizer as sections
from lossbench.config import resolve
from lossbench.config.section import names
from lossbench.training.optimizers import Optimizer

STEPS, RATE = 5, 0.05


def section(**settings):
    return resolve.from_mapping({"optimizer": {"learning_rate": RATE, **settings}}).optimizer


def gradients_of(step, shapes):
    generator = np.random.default_rng([7, step])
    return [generator.normal(size=shape) for shape in shapes]


def train(settings, steps=STEPS):
    """The kernel and the bias after some steps on fixed gradients."""
    import keras
    import tensorflow as tf

    layer = keras.layers.Dense(3, kernel_initializer=keras.initializers.RandomNormal(seed=1), bias_initializer="ones")
    layer.build((None, 4))
    start = [variable.numpy().astype(float) for variable in layer.trainable_variables]
    optimizer = Optimizer(section(**settings), layer.trainable_variables)
    for step in range(steps):
        gradients = [tf.constant(g, tf.float32) for g in gradients_of(step, [(4, 3), (3,)])]
        optimizer.update(gradients, tf.constant(RATE))
    return start, [variable.numpy() for variable in layer.trainable_variables]


def adam(weights, gradient, state, step):
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    state["v"] = 0.999 * state.get("v", 0) + 0.001 * gradient**2
    rate = RATE * np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
    return weights - rate * state["m"] / (np.sqrt(state["v"]) + 1e-7)


def sgd(weights, gradient, _, __):
    return weights - RATE * gradient


def momentum(weights, gradient, state, _):
    state["m"] = 0.9 * state.get("m", 0) - RATE * gradient
    return weights + state["m"]


def nesterov(weights, gradient, state, _):
    state["m"] = 0.9 * state.get("m", 0) - RATE * gradient
    return weights + 0.9 * state["m"] - RATE * gradient


def rmsprop(weights, gradient, state, _):
    state["v"] = 0.9 * state.get("v", 0) + 0.1 * gradient**2
    return weights - RATE * gradient / np.sqrt(state["v"] + 1e-7)


def adagrad(weights, gradient, state, _):
    state["v"] = state.get("v", 0.1) + gradient**2
    return weights - RATE * gradient / np.sqrt(state["v"] + 1e-7)


RULES = [
    SimpleNamespace(rule=adam, settings={"name": "adam"}),
    SimpleNamespace(rule=sgd, settings={"name": "sgd"}),
    SimpleNamespace(rule=momentum, settings={"name": "sgd", "momentum": 0.9}),
    SimpleNamespace(rule=nesterov, settings={"name": "sgd", "momentum": 0.9, "nesterov": True}),
    SimpleNamespace(rule=rmsprop, settings={"name": "rmsprop"}),
    SimpleNamespace(rule=adagrad, settings={"name": "adagrad"}),
]
DECAYS = [
    {},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "exclude_bias": False},
    {"weight_decay": 0.1, "decoupled": False},
    {"weight_decay": 0.1, "decoupled": False, "clip_norm": 0.5, "exclude_bias": False},
    {"clip_norm": 0.5},
]


def oracle(rule, start, decay=0.0, decoupled=True, exclude_bias=True, clip_norm=None, steps=STEPS):  # noqa: FBT002 - the configuration's keys
    weights, states = [each.copy() for each in start], [{}, {}]
    for step in range(steps):
        gradients = gradients_of(step, [(4, 3), (3,)])
        if clip_norm:
            norm = np.sqrt(sum((g**2).sum() for g in gradients))
            gradients = [g * min(1, clip_norm / norm) for g in gradients]
        for index in range(2):
            covered = decay * (index == 0 or not exclude_bias)
            gradient = gradients[index] + (0 if decoupled else covered * weights[index])
            before = weights[index] * (1 - RATE * covered * decoupled)
            weights[index] = rule(before, gradient, states[index], step)
    return weights


@pytest.mark.parametrize("name", names(sections.Optimizer))
def test_every_optimiser_has_an_oracle(name):
    """A new one needs its update written out."""
    assert name in {case.settings["name"] for case in RULES}, f"RULES has no {name}: write its update in NumPy"


@pytest.mark.parametrize("case", RULES, ids=lambda case: case.rule.__name__)
@pytest.mark.parametrize("extra", DECAYS, ids=lambda extra: "-".join(map(str, extra)) or "plain")
def test_updates_follow_the_rule(case, extra):
    """Five steps of each rule, with each meaning of decay and with clipping, agree with float64 to 1e-5."""
    start, actual = train(case.settings | extra)
    settings = {"decay": extra.get("weight_decay", 0.0), **{k: v for k, v in extra.items() if k != "weight_decay"}}
    for ours, expected in zip(actual, oracle(case.rule, start, **settings), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=2e-5, atol=2e-6)
