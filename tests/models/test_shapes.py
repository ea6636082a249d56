"""Sizes of the models, against those of the model that Keras builds."""

import math
import subprocess
import sys

import numpy as np
import pytest

from lossbench.config import model as sections
from lossbench.config import resolve
from lossbench.config.section import names
from lossbench.models import build
from lossbench.models.shapes import layer_shapes, multiplications

MODELS = {section.__name__: section for section in sections.Architecture.__subclasses__()}
MULTIPLICATIONS = {
    "linear": 784 * 10,
    "mlp": 784 * 256 + 256 * 10,
    "cnn": 26 * 26 * 32 * 9 + 11 * 11 * 64 * 9 * 32 + 1600 * 10,
    "cnn_bn": 28 * 28 * 32 * 9 + 14 * 14 * 64 * 9 * 32 + 3136 * 128 + 128 * 10,
    "lenet5": 28 * 28 * 6 * 25 + 10 * 10 * 16 * 25 * 6 + 400 * 120 + 120 * 84 + 84 * 10,
}
"""Per MNIST image, from the layers' sizes by hand."""


@pytest.mark.parametrize("name", MODELS)
def test_every_architecture_has_layers(name):
    """A section without layers says what is missing."""
    assert not MODELS[name].__abstractmethods__, f"{name} has no layers: define {name}.layers in config/model.py"


@pytest.mark.parametrize("head", ["linear", "cosine", {"name": "adaptive", "cutoffs": [1]}])
@pytest.mark.parametrize(("shape", "classes"), [((28, 28), 10), ((28, 28), 2), ((21, 34), 3)])
@pytest.mark.parametrize("name", names(sections.Model))
def test_multiplications_are_counted_as_keras_shapes_them(name, shape, classes, head):
    """Kernels times output positions of the model that Keras builds, for any image size, classes and head."""
    section = resolve.from_mapping({"model": {"name": name, "head": head}}).model
    model = build(section, class_counts=np.arange(classes) + 1, image_shape=shape, seed=0)
    counted = sum(
        math.prod(weight.shape) * math.prod(layer.output.shape[1:-1])
        for layer in model.layers
        for weight in layer.weights
        if len(weight.shape) > 1
    )
    assert multiplications(section, image_shape=shape, classes=classes) == counted


@pytest.mark.parametrize("name", names(sections.Model))
def test_output_shapes_are_those_of_keras(name):
    """Every layer up to the head, odd image sizes included."""
    section = resolve.from_mapping({"model": name}).model
    model = build(section, class_counts=np.ones(3, int), image_shape=(21, 34), seed=0)
    expected = [tuple(layer.output.shape[1:]) for layer in model.layers[1:-1]]
    assert [layer.output for layer in layer_shapes(section, (21, 34))] == expected


@pytest.mark.parametrize(("name", "expected"), MULTIPLICATIONS.items())
def test_multiplications_of_mnist(name, expected):
    """The numbers that a sweep's cost rests on."""
    section = resolve.from_mapping({"model": name}).model
    assert multiplications(section, image_shape=(28, 28), classes=10) == expected


def test_hidden_layers_count():
    """784·512 + 512·64 + 64·10."""
    section = resolve.from_mapping({"model": {"name": "mlp", "hidden": [512, 64]}}).model
    assert multiplications(section, image_shape=(28, 28), classes=10) == 784 * 512 + 512 * 64 + 64 * 10


def test_planning_a_sweep_imports_neither_keras_nor_tensorflow():
    """Costs are counted without them."""
    code = (
        "import sys; from lossbench.sweep import cost; from lossbench.config.schema import Experiment; "
        "cost.cost(Experiment()); assert not {'keras', 'tensorflow'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
