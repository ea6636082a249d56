"""Stratified splits into training and validation images, and class subsets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def select_classes(labels: NDArray[np.uint8], classes: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Select the images of some classes and renumber these classes 0, 1, … in the given order.

    Args:
        labels: `[n]`.
        classes: The classes to keep, each once.

    Returns:
        Indices of the selected images, ascending, and their new labels.

    Example:
        >>> select_classes(np.array([5, 3, 8, 3], np.uint8), [8, 3])
        (array([1, 2, 3]), array([1, 0, 1], dtype=uint8))
    """
    kept = np.flatnonzero(np.isin(labels, classes))
    renumbered = np.zeros(256, np.uint8)
    renumbered[list(classes)] = np.arange(len(classes))
    return kept, renumbered[labels[kept]]


def stratified(
    labels: NDArray[np.uint8], validation_size: int, train_size: int | None, generator: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw a training and a validation part in which every class has its share, to within one image.

    The images of a class are shuffled once; validation takes them from the front, training from the back. With the same
    seed, a larger part therefore contains the smaller one up to rounding, and neither part depends on the size of the
    other.

    Args:
        labels: `[n]`, every class below the largest has images.
        validation_size: Number of validation images.
        train_size: Number of training images; None: all that are not validation images.
        generator: Source of the random numbers.

    Returns:
        Indices of the training images and of the validation images, each ascending.

    Raises:
        DataError: The sizes do not fit the data, or a class would have no training image.
    """
    train, validation = class_counts(np.bincount(labels), validation_size, train_size)
    orders = [generator.permutation(np.flatnonzero(labels == c)) for c in range(len(train))]
    return (
        np.sort(np.concatenate([order[len(order) - n :] for order, n in zip(orders, train, strict=True)])),
        np.sort(np.concatenate([order[:n] for order, n in zip(orders, validation, strict=True)])),
    )


def class_counts(
    available: NDArray[np.int64], validation_size: int, train_size: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many training and how many validation images each class has.

    Args:
        available: `[classes]` images per class.
        validation_size: Number of validation images.
        train_size: Number of training images; None: all that are not validation images.

    Raises:
        DataError: The sizes do not fit the data, or a class would have no training image.
    """
    size = _checked_size(int(available.sum()), validation_size, train_size)
    validation = apportion(validation_size, available)
    train = apportion(size, available - validation)
    if not train.all():
        raise DataError(
            f"data.train_size: {size} training images leave class {np.flatnonzero(train == 0)[0]} without images; "
            "choose a larger one (or a smaller data.validation_size)"
        )
    return train, validation


def apportion(total: int, weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Divide a number by the largest remainder method: exact in total, each share to within one.

    Args:
        total: Integer ≥ 0.
        weights: `[classes]` integers ≥ 0, not all 0.

    Returns:
        `[classes]` integers that sum to the total; none exceeds its weight if the total does not exceed their sum.

    Example:
        >>> apportion(5, np.array([1, 1, 2]))
        array([1, 1, 3])
    """
    shares, remainders = np.divmod(total * weights, weights.sum())
    largest = np.argsort(-remainders, kind="stable")[: total - shares.sum()]
    shares[largest] += 1
    return shares


def _checked_size(available: int, validation_size: int, train_size: int | None) -> int:
    if train_size is not None and validation_size + train_size > available:
        raise DataError(
            f"data.train_size: {train_size} training and {validation_size} validation images were requested, "
            f"but the training set has {available}; choose sizes whose sum is at most {available}"
        )
    if validation_size >= available:
        raise DataError(
            f"data.validation_size: {validation_size} validation images were requested, but the training set has "
            f"{available}, and one must remain to train with; choose at most {available - 1}"
        )
    return available - validation_size if train_size is None else train_size
