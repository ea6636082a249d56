"""Class imbalance: a training part in which some classes have fewer images than others."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from lossbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossbench.config.schema import Imbalance


def imbalanced(labels: NDArray[np.uint8], imbalance: Imbalance, generator: np.random.Generator) -> NDArray[np.intp]:
    """Choose which training images stay.

    The images of a class are shuffled once and the first ones stay, so a stronger imbalance of the same seed keeps a
    subset of what a weaker one keeps.

    Args:
        labels: `[n]`, every class has images.
        imbalance: Its type and strength.
        generator: Where the randomness comes from.

    Returns:
        The indices of the images that stay, ascending.

    Raises:
        DataError: A class would have no images, or more are asked for than there are.
    """
    available = np.bincount(labels)
    counts = class_counts(available, imbalance)
    orders = [generator.permutation(np.flatnonzero(labels == c)) for c in range(len(counts))]
    return np.sort(np.concatenate([order[:n] for order, n in zip(orders, counts, strict=True)]))


def class_counts(available: NDArray[np.int64], imbalance: Imbalance) -> NDArray[np.int64]:
    r"""Return how many images each class keeps.

    ```
    exponential: n_j = n_max · ratio^(-j/(C-1))
    step:        n_j = n_max / ratio for the minority classes, n_max for the others
    counts:      as listed
    ```
    `n_max` is the largest number that every class can follow; `n_j` is rounded down, as in the papers' code.

    Args:
        available: `[classes]` images of each class.
        imbalance: `ratio` is n_max / n_min ≥ 1.

    Returns:
        `[classes]` images that stay, at least one each.

    Raises:
        DataError: A class would have no images, or more are asked for than there are.

    Source: Cui, Jia, Lin, Song and Belongie 2019 (exponential); Buda, Maki and Mazurowski 2018 (step).
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
    """Round down, but take 49.999999999 for the 50 that it stands for."""
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
        raise DataError(f"data.imbalance.counts: expected {len(available)} counts, one a class, got {len(counts)}")
    for c, (wanted, there) in enumerate(zip(counts, available, strict=True)):
        if wanted < 1:
            raise DataError(f"data.imbalance.counts: class {c} is left without images; each count must be at least 1")
        if wanted > there:
            raise DataError(f"data.imbalance.counts: {wanted} images of class {c} were asked for, but it has {there}")
    return counts
