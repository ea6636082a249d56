"""Shapes and multiplications of a model's layers, computed without Keras."""

from __future__ import annotations

import math
from itertools import count
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, assert_never

from lossbench.config.model import AdaptiveHead, CosineHead, LinearHead
from lossbench.models.heads import adaptive_kernels

if TYPE_CHECKING:
    from collections.abc import Callable

    from lossbench.config.model import Head, Model

Shape: TypeAlias = tuple[int, ...]
Kind: TypeAlias = Literal["convolution", "dense", "batch_norm", "elementwise", "pooling", "flatten"]


class LayerShape(NamedTuple):
    """The kind of a layer, its output for one image, and its kernel if it has one."""

    kind: Kind
    output: Shape
    kernel: Shape = ()

    @property
    def multiplications(self) -> int:
        """Multiplications per image: the kernel is applied once per output pixel."""
        return math.prod(self.kernel) * math.prod(self.output[:-1]) if self.kernel else 0

    @property
    def inputs(self) -> int:
        """Number of inputs of each unit or filter."""
        return math.prod(self.kernel[:-1])


def layer_shapes(model: Model, image_shape: tuple[int, int]) -> list[LayerShape]:
    """Return the shapes of a model's layers, without its head.

    Args:
        model: The `model` section.
        image_shape: Height and width in pixels.
    """
    shapes = list[LayerShape]()
    shape: Shape = (*image_shape, 1)
    for layer in model.layers(_Shapes()):
        shapes.append(layer(shape))
        shape = shapes[-1].output
    return shapes


def smallest_side(model: Model) -> int:
    """Return the smallest height and width in pixels at which every layer of a model has an output."""
    return next(side for side in count(1) if all(min(each.output) > 0 for each in layer_shapes(model, (side, side))))


def multiplications(model: Model, *, image_shape: tuple[int, int], classes: int) -> int:
    """Return how many multiplications one image takes on its way forward through the model, head included.

    Args:
        model: The `model` section.
        image_shape: Height and width in pixels.
        classes: Number of logits.
    """
    layers = layer_shapes(model, image_shape)
    kernels = _head_kernels(model.head, layers[-1].output[0], classes)
    return sum(layer.multiplications for layer in layers) + sum(map(math.prod, kernels))


def _head_kernels(head: Head, features: int, classes: int) -> list[Shape]:
    match head:
        case LinearHead() | CosineHead():
            return [(features, classes)]
        case AdaptiveHead(cutoffs=cutoffs):
            root, clusters = adaptive_kernels(features, cutoffs, classes)
            return [root, *(kernel for pair in clusters for kernel in pair)]
        case never:
            assert_never(never)


class _Shapes:
    """A layer factory whose layers are functions from the shape of the input."""

    def flatten(self) -> Callable[[Shape], LayerShape]:
        return lambda shape: LayerShape("flatten", (math.prod(shape),))

    def relu(self) -> Callable[[Shape], LayerShape]:
        return lambda shape: LayerShape("elementwise", shape)

    def max_pool(self) -> Callable[[Shape], LayerShape]:
        return lambda shape: LayerShape("pooling", (shape[0] // 2, shape[1] // 2, shape[2]))

    average_pool = max_pool

    def dense(self, units: int, activation: str | None = None) -> Callable[[Shape], LayerShape]:  # noqa: ARG002 - LayerFactory
        return lambda shape: LayerShape("dense", (units,), (*shape, units))

    def convolution(
        self,
        filters: int,
        size: int,
        activation: str | None = None,  # noqa: ARG002 - LayerFactory
        padding: str = "valid",
    ) -> Callable[[Shape], LayerShape]:
        lost = 0 if padding == "same" else size - 1
        return lambda shape: LayerShape(
            "convolution", (shape[0] - lost, shape[1] - lost, filters), (size, size, shape[2], filters)
        )

    def batch_norm(self) -> Callable[[Shape], LayerShape]:
        return lambda shape: LayerShape("batch_norm", shape)

    def dropout(self, rate: float) -> Callable[[Shape], LayerShape]:  # noqa: ARG002 - LayerFactory
        return lambda shape: LayerShape("elementwise", shape)
