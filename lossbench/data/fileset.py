"""The folder of a data set: four IDX files, or one `mnist.npz`; checked to belong together."""

from __future__ import annotations

import hashlib
import re
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lossbench.data import idx, npz, pixels
from lossbench.data.formats import CONVERT, ENDINGS, HEAD, describe
from lossbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


@dataclass(frozen=True, eq=False)
class Arrays:
    """The content of the four files: images `[n, height, width]`, labels `[n]`, all uint8; and where each stands."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]
    paths: tuple[Path, ...]

    @property
    def classes(self) -> int:
        """One more than the largest training label."""
        return int(self.train_labels.max()) + 1

    @property
    def sha256(self) -> str:
        """SHA-256 of the four raw files, concatenated: the same for gzipped and raw folders."""
        digest = hashlib.sha256()
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(idx.header(array.ndim) + struct.pack(f">{array.ndim}I", *array.shape))
            digest.update(array.tobytes())
        return digest.hexdigest()


def read_folder(folder: Path) -> Arrays:
    """Read the files of a data set.

    Args:
        folder: Holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
            `t10k-labels-idx1-ubyte`, each with or without `.gz`; `train-images.idx3-ubyte` and EMNIST's names, e.g.
            `emnist-letters-test-images-idx3-ubyte`, are understood too. Or it holds an NPZ file, or is one.

    Returns:
        The four arrays, checked to belong together.

    Raises:
        DataError: The folder or a file is missing, unreadable, or does not fit the others.
    """
    if folder.is_file():
        return _read_archive(folder)
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder; data.path names a folder that holds {', '.join(FILES)} (.gz or raw)"
        )
    names = _names(folder)
    if paths := _find(folder, names):
        return assemble([idx.decode(_read(path), path) for path in paths], paths)
    archives = [name for name in names if name.endswith(".npz")]
    if len(archives) == 1 and not _standard(names):
        return _read_archive(folder / archives[0])
    raise DataError(_what_is_missing(folder, names))


def stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, size and time of each file in a folder, which change with its content; empty if it is unreadable."""
    with suppress(OSError):
        files = sorted(folder.iterdir()) if folder.is_dir() else [folder]
        found = [(path.name, path.stat()) for path in files]
        return tuple((name, status.st_size, status.st_mtime_ns) for name, status in found)
    return ()


def assemble(arrays: list[NDArray[np.uint8]], paths: list[Path]) -> Arrays:
    """Check that the four arrays, in the order of `FILES`, belong together.

    Args:
        arrays: Training images and labels, test images and labels.
        paths: The file of each, for error messages.

    Returns:
        The arrays as one record.

    Raises:
        DataError: Lengths or image sizes differ, a test label is not a class, or a class has no images.
    """
    for image, label in ((0, 1), (2, 3)):
        if len(arrays[image]) != len(arrays[label]):
            raise DataError(
                f"{paths[label]}: expected one label for each of the {len(arrays[image])} images of "
                f"{paths[image].name}, got {len(arrays[label])}; {_exchanged(arrays)}"
            )
    images, labels, test_images, test_labels = arrays
    read = Arrays(images, labels, test_images, test_labels, tuple(paths))
    if read.test_images.shape[1:] != read.train_images.shape[1:]:
        sizes = [" × ".join(map(str, images.shape[1:])) for images in (read.train_images, read.test_images)]
        raise DataError(f"{paths[2]}: expected images of {sizes[0]} pixels as in {paths[0].name}, got {sizes[1]}")
    return read


def _exchanged(arrays: list[NDArray[np.uint8]]) -> str:
    """Return the remedy for images and labels of different length."""
    sizes = [len(array) for array in arrays]
    if sizes[0] == sizes[3] and sizes[1] == sizes[2]:
        return "the files of labels are exchanged: training and test"
    return "take both files from the same data set"


