"""An experiment's data: read, split, thinned out and made noisy, in this order.

    classes → stratified validation split → train_size → imbalance (training part) → label noise

Each step draws from a generator of its own, so that none changes what another one draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lossbench import seeding
from lossbench.data import download, embedded, idx, noise, split
from lossbench.data.imbalance import imbalanced
from lossbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lossbench.config.schema import Data, Experiment, LabelNoise


@dataclass(frozen=True, eq=False)
class Split:
    """Images with the labels that a loss sees and the true ones; both are the same where there is no noise.

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
    """What one run trains, validates and tests with.

    Attributes:
        train: The training part.
        validation: The validation part; None if its size is 0.
        test: The test set, never thinned out and never noisy.
        classes: How many there are.
        mean: A network's input is `(image / 255 - mean) / std`.
        std: See `mean`.
        class_counts: `[classes]` training images of each class, labels as seen.
        transition_matrix: `[classes, classes]` as the noise is defined for the training part; None without noise.
        realised_transition_matrix: The same as it was drawn; None without noise.
        source: Where the data came from, for people.
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


def sha256(section: Data) -> str:
    """Return the SHA-256 of the four raw files that a data section names; gzipped or raw, it is the same.

    Args:
        section: The `data` section of an experiment.

    Returns:
        64 hexadecimal digits. Only a folder is read for it: that of the data sets known by name is known.

    Raises:
        DataError: The folder cannot be used.
    """
    if section.path is not None:
        return _sha256(Path(section.path), _stamps(section))
    return embedded.SHA256 if section.name == "mnist" else download.SHA256


@lru_cache
def _sha256(folder: Path, _: object) -> str:
    """The digest of a folder, read again only once a file in it has changed: a sweep asks for each of its trials."""
    return idx.read_folder(folder).sha256


def _stamps(section: Data) -> object:
    """What changes when a file of the section's folder does."""
    return None if section.path is None else idx.stamps(Path(section.path))


def test_images(section: Data) -> NDArray[np.uint8]:
    """Return the test images of a data section, in the order of a run's predictions; nothing is downloaded for it.

    Args:
        section: The `data` section of an experiment.

    Returns:
        `[n, height, width]`.

    Raises:
        DataError: The files are not there, or cannot be used.
    """
    path = download.cache_folder() if section.name == "fashion_mnist" and section.path is None else section.path
    _, test, source = _read(section.name, path, _stamps(section))
    return (test if section.classes is None else _only(section.classes, test, source)).images


def prepare(experiment: Experiment) -> Dataset:
    """Make an experiment's data; the same seed makes the same.

    Args:
        experiment: Its `seed` and `data` say all.

    Returns:
        The data set.

    Raises:
        DataError: The files cannot be used, or do not have what the section asks for.
        MachineError: The embedded files are damaged.
    """
    return _prepared(experiment.data, experiment.seed, _stamps(experiment.data))


@lru_cache(maxsize=1)
def _prepared(section: Data, seed: int, stamps: object) -> Dataset:
    """The data of the trials that share a seed and a data section, made once as they follow each other."""
    train, test, source = _read(section.name, section.path, stamps)
    if section.classes is not None:
        train, test = (_only(section.classes, part, source) for part in (train, test))
    classes = int(train.labels.max()) + 1
    train, validation = _split(train, section, seed)
    if section.imbalance is not None:
        train = _take(train, imbalanced(train.labels, section.imbalance, seeding.generator(seed, "imbalance")))
    matrix = None
    if (label_noise := _label_noise(section)) is not None:
        matrix = noise.transition_matrix(label_noise, np.bincount(train.labels))
        train, validation = _noisy(train, validation, label_noise, classes, seed)
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
def _read(name: str, path: Path | None, _: object) -> tuple[Split, Split, str]:
    """The training and the test part, decoded once for the trials of a process."""
    if path is not None:
        arrays, source = idx.read_folder(path), str(path)
    elif name == "mnist":
        arrays, source = embedded.load(), "mnist (embedded)"
    else:
        folder = download.fashion_mnist(download.cache_folder())
        arrays, source = idx.read_folder(folder), f"{name} ({folder})"
    train = Split(arrays.train_images, arrays.train_labels, arrays.train_labels)
    return train, Split(arrays.test_images, arrays.test_labels, arrays.test_labels), source


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
    """Return the noise, or None where there is none: a rate of 0 is no noise."""
    label_noise = section.label_noise
    if label_noise is None or label_noise.rate == 0:
        return None
    if label_noise.type == "asymmetric" and (section.name != "mnist" or section.classes is not None):
        raise DataError(
            "data.label_noise.type: asymmetric confuses the ten digits of mnist, these are other classes; "
            "write {type: matrix, matrix: …} or {type: pair, rate: …}"
        )
    return label_noise


def _noisy(
    train: Split, validation: Split | None, label_noise: LabelNoise, classes: int, seed: int
) -> tuple[Split, Split | None]:
    seed = seed if label_noise.seed is None else label_noise.seed
    parts = {"training": train, "validation": None if label_noise.clean_validation else validation}
    drawn = {
        name: replace(
            part, labels=noise.corrupt(part.labels, label_noise, classes, seeding.generator(seed, f"{name} noise"))
        )
        for name, part in parts.items()
        if part is not None
    }
    return drawn["training"], drawn.get("validation", validation)


def _normalization(section: Data, images: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the mean and the deviation, in units of the largest pixel value."""
    normalize = section.normalize
    if normalize == "unit":
        return 0.0, 1.0
    if normalize == "none":
        return 0.0, 1 / 255
    if normalize == "standard":
        mean = images.mean(dtype=np.float64)
        deviation = math.sqrt(np.square(images, dtype=np.uint16).mean(dtype=np.float64) - mean**2)
        if deviation == 0:
            raise DataError("data.normalize: standard needs pixels that differ, all are the same; write unit")
        return mean / 255, deviation / 255
    return normalize.mean, normalize.std
