"""Label noise: training labels replaced at random, as in the papers on robust losses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from lossbench.config.datasets import DATASETS
from lossbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lossbench.config.data import LabelNoise


def transition_matrix(
    noise: LabelNoise, counts: NDArray[np.int64], confusions: Mapping[int, int] | None = None
) -> NDArray[np.float64]:
    """Return the probability `T[i, j]` that an image of class i is labelled j.

    ```
    symmetric:       T_ii = 1 - rate, T_ij = rate/(C-1); include_self: T = (1 - rate)·I + rate/C
    symmetric_exact: T_ii = 1 - k/n_i, T_ij = k/n_i/(C-1) with k = int(rate·N/C)
    asymmetric:      i→confusions[i] at the rate, all else stays
    pair:            c→c+1 at the rate, the last class to the first
    matrix:          as listed
    ```

    Args:
        noise: The `data.label_noise` section.
        counts: `[classes]` images per class, by their true labels.
        confusions: The class that asymmetric noise takes a class for.

    Returns:
        `[classes, classes]`, rows sum to 1.

    Raises:
        DataError: The matrix does not fit the classes, a class has too few images for `symmetric_exact`, or no
            confusions are known for `asymmetric`.
    """
    classes = len(counts)
    same = np.eye(classes)
    others = (1 - same) / (classes - 1)
    rate: Any = noise.rate or 0.0
    match noise.type:
        case "matrix":
            return _listed(noise.matrix or (), classes)
        case "symmetric":
            target = np.full((classes, classes), 1 / classes) if noise.include_self else others
        case "symmetric_exact":
            target = others
            rate = (flipped_per_class(rate, counts) / counts)[:, np.newaxis]
        case "asymmetric":
            target = same[_confused(confusions or {}, classes)]
        case "pair":
            target = np.roll(same, 1, axis=1)
        case never:
            assert_never(never)
    matrix: NDArray[np.float64] = (1 - rate) * same + rate * target
    return matrix


def _confused(confusions: Mapping[int, int], classes: int) -> list[int]:
    if not confusions:
        named = ", ".join(name for name, source in DATASETS.items() if source.confusions)
        raise DataError(
            f"data.label_noise.type: asymmetric is defined for all classes of {named}, these are other classes; "
            "write {type: matrix, matrix: …} or {type: pair, rate: …}"
        )
    return [confusions.get(c, c) for c in range(classes)]


def flipped_per_class(rate: float, counts: NDArray[np.int64]) -> int:
    """Return how many labels of every class `symmetric_exact` changes: `int(rate · N / C)`.

    Args:
        rate: In [0, 1].
        counts: `[classes]` images per class.

    Returns:
        The number of labels, the same for every class.

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
    labels: NDArray[np.uint8], noise: LabelNoise, matrix: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Return noisy labels.

    Args:
        labels: `[n]` true labels.
        noise: The `data.label_noise` section.
        matrix: `[classes, classes]` from `transition_matrix`.
        generator: Source of the random numbers.

    Returns:
        `[n]` labels as seen; the array passed in is unchanged.

    Raises:
        DataError: A class has too few images for `symmetric_exact`.
    """
    classes = len(matrix)
    if noise.type == "symmetric_exact":
        flipped = flipped_per_class(noise.rate or 0.0, np.bincount(labels, minlength=classes))
        return _flip_exactly(labels, flipped, classes, generator)
    cumulative = matrix.cumsum(axis=1)
    cumulative /= cumulative[:, -1:]
    uniform = generator.random(len(labels))
    seen: NDArray[np.uint8] = (cumulative[labels] <= uniform[:, np.newaxis]).sum(axis=1).astype(np.uint8)
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
        classes: Number of classes.

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
            f"data.label_noise.matrix: expected {classes} rows of {classes} probabilities, one per class, "
            f"got {len(rows)} rows of {', '.join(map(str, sorted(set(lengths)))) or 'no'} probabilities"
        )
    matrix: NDArray[np.float64] = np.array(rows, np.float64)
    matrix /= matrix.sum(axis=1, keepdims=True)
    return matrix