def check_classes(read: Arrays) -> None:
    """Check that the labels are 0, 1, … without a gap, as they have to be where `data.classes` names none.

    Raises:
        DataError: A test label is not a class, or a class has no images.
    """
    paths = read.paths
    empty = np.flatnonzero(np.bincount(read.train_labels) == 0)
    if empty.size or read.classes == 1:
        present = np.intersect1d(read.train_labels, read.test_labels).tolist()
        remedy = f"; to train with those present, write data.classes: {present}" if len(present) > 1 else ""
        raise DataError(
            f"{paths[1]}: class {empty[0] if empty.size else 1} has no images; "
            f"labels are expected to be 0, 1, … without a gap, two classes at least{remedy}"
        )
    outside = np.flatnonzero(read.test_labels >= read.classes)
    if outside.size:
        raise DataError(
            f"{paths[3]}: image {outside[0]} has label {read.test_labels[outside[0]]}, "
            f"but the training labels are 0 to {read.classes - 1}"
        )


def _read_archive(path: Path) -> Arrays:
    """Read an NPZ file of four arrays."""
    head = _read(path, HEAD)
    if not head.startswith(b"PK"):
        raise DataError(f"{path}: expected a folder of IDX files or an NPZ file, this is {describe(head)}")
    arrays = npz.read(path, idx.LARGEST)
    places = [path / name for name in arrays]
    converted = [
        (pixels.grey_levels if number % 2 == 0 else pixels.class_labels)(array, place)
        for number, (array, place) in enumerate(zip(arrays.values(), places, strict=True))
    ]
    if not all(len(array) for array in converted):
        raise DataError(f"{path}: expected at least one image and label in each array")
    return assemble(converted, places)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from None


FILE = re.compile(r"(?P<prefix>|.*[-_])(?P<part>train|t10k|test)-(?P<kind>images|labels)[-.]idx[13]-ubyte(?:\.gz)?")


def _find(folder: Path, names: list[str]) -> list[Path]:
    """Return the four files of the data set in a folder, in the order of `FILES`; empty if they are not complete.

    Raises:
        DataError: The folder holds the files of several data sets.
    """
    sets: dict[str, dict[tuple[str, str], Path]] = {}
    for found in filter(None, map(FILE.fullmatch, names)):
        role = ("train" if found["part"] == "train" else "test", found["kind"])
        files = sets.setdefault(found["prefix"], {})
        if (folder / found.string).is_file() and (role not in files or found.string.endswith(".gz")):
            files[role] = folder / found.string
    complete = {prefix: files for prefix, files in sets.items() if len(files) == len(FILES)}
    if len(complete) > 1 and "" not in complete:
        listed = ", ".join(prefix.rstrip("-_") for prefix in sorted(complete))
        raise DataError(
            f"{folder}: holds several data sets: {listed}; move the four files of one to a folder of its own"
        )
    files = complete.get("") or next(iter(complete.values()), {})
    roles = [(part, kind) for part in ("train", "test") for kind in ("images", "labels")]
    return [files[role] for role in roles] if files else []


def _standard(names: list[str]) -> list[str]:
    """Return the files of the four, under any of their names, that a folder holds."""
    return [name for name in FILES if {name, f"{name}.gz", *_spelled(name)} & set(names)]


def _spelled(name: str) -> tuple[str, str]:
    other = name.replace("-idx", ".idx")
    return other, f"{other}.gz"


def _what_is_missing(folder: Path, names: list[str]) -> str:
    """Return the message for a folder without the four files."""
    missing = next((name for name in FILES if name not in _standard(names)), FILES[0])
    message = f"{folder}: the file {missing}.gz is missing (or {missing} without .gz)"
    endings = [name[name.rfind(".") :].lower() for name in names if "." in name]
    other = next((ENDINGS[ending] for ending in endings if ending in ENDINGS), None)
    if other and not _standard(names):
        return f"{message}; the folder holds {other}; {CONVERT}"
    return message


def _read(path: Path, size: int = -1) -> bytes:
    try:
        if path.stat().st_size <= idx.LARGEST:
            with path.open("rb") as file:
                return file.read(size)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    raise DataError(f"{path}: expected at most {idx.LARGEST} bytes; is this an IDX file?")
