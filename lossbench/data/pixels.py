"""Arrays of any number type as uint8: grey levels `[n, height, width]` and labels `[n]`, only where nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = 255
BLOCK = 4096
"""Images that are converted at a time, so that floats need little memory."""

TOLERANCE = 1e-3
"""Largest distance of a float image from whole grey levels, in grey levels."""

COLOURS = (3, 4)


def grey_levels(array: NDArray[Any], where: object) -> NDArray[np.uint8]:
    """Return images as uint8: integers of 0 to 255, or floats of 0 to 1 or 0 to 255 that are whole grey levels.

    Args:
        array: `[n, height, width]`, or with one more axis for a single channel.
        where: The file, for messages.

    Raises:
        DataError: The images have several channels, or values that uint8 cannot hold.
    """
    images = _single_channel(array, where)
    if images.dtype == np.uint8 or not images.size:
        return images.astype(np.uint8, copy=False)
    low, high = images.min(), images.max()
    if not low >= 0 or not high <= LARGEST:
        raise DataError(
            f"{where}: pixels are {low:g} to {high:g}, expected 0 to 255, or floats of 0 to 1; shift and scale them"
        )
    scale = LARGEST if images.dtype.kind == "f" and high <= 1 else 1
    levels = np.empty(images.shape, np.uint8)
    for begin in range(0, len(images), BLOCK):
        block = images[begin : begin + BLOCK] * np.float64(scale)
        levels[begin : begin + BLOCK] = np.rint(block)
        if np.abs(levels[begin : begin + BLOCK] - block).max() > TOLERANCE:
            raise DataError(
                f"{where}: float images of {low:g} to {high:g} that are not whole grey levels (multiples of 1/255); "
                "round them: numpy.rint(255 * x).astype('uint8')"
            )
    return levels


def class_labels(array: NDArray[Any], where: object) -> NDArray[np.uint8]:
    """Return labels as uint8: whole numbers of 0 to 255.

    Args:
        array: `[n]` or `[n, 1]`.
        where: The file, for messages.

    Raises:
        DataError: The labels are one-hot, no whole numbers, or out of range.
    """
    if array.ndim > 1 and array.shape[1:] != (1,) * (array.ndim - 1):
        shape = " × ".join(map(str, array.shape))
        hint = "one-hot labels? write y.argmax(1)" if array.ndim == 2 else "are images and labels exchanged?"  # noqa: PLR2004 - [n, classes]
        raise DataError(f"{where}: expected one label per image, got {shape}; {hint}")
    labels = array.reshape(len(array))
    wrong = ~((labels >= 0) & (labels <= LARGEST) & (labels == np.floor(labels))) if labels.dtype != np.uint8 else []
    if np.any(wrong):
        first = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{where}: expected labels of 0 to 255, image {first} has {labels[first]:g}; number the classes"
        )
    return labels.astype(np.uint8, copy=False)


def _single_channel(array: NDArray[Any], where: object) -> NDArray[Any]:
    """Return images without the axis of a single channel; RGB images whose channels are equal count as grey."""
    shape = " × ".join(map(str, array.shape))
    if array.ndim == 3:  # noqa: PLR2004 - [n, height, width]
        return array
    if array.ndim == 4:  # noqa: PLR2004 - [n, height, width, channels] or [n, channels, height, width]
        is_last = array.shape[-1] == 1 or (array.shape[-1] in COLOURS and array.shape[1] != 1)
        channels = array if is_last else np.moveaxis(array, 1, -1)
        number = channels.shape[-1]
        if all(np.array_equal(channels[..., 0], channels[..., each]) for each in range(1, min(number, 3))):
            return np.ascontiguousarray(channels[..., 0])
        if number in COLOURS:
            raise DataError(
                f"{where}: colour images, {shape}, lossbench takes one channel; "
                "convert them, e.g. with Pillow's image.convert('L')"
            )
    if array.ndim == 2:  # noqa: PLR2004 - [n, pixels]
        side = round(array.shape[1] ** 0.5)
        raise DataError(
            f"{where}: flat images, {shape}, expected n × height × width; write x.reshape(-1, {side}, {side})"
        )
    raise DataError(f"{where}: expected images of n × height × width, got {shape}")
