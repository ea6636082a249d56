"""Initial biases: zeros, or uniform within ±1/√inputs, from random streams of their own."""

import numpy as np
import pytest

import lossbench
from lossbench.config import resolve
from lossbench.config.identity import trial
from lossbench.config.model import Model
from lossbench.config.section import names
from lossbench.errors import ConfigError
from lossbench.models import build
from lossbench.training.layers import layers

INPUTS = {
    "linear": {"dense_1": 784},
    "mlp": {"dense_1": 784, "dense_2": 256},
    "cnn": {"convolution_1": 9, "convolution_2": 9 * 32, "dense_1": 5 * 5 * 64},
    "cnn_bn": {"convolution_1": 9, "convolution_2": 9 * 32, "dense_1": 7 * 7 * 64, "dense_2": 128},
    "lenet5": {"convolution_1": 25, "convolution_2": 25 * 6, "dense_1": 400, "dense_2": 120, "dense_3": 84},
}


def model(name, *, seed=0, classes=10, layer_classes=None, **keys):
    section = resolve.from_mapping({"model": {"name": name, **keys}}).model
    counts = np.ones(classes, np.int64)
    return build(section, class_counts=counts, image_shape=(28, 28), seed=seed, layer_classes=layer_classes)


def biases(network):
    return {layer.name: layer.bias.numpy() for layer in network.layers if hasattr(layer, "bias")}


FAN_IN = {"initializer": {"bias": "fan_in_uniform"}}


@pytest.mark.parametrize("name", names(Model))
@pytest.mark.parametrize("training", [False, True], ids=["Keras' layers", "the layers of training"])
def test_every_bias_is_uniform_within_its_limit(name, training):
    """±1/√inputs, counted by hand; a thousand classes or seeds fill the range evenly."""
    drawn = [
        biases(model(name, seed=seed, layer_classes=layers() if training else None, **FAN_IN)) for seed in range(8)
    ]
    assert {layer: values.shape for layer, values in drawn[0].items()}.keys() == INPUTS[name].keys()
    for layer, inputs in INPUTS[name].items():
        values = np.concatenate([each[layer] for each in drawn]) * np.sqrt(inputs)
        assert np.abs(values).max() <= 1.000001
        assert np.abs(values).max() > 0.9
        assert abs(values.mean()) < 4 * np.sqrt(1 / 3 / len(values))
        assert values.std() == pytest.approx(np.sqrt(1 / 3), abs=2 / np.sqrt(len(values)))
        assert len(np.unique(values)) > 0.99 * len(values)


@pytest.mark.parametrize("name", names(Model))
def test_kernels_are_the_same_with_either_kind_of_biases(name):
    """Biases have streams of their own, and those of batch normalisation stay 0."""
    plain, drawn = model(name), model(name, **FAN_IN)
    for before, after in zip(plain.weights, drawn.weights, strict=True):
        equal = np.array_equal(before.numpy(), after.numpy())
        assert equal == (before.name != "bias"), before.path
    assert all((values == 0).all() for values in biases(plain).values())


@pytest.mark.parametrize("head", ["cosine", {"name": "adaptive", "cutoffs": [4]}])
@pytest.mark.parametrize("name", names(Model))
def test_a_head_without_biases_has_none(name, head):
    """The layers below it draw theirs."""
    assert len(biases(model(name, head=head, **FAN_IN))) == len(INPUTS[name]) - 1


def test_layers_and_seeds_have_different_biases():
    """Hidden layers of one size would show a shared stream."""
    one = biases(model("mlp", hidden=[784, 784], **FAN_IN))
    assert not np.array_equal(one["dense_1"], one["dense_2"])
    assert not np.array_equal(one["dense_1"], biases(model("mlp", hidden=[784, 784], seed=1, **FAN_IN))["dense_1"])


EQUAL = [
    ({}, {"bias": "zeros"}),
    ({"name": "he_normal", "bias": "fan_in_uniform"},
     {"convolution": "he_normal", "dense": "he_normal", "bias": "fan_in_uniform"}),
    ({"convolution": "he_normal"}, {"convolution": "he_normal", "bias": "zeros"}),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), EQUAL, ids=str)
def test_two_ways_to_write_the_same_initializers_are_one_trial(one, other):
    """So is the default, written out."""
    first, second = (
        trial(resolve.from_mapping({"model": {"initializer": each or None}}), data_sha256="") for each in (one, other)
    )
    assert first.identity == second.identity


def test_the_identities_of_older_configurations_stay():
    """That of a configuration with one initializer per kind of layer, as it was before biases could be chosen."""
    initializer = {"convolution": "he_uniform", "dense": "glorot_uniform"}
    found = trial(resolve.from_mapping({"model": {"name": "cnn_bn", "initializer": initializer}}), data_sha256="0" * 64)
    assert found.identity[:12] == "efbbae5154b0"
    drawn = trial(
        resolve.from_mapping({"model": {"name": "cnn_bn", "initializer": initializer | {"bias": "fan_in_uniform"}}}),
        data_sha256="0" * 64,
    )
    assert drawn.identity != found.identity


def test_a_wrong_kind_is_answered_with_the_right_ones():
    """As for every other choice."""
    with pytest.raises(ConfigError, match=r"model.initializer.bias: expected one of zeros, fan_in_uniform, got 'ones'"):
        resolve.from_mapping({"model": {"initializer": {"bias": "ones"}}})


@pytest.mark.slow
def test_runs_alone_and_again_have_equal_biases(small, tmp_path):
    """Bit for bit, and other numbers than with zeros."""
    small["data"], small["train"] = {"train_size": 100}, {"epochs": 1, "threads": 1}
    small["model"] = {"name": "lenet5", **FAN_IN}
    first, again = (lossbench.train(small, runs_dir=tmp_path / folder).summary["metrics"] for folder in "ab")
    assert first == again
    small["model"] = "lenet5"
    assert lossbench.train(small, runs_dir=tmp_path / "c").summary["metrics"] != first
