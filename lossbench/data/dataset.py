"""Data of an experiment: read, split, made imbalanced and noisy, in this order.

    classes → stratified validation split → train_size → imbalance (training part) → label noise

Each step draws from its own generator, so that no step changes the draws of another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lossbench import seeding
from lossbench.config.datasets import DATASETS
from lossbench.data import fileset, noise, sources, split
from lossbench.data.imbalance import imbalanced
from lossbench.data.reading import Split, read, stamps
from lossbench.data.summary import ALL_THE_SAME, confusions, effective_noise
from lossbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossbench.config.data import Data, LabelNoise
    from lossbench.config.schema import Experiment


@dataclass(frozen=True, eq=False)
class Dataset:
    """The data that one run trains, validates and tests with.

    Attributes:
        train: The training part.
        validation: The validation part; None if its size is 0.
        test: The complete test set, without noise.
        classes: Number of classes.
        mean: A network's input is `(image / 255 - mean) / std`.
        std: See `mean`.
        class_counts: `[classes]` training images per class, by labels as seen.
        transition_matrix: `[classes, classes]` of the training part, as defined; None without noise.
        realised_transition_matrix: The same, as drawn; None without noise.
        source: Where the data came from, e.g. `mnist (embedded)`.
    """

    train: Split
    validation: Split | None
    test: Split
    classes: int
    mean: float
    std: float
    class_counts: NDArray[np.int64]
    transition_matrix: NDArray[np.float64] | None
    realised_transition_matrix: NDArray[np.float64] | None
    source: str

    @property
    def image_shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        _, height, width = self.train.images.shape
        return height, width


def sha256(section: Data, *, fetch: bool = True) -> str:
    """Return the SHA-256 of the four raw files that a data section names; gzipped and raw files have the same.

    Args:
        section: The `data` section of an experiment.
        fetch: Download the files if that is needed to know their SHA-256.

    Returns:
        64 hexadecimal digits. Files are read only if the table of data sets does not know the SHA-256.

    Raises:
        DataError: The files are missing or unusable, or cannot be downloaded.
    """
    if section.path is not None:
        return _sha256(Path(section.path), stamps(section))
    if known := DATASETS[section.name].sha256:
        return known
    folder = sources.cache_folder(section.name)
    if fetch:
        _fetch_once(section.name, folder)
    return _sha256(folder, fileset.stamps(folder))


@lru_cache
def _fetch_once(name: str, _: Path) -> None:
    """Download or check a data set once per process and folder, however many trials of a sweep need it."""
    sources.folder(name)


@lru_cache
def _sha256(folder: Path, _: object) -> str:
    """Return the digest of a folder; it is read again only after a file in it has changed."""
    return fileset.read_folder(folder).sha256


def test_images(section: Data) -> NDArray[np.uint8]:
    """Return the test images of a data section, in the order of a run's predictions, without downloading anything.

    Args:
        section: The `data` section of an experiment.

    Returns:
        `[n, height, width]`.

    Raises:
        DataError: The files are missing or unusable.
    """
    return read(section, fetch=False).test.images


def prepare(experiment: Experiment) -> Dataset:
    """Prepare the data of an experiment; the same seed gives the same data.

    Args:
        experiment: Only its `seed` and `data` are used.

    Returns:
        The data set.

    Raises:
        DataError: The files cannot be used, or do not fit the section.
        MachineError: The embedded files are damaged, or the cache cannot be written.
    """
    return _prepared(experiment.data, experiment.seed, stamps(experiment.data))


@lru_cache(maxsize=1)
def _prepared(section: Data, seed: int, _: object) -> Dataset:
    """Prepare data once for consecutive trials that share a seed and a data section."""
    parts = read(section)
    classes = int(parts.train.labels.max()) + 1
    train, validation = _split(parts.train, section, seed)
    if section.imbalance is not None:
        train = _take(train, imbalanced(train.labels, section.imbalance, seeding.generator(seed, "imbalance")))
    matrix = None
    if (label_noise := effective_noise(section)) is not None:
        matrix = noise.transition_matrix(label_noise, np.bincount(train.labels), confusions(section))
        train, validation = _noisy(train, validation, label_noise, matrix, seed)
    mean, std = _normalization(section, train.images)
    return Dataset(
        train=train,
        validation=validation,
        test=parts.test,
        classes=classes,
        mean=mean,
        std=std,
        class_counts=np.bincount(train.labels, minlength=classes),
        transition_matrix=matrix,
        realised_transition_matrix=None if matrix is None else noise.realised(train.true_labels, train.labels, classes),
        source=parts.source,
    )


def _take(part: Split, indices: NDArray[np.intp]) -> Split:
    return Split(part.images[indices], part.labels[indices], part.true_labels[indices])


def _split(part: Split, section: Data, seed: int) -> tuple[Split, Split | None]:
    generator = seeding.generator(seed, "split")
    train, validation = split.stratified(part.labels, section.validation_size, section.train_size, generator)
    return _take(part, train), _take(part, validation) if len(validation) else None


def _noisy(
    train: Split, validation: Split | None, label_noise: LabelNoise, matrix: NDArray[np.float64], seed: int
) -> tuple[Split, Split | None]:
    seed = seed if label_noise.seed is None else label_noise.seed
    parts = {"training": train, "validation": None if label_noise.clean_validation else validation}
    samples = {
        name: replace(
            part, labels=noise.corrupt(part.labels, label_noise, matrix, seeding.generator(seed, f"{name} noise"))
        )
        for name, part in parts.items()
        if part is not None
    }
    return samples["training"], samples.get("validation", validation)


def _normalization(section: Data, images: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the mean and the standard deviation, in units of the largest pixel value."""
    normalize = section.normalize
    if normalize == "unit":
        return 0.0, 1.0
    if normalize == "none":
        return 0.0, 1 / 255
    if normalize == "standard":
        mean = images.mean(dtype=np.float64)
        deviation = math.sqrt(np.square(images, dtype=np.uint16).mean(dtype=np.float64) - mean**2)
        if deviation == 0:
            raise DataError(ALL_THE_SAME)
        return mean / 255, deviation / 255
    return normalize.mean, normalize.std
