"""Class imbalance: fewer training images in some classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from lossbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossbench.config.data import Imbalance


def imbalanced(labels: NDArray[np.uint8], imbalance: Imbalance, generator: np.random.Generator) -> NDArray[np.intp]:
    """Choose the training images to keep.

    The images of a class are shuffled once and the first ones are kept, so that a stronger imbalance with the same seed
    keeps a subset of the images that a weaker one keeps.

    Args:
        labels: `[n]`, every class has images.
        imbalance: The `data.imbalance` section.
        generator: Source of the random numbers.

    Returns:
        Indices of the kept images, ascending.

    Raises:
        DataError: A class would have no images, or fewer than requested.
    """
    available = np.bincount(labels)
    counts = class_counts(available, imbalance)
    orders = [generator.permutation(np.flatnonzero(labels == c)) for c in range(len(counts))]
    return np.sort(np.concatenate([order[:n] for order, n in zip(orders, counts, strict=True)]))


def class_counts(available: NDArray[np.int64], imbalance: Imbalance) -> NDArray[np.int64]:
    r"""Return the number of images that each class keeps.

    ```
    exponential: n_j = n_max · ratio^(-j/(C-1))
    step:        n_j = n_max / ratio for the minority classes, n_max for the others
    counts:      as listed
    ```
    `n_max` is the largest number for which every class has enough images; `n_j` is rounded down, as in the code of the
    papers.

    Args:
        available: `[classes]` images per class.
        imbalance: `ratio` is n_max / n_min ≥ 1.

    Returns:
        `[classes]` images to keep, at least one each.

    Raises:
        DataError: A class would have no images, or fewer than requested.

    Sources: Cui, Jia, Lin, Song and Belongie 2019, "Class-balanced loss based on effective number of samples",
    arXiv:1901.05555 (exponential); Buda, Maki and Mazurowski 2018, "A systematic study of the class imbalance
    problem in convolutional neural networks", arXiv:1710.05381 (step).
    """
    ratio = imbalance.ratio or 1.0
    match imbalance.type:
        case "counts":
            return _listed(available, np.array(imbalance.counts))
        case "exponential":
            shares = ratio ** -np.linspace(0, 1, len(available))
        case "step":
            shares = np.ones(len(available))
            shares[_minority(imbalance, len(available))] /= ratio
        case never:
            assert_never(never)
    largest = _floor((available / shares).min())
    counts = _floor(largest * shares)
    if not counts.all():
        raise DataError(
            f"data.imbalance.ratio: a ratio of {ratio:g} leaves class {np.flatnonzero(counts == 0)[0]} "
            f"without images, of {available.sum()} in {len(available)} classes; choose a smaller one"
        )
    return counts


def _floor(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Round down, but treat 49.999999999 as 50."""
    floor: NDArray[np.int64] = np.floor(np.round(numbers, 6)).astype(np.int64)
    return floor


def _minority(imbalance: Imbalance, classes: int) -> list[int]:
    if imbalance.minority_classes is None:
        return list(range((classes + 1) // 2, classes))
    for c in imbalance.minority_classes:
        if c >= classes:
            raise DataError(f"data.imbalance.minority_classes: {c} is not a class, they are 0 to {classes - 1}")
    return list(imbalance.minority_classes)


def _listed(available: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(counts) != len(available):
        raise DataError(f"data.imbalance.counts: expected {len(available)} counts, one per class, got {len(counts)}")
    for c, (wanted, there) in enumerate(zip(counts, available, strict=True)):
        if wanted < 1:
            raise DataError(f"data.imbalance.counts: class {c} is left without images; each count must be at least 1")
        if wanted > there:
            raise DataError(f"data.imbalance.counts: {wanted} images of class {c} were requested, but it has {there}")
    return counts
