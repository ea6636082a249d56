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
from lossbench.config.datasets import DATASETS, OWN_FILES
from lossbench.data import idx, noise, sources, split
from lossbench.data.imbalance import imbalanced
from lossbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lossbench.config.data import Data, LabelNoise
    from lossbench.config.schema import Experiment


@dataclass(frozen=True, eq=False)
class Split:
    """Images with the labels that the loss sees and the true labels; both are equal without noise.

    Attributes:
        images: `[n, height, width]` uint8.
        labels: `[n]` uint8, as seen.
        true_labels: `[n]` uint8.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    true_labels: NDArray[np.uint8]


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
        return _sha256(Path(section.path), _stamps(section))
    if known := DATASETS[section.name].sha256:
        return known
    folder = sources.cache_folder(section.name)
    if fetch:
        _fetch_once(section.name, folder)
    return _sha256(folder, idx.stamps(folder))


@lru_cache
def _fetch_once(name: str, _: Path) -> None:
    """Download or check a data set once per process and folder, however many trials of a sweep need it."""
    sources.folder(name)


@lru_cache
def _sha256(folder: Path, _: object) -> str:
    """Return the digest of a folder; it is read again only after a file in it has changed."""
    return idx.read_folder(folder).sha256


def _stamps(section: Data) -> object:
    """Return a value that changes when a file of the section's folder changes."""
    return None if section.path is None else idx.stamps(Path(section.path))


def test_images(section: Data) -> NDArray[np.uint8]:
    """Return the test images of a data section, in the order of a run's predictions, without downloading anything.

    Args:
        section: The `data` section of an experiment.

    Returns:
        `[n, height, width]`.

    Raises:
        DataError: The files are missing or unusable.
    """
    _, test, source = _read(section.name, section.path, _stamps(section), fetch=False)
    return (test if section.classes is None else _only(section.classes, test, source)).images


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
    return _prepared(experiment.data, experiment.seed, _stamps(experiment.data))


@lru_cache(maxsize=1)
def _prepared(section: Data, seed: int, stamps: object) -> Dataset:
    """Prepare data once for consecutive trials that share a seed and a data section."""
    train, test, source = _read(section.name, section.path, stamps)
    if section.classes is not None:
        train, test = (_only(section.classes, part, source) for part in (train, test))
    classes = int(train.labels.max()) + 1
    train, validation = _split(train, section, seed)
    if section.imbalance is not None:
        train = _take(train, imbalanced(train.labels, section.imbalance, seeding.generator(seed, "imbalance")))
    matrix = None
    if (label_noise := _label_noise(section)) is not None:
        matrix = noise.transition_matrix(label_noise, np.bincount(train.labels), _confusions(section))
        train, validation = _noisy(train, validation, label_noise, matrix, seed)
    mean, std = _normalization(section, train.images)
    return Dataset(
        train=train,
        validation=validation,
        test=test,
        classes=classes,
        mean=mean,
        std=std,
        class_counts=np.bincount(train.labels, minlength=classes),
        transition_matrix=matrix,
        realised_transition_matrix=None if matrix is None else noise.realised(train.true_labels, train.labels, classes),
        source=source,
    )


@lru_cache(maxsize=1)
def _read(name: str, path: Path | None, _: object, *, fetch: bool = True) -> tuple[Split, Split, str]:
    """Return the training part, the test part and their source; decoded once for consecutive trials."""
    folder = Path(path) if path is not None else sources.folder(name, fetch=fetch)
    arrays = idx.read_folder(folder)
    images = [arrays.train_images, arrays.test_images]
    if name != OWN_FILES and DATASETS[name].transposed:
        images = [np.ascontiguousarray(each.transpose(0, 2, 1)) for each in images]
    train, test = (
        Split(each, labels, labels)
        for each, labels in zip(images, (arrays.train_labels, arrays.test_labels), strict=True)
    )
    return train, test, str(path) if path is not None else sources.description(name)


def _take(part: Split, indices: NDArray[np.intp]) -> Split:
    return Split(part.images[indices], part.labels[indices], part.true_labels[indices])


def _only(classes: Sequence[int], part: Split, where: str) -> Split:
    present = np.unique(part.labels).tolist()
    for c in classes:
        if c not in present:
            raise DataError(
                f"data.classes: {where} has no images of class {c}; choose from {', '.join(map(str, present))}"
            )
    indices, labels = split.select_classes(part.labels, classes)
    return Split(part.images[indices], labels, labels)


def _split(part: Split, section: Data, seed: int) -> tuple[Split, Split | None]:
    generator = seeding.generator(seed, "split")
    train, validation = split.stratified(part.labels, section.validation_size, section.train_size, generator)
    return _take(part, train), _take(part, validation) if len(validation) else None


def _label_noise(section: Data) -> LabelNoise | None:
    """Return the noise; None without noise or at a rate of 0."""
    label_noise = section.label_noise
    return None if label_noise is None or label_noise.rate == 0 else label_noise


def _confusions(section: Data) -> Mapping[int, int]:
    """Return the class that asymmetric noise takes each class for; none is known for classes of the user's choice."""
    return {} if section.name == OWN_FILES or section.classes is not None else DATASETS[section.name].confusions


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
            raise DataError("data.normalize: standard needs pixels that differ, but all are the same; write unit")
        return mean / 255, deviation / 255
    return normalize.mean, normalize.std
