"""The plane of a penultimate layer with two units: the test images in it, and the class predicted at each point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossbench.data import Dataset

UNITS = 2
POINTS = 400
"""Points of the grid along each axis."""

MARGIN = 0.05
"""Room around the images, as a share of their range."""

BATCH = 1000


def feature_plane(model: Any, dataset: Dataset) -> dict[str, NDArray[Any]] | None:
    """Compute the features of the test images, and the classes that the head predicts on a grid around them.

    Args:
        model: The trained Keras model.
        dataset: Test images and normalisation.

    Returns:
        None unless the penultimate layer has two units; otherwise
        `features`: `[images, 2]` float32, the input of the head;
        `box`: `[4]` float32, left, right, bottom and top of the grid, which contains all images and the origin;
        `regions`: `[POINTS, POINTS]`, the class predicted in the middle of each cell of the box, from the bottom left.
    """
    import keras

    head = model.layers[-1]
    if tuple(head.input.shape[1:]) != (UNITS,):
        return None
    body = keras.Model(model.input, head.input)
    features = _in_batches(body, _normalised(dataset))
    box = _box(features)
    centres = [low + (np.arange(POINTS) + 0.5) / POINTS * (high - low) for low, high in box.reshape(UNITS, 2)]
    grid = np.stack(np.meshgrid(*centres), axis=-1).reshape(-1, UNITS).astype(np.float32)
    regions = _in_batches(head, grid).argmax(axis=1).astype(np.uint8)
    return {"features": features, "box": box, "regions": regions.reshape(POINTS, POINTS)}


def _normalised(dataset: Dataset) -> NDArray[np.float32]:
    scale, shift = np.float32(1 / (255 * dataset.std)), np.float32(-dataset.mean / dataset.std)
    return (dataset.test.images * scale + shift)[..., np.newaxis]


def _in_batches(layer: Any, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    batches = (inputs[begin : begin + BATCH] for begin in range(0, len(inputs), BATCH))
    return np.concatenate([np.asarray(layer(batch), np.float32) for batch in batches])


def _box(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the smallest and the largest value on each axis, with a margin; the origin lies inside."""
    low, high = np.minimum(features.min(axis=0), 0), np.maximum(features.max(axis=0), 0)
    room = np.where(high > low, MARGIN * (high - low), 1)
    return np.stack([low - room, high + room], axis=1).ravel().astype(np.float32)
