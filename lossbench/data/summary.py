"""Numbers of images that a data section leads to, computed without shuffling an image.

They are the same for every seed, so that one look at the files answers for all trials of a sweep.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from lossbench.config.datasets import DATASETS, IMAGE_SHAPE, OWN_FILES
from lossbench.data import imbalance, noise, sources, split
from lossbench.data.reading import check_present, read, stamps
from lossbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from lossbench.config.data import Data, LabelNoise

ALL_THE_SAME = "data.normalize: standard needs pixels that differ, but all are the same; write unit"


@dataclass(frozen=True, eq=False)
class Summary:
    """What is known of the data before an image is drawn.

    Attributes:
        image_shape: Height and width in pixels.
        class_counts: `[classes]` training images per class, by their true labels.
        transition_matrix: `[classes, classes]` of the label noise; None without noise.
        errors: Everything in the section that does not fit the files; then the numbers are those without it.
    """

    image_shape: tuple[int, int]
    class_counts: NDArray[np.int64]
    transition_matrix: NDArray[np.float64] | None
    errors: tuple[DataError, ...]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_counts)

    @property
    def images(self) -> int:
        """Number of training images."""
        return int(self.class_counts.sum())


def summarize(section: Data) -> Summary:
    """Return the numbers of images of a data section; data sets known by name are not read or downloaded for it.

    Raises:
        DataError: The files of a folder are missing or unusable, or have none of the classes.
    """
    return _summarized(section, stamps(section))


@lru_cache(maxsize=256)
def _summarized(section: Data, _: object) -> Summary:
    image_shape, available = _available(section)
    counts, validation, matrix = available, np.zeros_like(available), None
    errors: list[DataError] = []
    with _collected(errors):
        counts, validation = split.class_counts(available, section.validation_size, section.train_size)
    if section.imbalance is not None:
        with _collected(errors):
            counts = imbalance.class_counts(counts, section.imbalance)
    if (label_noise := effective_noise(section)) is not None:
        with _collected(errors):
            matrix = noise.transition_matrix(label_noise, counts, confusions(section))
            if label_noise.type == "symmetric_exact" and validation.any() and not label_noise.clean_validation:
                noise.flipped_per_class(label_noise.rate or 0.0, validation)
    return Summary(image_shape, counts, matrix, tuple(errors))


@contextmanager
def _collected(errors: list[DataError]) -> Iterator[None]:
    """Add an error raised inside to a list."""
    try:
        yield
    except DataError as error:
        errors.append(error)


def _available(section: Data) -> tuple[tuple[int, int], NDArray[np.int64]]:
    """Return the size of the images and the number of training images per class, before the split."""
    if section.path is None and section.name != OWN_FILES:
        counts = np.array(DATASETS[section.name].class_counts)
        if section.classes is not None:
            check_present(section.classes, range(len(counts)), sources.description(section.name))
            counts = counts[list(section.classes)]
        return IMAGE_SHAPE, counts
    train = read(section).train
    if section.normalize == "standard" and train.images.min() == train.images.max():
        raise DataError(ALL_THE_SAME)
    _, height, width = train.images.shape
    return (height, width), np.bincount(train.labels)


def effective_noise(section: Data) -> LabelNoise | None:
    """Return the label noise; None without noise or at a rate of 0."""
    label_noise = section.label_noise
    return None if label_noise is None or label_noise.rate == 0 else label_noise


def confusions(section: Data) -> Mapping[int, int]:
    """Return the class that asymmetric noise takes each class for; none is known for classes of the user's choice."""
    return {} if section.name == OWN_FILES or section.classes is not None else DATASETS[section.name].confusions
