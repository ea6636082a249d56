"""Keras models, built from the `model` section of a configuration."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from lossbench.models.heads import head
from lossbench.models.layers import Layers
from lossbench.models.shapes import layer_shapes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lossbench.config.model import Model

KerasModel: TypeAlias = Any


def build(
    section: Model,
    *,
    class_counts: NDArray[np.integer[Any]],
    image_shape: tuple[int, int],
    seed: int,
    precision: str = "float32",
    layer_classes: Any = None,
) -> KerasModel:
    """Build the model of a configuration: normalised images `[batch, height, width, 1]` to logits `[batch, classes]`.

    Args:
        section: The `model` section: a name, its hyperparameters, head, initialiser, batch norm constants.
        class_counts: `[classes]` training images per class; an adaptive head ranks the classes by them.
        image_shape: Height and width in pixels.
        seed: The run's seed; every layer draws its weights and its dropout from its own stream.
        precision: A Keras dtype policy; the head always computes in float32.
        layer_classes: Namespace with `Conv2D`, `Dropout` and the pooling layers; None: `keras.layers`.

    Returns:
        A `keras.Model`; the same arguments give the same weights.
    """
    import keras

    shapes = layer_shapes(section, image_shape)
    inputs = [*(each.inputs for each in shapes if each.kernel), math.prod(shapes[-1].output)]
    make = Layers(section, seed, precision, inputs, layer_classes)
    images = keras.Input((*image_shape, 1), dtype="float32")
    features = images
    for layer in section.layers(make):
        features = layer(features)
    return keras.Model(images, head(make, section.head, class_counts)(features), name=section.name)
