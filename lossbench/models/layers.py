"""Keras layers with the initialiser and precision of a model, and with one seed per layer."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any

from lossbench.config import model as sections
from lossbench.models.initializers import bias_initializer, initializer
from lossbench.seeding import integer

if TYPE_CHECKING:
    from collections.abc import Iterable


class Layers:
    """The Keras layer factory of one model; the n-th seeded layer always gets the n-th seed.

    Args:
        section: The `model` section.
        seed: The run's seed.
        precision: A Keras dtype policy.
        inputs: Number of inputs of each unit or filter, of every layer with weights in order, head included.
        layer_classes: Namespace of layers that replace those of `keras.layers`.
    """

    def __init__(
        self, section: sections.Model, seed: int, precision: str, inputs: Iterable[int], layer_classes: Any = None
    ) -> None:
        import keras

        self._keras = keras
        self._layer_classes = layer_classes or keras.layers
        self._section = section
        self._precision = precision
        self._seed = seed
        self._inputs = iter(inputs)
        self._names = Counter[str]()
        self._seeds = (integer(seed, f"layer {number}") for number in count())

    def flatten(self) -> Any:
        """Return a layer that flattens images to vectors."""
        return self._keras.layers.Flatten(**self._common("flatten"))

    def relu(self) -> Any:
        """Return a ReLU layer."""
        return self._keras.layers.ReLU(**self._common("relu"))

    def max_pool(self) -> Any:
        """Return a 2×2 max-pooling layer."""
        return self._keras.layers.MaxPooling2D(2, **self._common("max_pool"))

    def average_pool(self) -> Any:
        """Return a 2×2 average-pooling layer."""
        return self._keras.layers.AveragePooling2D(2, **self._common("average_pool"))

    def dense(self, units: int, activation: str | None = None, dtype: str | None = None) -> Any:
        """Return a fully connected layer."""
        common = self._common("dense") | ({"dtype": dtype} if dtype else {})
        return self._keras.layers.Dense(units, activation, **self._initial("dense", common["name"]), **common)

    def convolution(self, filters: int, size: int, activation: str | None = None, padding: str = "valid") -> Any:
        """Return a 2-D convolution of `size`×`size` with stride 1."""
        common = self._common("convolution")
        initial = self._initial("convolution", common["name"])
        return self._layer_classes.Conv2D(filters, size, activation=activation, padding=padding, **initial, **common)

    def batch_norm(self) -> Any:
        """Return batch normalisation with the configured momentum and epsilon."""
        constants = self._section.batch_norm
        return self._keras.layers.BatchNormalization(
            momentum=constants.momentum, epsilon=constants.epsilon, **self._common("batch_norm")
        )

    def dropout(self, rate: float) -> Any:
        """Return dropout with its own random stream, whose state is a variable of the model."""
        return self._layer_classes.Dropout(rate, seed=next(self._seeds), **self._common("dropout"))

    def _common(self, kind: str) -> dict[str, Any]:
        """Return name and precision of a layer: the n-th layer of a kind is named `kind_n` in every process."""
        self._names[kind] += 1
        return {"name": f"{kind}_{self._names[kind]}", "dtype": self._precision}

    def _initial(self, kind: str, name: str) -> dict[str, Any]:
        """Return the initialisers of kernel and biases; the biases of each layer have a random stream of their own."""
        chosen = self._section.initializer
        bias = chosen.bias if isinstance(chosen, sections.ByLayer) else "zeros"
        return {
            "kernel_initializer": self.initializer(kind),
            "bias_initializer": bias_initializer(bias, next(self._inputs), integer(self._seed, f"bias of {name}")),
        }

    def initializer(self, kind: str) -> Any:
        """Return a newly seeded initialiser for kernels of `convolution` or `dense`; Glorot uniform if none is set."""
        chosen = self._section.initializer
        distribution = getattr(chosen, kind) if isinstance(chosen, sections.ByLayer) else chosen
        return initializer(distribution or sections.Scaled(name="glorot_uniform"), next(self._seeds))
