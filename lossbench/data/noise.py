"""Label noise: training labels replaced at random, as the papers on robust losses do it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lossbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lossbench.config.schema import LabelNoise

CONFUSED_DIGITS = {7: 1, 2: 7, 5: 6, 6: 5, 3: 8}
"""What asymmetric noise takes MNIST's digits for (Patrini et al. 2017, Ma et al. 2020)."""


def transition_matrix(noise: LabelNoise, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability `T[i, j]` that an image of class i is labelled j.

    ```
    symmetric:       T_ii = 1 - rate, T_ij = rate/(C-1); include_self: T = (1 - rate)·I + rate/C
    symmetric_exact: T_ii = 1 - k/n_i, T_ij = k/n_i/(C-1) with k = int(rate·N/C)
    asymmetric:      7→1, 2→7, 5↔6, 3→8 at the rate, all else stays
    pair:            c→c+1 at the rate, the last class to the first
    matrix:          as listed
    ```

    Args:
        noise: Its type and rate.
        counts: `[classes]` images of each class, by their true labels.

    Returns:
        `[classes, classes]`, rows sum to 1.

    Raises:
        DataError: The matrix does not fit the classes, or a class has too few images for `symmetric_exact`.
    """
    classes = len(counts)
    stay = np.eye(classes)
    if noise.type == "matrix":
        return _listed(noise.matrix or (), classes)
    rate: NDArray[np.float64] = np.full((classes, 1), noise.rate or 0.0)
    if noise.type == "symmetric_exact":
        rate = (flipped_per_class(noise.rate or 0.0, counts) / counts)[:, np.newaxis]
    if noise.type == "symmetric" and noise.include_self:
        target = np.full((classes, classes), 1 / classes)
    elif noise.type in {"symmetric", "symmetric_exact"}:
        target = (1 - stay) / (classes - 1)
    elif noise.type == "pair":
        target = np.roll(stay, 1, axis=1)
    else:
        target = stay[[CONFUSED_DIGITS.get(digit, digit) for digit in range(classes)]]
    matrix: NDArray[np.float64] = (1 - rate) * stay + rate * target
    return matrix


def flipped_per_class(rate: float, counts: NDArray[np.int64]) -> int:
    """Return how many labels of every class `symmetric_exact` changes: `int(rate · N / C)`.

    Args:
        rate: In [0, 1].
        counts: `[classes]` images of each class.

    Returns:
        The same number for every class.

    Raises:
        DataError: A class has fewer images than that.

    Example:
        >>> flipped_per_class(0.4, np.array([30, 20]))
        10
    """
    flipped = math.floor(round(rate * int(counts.sum()) / len(counts), 6))
    if flipped > counts.min():
        raise DataError(
            f"data.label_noise: symmetric_exact at rate {rate:g} changes {flipped} labels of every class, but class "
            f"{counts.argmin()} has {counts.min()} images; choose a smaller rate, or type symmetric"
        )
    return flipped


def corrupt(
    labels: NDArray[np.uint8], noise: LabelNoise, classes: int, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the labels as noise leaves them.

    Args:
        labels: `[n]` true labels.
        noise: Its type and rate.
        classes: How many there are.
        generator: Where the randomness comes from.

    Returns:
        `[n]` labels as seen; the ones passed in are unchanged.

    Raises:
        DataError: As `transition_matrix`.
    """
    counts = np.bincount(labels, minlength=classes)
    if noise.type == "symmetric_exact":
        return _flip_exactly(labels, flipped_per_class(noise.rate or 0.0, counts), classes, generator)
    cumulative = transition_matrix(noise, counts).cumsum(axis=1)
    cumulative /= cumulative[:, -1:]
    drawn = generator.random(len(labels))
    seen: NDArray[np.uint8] = (cumulative[labels] <= drawn[:, np.newaxis]).sum(axis=1).astype(np.uint8)
    return seen


def _flip_exactly(
    labels: NDArray[np.uint8], flipped: int, classes: int, generator: np.random.Generator
) -> NDArray[np.uint8]:
    seen = labels.copy()
    for c in range(classes):
        chosen = generator.choice(np.flatnonzero(labels == c), flipped, replace=False)
        seen[chosen] = (c + generator.integers(1, classes, flipped)) % classes
    return seen


def realised(true_labels: NDArray[np.uint8], labels: NDArray[np.uint8], classes: int) -> NDArray[np.float64]:
    """Return the share of the images of class i that are labelled j.

    Args:
        true_labels: `[n]`, every class has images.
        labels: `[n]` as seen.
        classes: How many there are.

    Returns:
        `[classes, classes]`, rows sum to 1.

    Example:
        >>> realised(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
        array([[0.5, 0.5],
               [0. , 1. ]])
    """
    pairs = true_labels.astype(np.int64) * classes + labels
    counts = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares


def _listed(rows: Sequence[Sequence[float]], classes: int) -> NDArray[np.float64]:
    lengths = [len(row) for row in rows]
    if lengths != [classes] * classes:
        raise DataError(
            f"data.label_noise.matrix: expected {classes} rows of {classes} probabilities, one a class, "
            f"got {len(rows)} rows of {', '.join(map(str, sorted(set(lengths)))) or 'no'} probabilities"
        )
    matrix: NDArray[np.float64] = np.array(rows, np.float64)
    matrix /= matrix.sum(axis=1, keepdims=True)
    return matrix
