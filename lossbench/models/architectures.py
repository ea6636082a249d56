"""The architectures, each a function that lists its layers up to the head."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lossbench.models.heads import head
from lossbench.models.layers import Layers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from lossbench.config import model as sections

KerasLayer: TypeAlias = Any
KerasModel: TypeAlias = Any


def linear(make: Layers, _: sections.Linear) -> list[KerasLayer]:
    """Softmax regression: the head alone, on the pixels."""
    return [make.flatten()]


def mlp(make: Layers, section: sections.Mlp) -> list[KerasLayer]:
    """Hidden layers with ReLU, each followed by dropout."""
    hidden = [layer for width in section.hidden for layer in (make.dense(width, "relu"), make.dropout(section.dropout))]
    return [make.flatten(), *hidden]


def cnn(make: Layers, section: sections.Cnn) -> list[KerasLayer]:
    """Two 3×3 convolutions of 32 and 64 filters with ReLU, each max-pooled, then dropout."""
    return [
        make.convolution(32, 3, "relu"),
        make.max_pool(),
        make.convolution(64, 3, "relu"),
        make.max_pool(),
        make.flatten(),
        make.dropout(section.dropout),
    ]


def cnn_bn(make: Layers, _: sections.CnnBn) -> list[KerasLayer]:
    """Two padded 3×3 convolutions of 32 and 64 filters and a dense layer of 128, all with batch norm and ReLU."""
    blocks = [
        layer
        for filters in (32, 64)
        for layer in (
            make.convolution(filters, 3, padding="same"),
            make.batch_norm(),
            make.relu(),
            make.max_pool(),
        )
    ]
    return [*blocks, make.flatten(), make.dense(128), make.batch_norm(), make.relu()]


def lenet5(make: Layers, _: sections.Lenet5) -> list[KerasLayer]:
    """LeNet-5 with ReLU: convolutions of 6 and 16 filters of 5×5, average-pooled, then 120 and 84 units.

    Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998 (there: tanh, RBF output).
    """
    return [
        make.convolution(6, 5, "relu", padding="same"),
        make.average_pool(),
        make.convolution(16, 5, "relu"),
        make.average_pool(),
        make.flatten(),
        make.dense(120, "relu"),
        make.dense(84, "relu"),
    ]


ARCHITECTURES: Final[Mapping[str, Callable[[Layers, Any], list[KerasLayer]]]] = MappingProxyType(
    {function.__name__: function for function in (linear, mlp, cnn, cnn_bn, lenet5)}
)


def build(
    section: sections.Model,
    *,
    class_counts: NDArray[np.integer[Any]],
    image_shape: tuple[int, int],
    seed: int,
    precision: str = "float32",
    kinds: Any = None,
) -> KerasModel:
    """The model of a configuration: normalised images `[batch, height, width, 1]` to logits `[batch, classes]`.

    Args:
        section: The `model` section: a name, its hyperparameters, head, initialiser, batch norm constants.
        class_counts: Training images of each class; one logit for each, an adaptive head ranks by them.
        image_shape: Height and width in pixels.
        seed: The run's seed; every layer draws its weights and its dropout from a stream of its own.
        precision: A Keras dtype policy; the head computes in float32 under each.
        kinds: Where `Dense`, `Conv2D`, `Dropout` and the poolings come from; None: `keras.layers`.

    Returns:
        A `keras.Model`; the same arguments give the same weights.
    """
    import keras

    make = Layers(section, seed, precision, kinds)
    images = keras.Input((*image_shape, 1), dtype="float32")
    features = images
    for layer in ARCHITECTURES[section.name](make, section):
        features = layer(features)
    return keras.Model(images, head(make, section.head, class_counts)(features), name=section.name)
