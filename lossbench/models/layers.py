"""Keras layers as one model wants them: its initialiser, its precision, and for every layer a seed of its own."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any

from lossbench.config import model as sections
from lossbench.models.initializers import initializer
from lossbench.seeding import integer


class Layers:
    """Makes the layers of one model in order; the n-th seeded layer always gets the n-th seed."""

    def __init__(self, section: sections.Model, seed: int, precision: str, kinds: Any = None) -> None:
        import keras

        self._keras = keras
        self._kinds = kinds or keras.layers
        self._section = section
        self._precision = precision
        self._names = Counter[str]()
        self._seeds = (integer(seed, f"layer {number}") for number in count())

    def flatten(self) -> Any:
        """Images to vectors."""
        return self._keras.layers.Flatten(**self._called("flatten"))

    def relu(self) -> Any:
        """max(0, x)."""
        return self._keras.layers.ReLU(**self._called("relu"))

    def max_pool(self) -> Any:
        """The largest of each 2×2 pixels."""
        return self._kinds.MaxPooling2D(2, **self._called("max_pool"))

    def average_pool(self) -> Any:
        """The mean of each 2×2 pixels."""
        return self._kinds.AveragePooling2D(2, **self._called("average_pool"))

    def dense(self, units: int, activation: str | None = None, dtype: str | None = None) -> Any:
        """A fully connected layer."""
        called = self._called("dense") | ({"dtype": dtype} if dtype else {})
        return self._kinds.Dense(units, activation, kernel_initializer=self.initializer("dense"), **called)

    def convolution(self, filters: int, size: int, activation: str | None = None, padding: str = "valid") -> Any:
        """A 2-D convolution of `size`×`size`, stride 1."""
        return self._kinds.Conv2D(
            filters,
            size,
            activation=activation,
            padding=padding,
            kernel_initializer=self.initializer("convolution"),
            **self._called("convolution"),
        )

    def batch_norm(self) -> Any:
        """Batch normalisation with the configured momentum and epsilon."""
        constants = self._section.batch_norm
        return self._keras.layers.BatchNormalization(
            momentum=constants.momentum, epsilon=constants.epsilon, **self._called("batch_norm")
        )

    def dropout(self, rate: float) -> Any:
        """Dropout from a stream of its own; its state is a variable of the model, hence part of a checkpoint."""
        return self._kinds.Dropout(rate, seed=next(self._seeds), **self._called("dropout"))

    def _called(self, kind: str) -> dict[str, Any]:
        """The n-th layer of a kind is `kind_n` in every process, and computes in the run's precision."""
        self._names[kind] += 1
        return {"name": f"{kind}_{self._names[kind]}", "dtype": self._precision}

    def initializer(self, kind: str) -> Any:
        """A freshly seeded initialiser for `kind` kernels, `convolution` or `dense`; Glorot uniform if none is set."""
        chosen = self._section.initializer
        distribution = getattr(chosen, kind) if isinstance(chosen, sections.ByLayer) else chosen
        return initializer(distribution or sections.Scaled(name="glorot_uniform"), next(self._seeds))
