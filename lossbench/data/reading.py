"""The labelled images that a data section names: both parts of its files, with the classes that it selects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lossbench.config.datasets import DATASETS, OWN_FILES
from lossbench.data import fileset, sources, split
from lossbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lossbench.config.data import Data


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


class Parts(NamedTuple):
    """Training part and test part, where they came from, e.g. `mnist (embedded)`, and the files' own arrays."""

    train: Split
    test: Split
    source: str
    arrays: fileset.Arrays


def read(section: Data, *, fetch: bool = True) -> Parts:
    """Return the images of a data section, their classes numbered from 0.

    Args:
        section: The `data` section of an experiment.
        fetch: Download the files that are missing.

    Raises:
        DataError: The files are missing or unusable, or do not fit the section.
        MachineError: The embedded files are damaged, or the cache cannot be written.
    """
    parts = _read(section.name, section.path, section.transpose, stamps(section), fetch=fetch)
    if section.classes is None:
        fileset.check_classes(parts.arrays)
        return parts
    train, test = (_only(section.classes, part, parts.source) for part in (parts.train, parts.test))
    return Parts(train, test, parts.source, parts.arrays)


def stamps(section: Data) -> object:
    """Return a value that changes when a file of the section's folder changes."""
    return None if section.path is None else fileset.stamps(Path(section.path))


@lru_cache(maxsize=1)
def _read(name: str, path: Path | None, transpose: bool, _: object, *, fetch: bool = True) -> Parts:  # noqa: FBT001 - positional, as a key of the cache
    """Decode the files once for consecutive trials."""
    folder = Path(path) if path is not None else sources.folder(name, fetch=fetch)
    arrays = fileset.read_folder(folder)
    images = [arrays.train_images, arrays.test_images]
    if transpose or (name != OWN_FILES and DATASETS[name].transposed):
        images = [np.ascontiguousarray(each.transpose(0, 2, 1)) for each in images]
    train, test = (
        Split(each, labels, labels)
        for each, labels in zip(images, (arrays.train_labels, arrays.test_labels), strict=True)
    )
    return Parts(train, test, str(path) if path is not None else sources.description(name), arrays)


def _only(classes: Sequence[int], part: Split, where: str) -> Split:
    check_present(classes, np.unique(part.labels).tolist(), where)
    indices, labels = split.select_classes(part.labels, classes)
    return Split(part.images[indices], labels, labels)


def check_present(classes: Sequence[int], present: Sequence[int], where: str) -> None:
    """Raise a DataError if `data.classes` names a class that has no images."""
    for c in classes:
        if c not in present:
            raise DataError(
                f"data.classes: {where} has no images of class {c}; choose from {', '.join(map(str, present))}"
            )
