"""The peers train the models of lossbench: layer by layer, each kernel has as many weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lossbench.config import resolve
from lossbench.models import build

PEERS = Path(__file__).parent / "peers"
MODELS = ["mlp", "cnn", "cnn_bn", "lenet5"]
IMAGES = np.zeros((2, 28, 28), "float32")


def sizes(model: str) -> list[int]:
    """The numbers of trainable weights of lossbench's model, in the order of its layers."""
    section = resolve.from_mapping({"model": model}).model
    network = build(section, class_counts=np.ones(10, int), image_shape=(28, 28), seed=0)
    return [int(np.prod(weight.shape)) for weight in network.trainable_weights]


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_keras_trains_the_same_model(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of each layer, and the logits of an image through as many layers with weights."""
    monkeypatch.syspath_prepend(PEERS)
    import keras
    from keras_fit import layers

    network = keras.Sequential([keras.Input((28, 28, 1)), *layers(model)])
    assert [int(np.prod(weight.shape)) for weight in network.trainable_weights] == sizes(model)
    assert network(IMAGES[..., np.newaxis]).shape == (2, 10)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_pytorch_trains_the_same_model(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Likewise, where PyTorch is installed."""
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(PEERS)
    from pytorch import network

    module = network(model)
    assert [weight.numel() for weight in module.parameters()] == sizes(model)
    assert module(torch.from_numpy(IMAGES[:, np.newaxis])).shape == (2, 10)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_jax_trains_the_same_model(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Likewise, where JAX is installed."""
    jax = pytest.importorskip("jax")
    monkeypatch.syspath_prepend(PEERS)
    from jax_scan import logits, parameters

    weights = parameters(model, jax.random.key(0))
    assert [each.size for pair in weights for each in pair] == sizes(model)
    assert logits(model, weights, IMAGES).shape == (2, 10)
