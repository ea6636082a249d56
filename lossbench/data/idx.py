"""The IDX format of MNIST: a big-endian header, then one byte per pixel or label; gzipped or raw.

A header is two zero bytes, the type (8: unsigned bytes), the number of dimensions, and these as 32-bit integers.
No more bytes are read than the header announces, and a file must end there.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lossbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TRAIN_IMAGES = "train-images-idx3-ubyte"
TRAIN_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

DIMENSIONS = {"images": 3, "labels": 1}

GZIP_MAGIC = b"\x1f\x8b"
GZIP_LARGEST_RATIO = 1032
"""Largest compression ratio of deflate."""

LARGEST = 2**31
"""Bytes per file, compressed or not: 45 times the largest of MNIST."""


@dataclass(frozen=True, eq=False)
class Arrays:
    """The content of the four files: images `[n, height, width]`, labels `[n]`, all uint8."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]

    @property
    def classes(self) -> int:
        """One more than the largest training label."""
        return int(self.train_labels.max()) + 1

    @property
    def sha256(self) -> str:
        """SHA-256 of the four raw files, concatenated: the same for gzipped and raw folders."""
        digest = hashlib.sha256()
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(_header(array.ndim) + struct.pack(f">{array.ndim}I", *array.shape))
            digest.update(array.tobytes())
        return digest.hexdigest()


def read_folder(folder: Path) -> Arrays:
    """Read the four IDX files of a folder.

    Args:
        folder: Holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
            `t10k-labels-idx1-ubyte`, each with or without `.gz`; `train-images.idx3-ubyte` is understood too.

    Returns:
        The four arrays, checked to belong together.

    Raises:
        DataError: The folder or a file is missing, unreadable, or does not fit the others.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder; data.path names a folder that holds {', '.join(FILES)} (.gz or raw)"
        )
    paths = [_find(folder, name) for name in FILES]
    return assemble([decode(_read(path), path) for path in paths], paths)


def stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, size and time of each file in a folder, which change with its content; empty if it is unreadable."""
    with suppress(OSError):
        found = [(path.name, path.stat()) for path in sorted(folder.iterdir())]
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
    for images, labels in ((0, 1), (2, 3)):
        if len(arrays[images]) != len(arrays[labels]):
            raise DataError(
                f"{paths[labels]}: expected one label for each of the {len(arrays[images])} images of "
                f"{paths[images].name}, got {len(arrays[labels])}; take both files from the same data set"
            )
    read = Arrays(*arrays)
    if read.test_images.shape[1:] != read.train_images.shape[1:]:
        sizes = [" × ".join(map(str, images.shape[1:])) for images in (read.train_images, read.test_images)]
        raise DataError(f"{paths[2]}: expected images of {sizes[0]} pixels as in {paths[0].name}, got {sizes[1]}")
    _check_labels(read, paths)
    return read


def _check_labels(read: Arrays, paths: list[Path]) -> None:
    outside = np.flatnonzero(read.test_labels >= read.classes)
    if outside.size:
        raise DataError(
            f"{paths[3]}: image {outside[0]} has label {read.test_labels[outside[0]]}, "
            f"but the training labels are 0 to {read.classes - 1}"
        )
    empty = np.flatnonzero(np.bincount(read.train_labels) == 0)
    if empty.size or read.classes == 1:
        raise DataError(
            f"{paths[1]}: class {empty[0] if empty.size else 1} has no images; "
            "labels are expected to be 0, 1, … without a gap, two classes at least"
        )


def decode(packed: bytes, path: Path) -> NDArray[np.uint8]:
    """Decode one IDX file, gzipped or raw.

    Args:
        packed: The content of the file.
        path: Its path; three dimensions are expected if the name contains `images`, else one.

    Returns:
        A read-only array of the shape that the header announces.

    Raises:
        DataError: The content is not such a file, is damaged, or does not have the announced length.
    """
    stream = io.BytesIO(packed)
    try:
        if packed.startswith(GZIP_MAGIC):
            return _parse(gzip.GzipFile(fileobj=stream), path, GZIP_LARGEST_RATIO * len(packed))
        return _parse(stream, path, len(packed))
    except EOFError:
        raise DataError(f"{path}: truncated: the gzip stream ends too early; fetch the file again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged: {error}; fetch the file again") from None


def _parse(stream: io.BufferedIOBase, path: Path, largest: int) -> NDArray[np.uint8]:
    kind = "images" if "images" in path.name else "labels"
    dimensions = DIMENSIONS[kind]
    magic = stream.read(4)
    if magic != _header(dimensions):
        raise DataError(
            f"{path}: expected an IDX file of {kind}, gzipped or raw, that begins "
            f"with the bytes {_header(dimensions).hex(' ')}, got {magic.hex(' ') or 'an empty file'}"
        )
    sizes = stream.read(4 * dimensions)
    shape = struct.unpack(f">{dimensions}I", sizes) if len(sizes) == 4 * dimensions else ()
    count = math.prod(shape)
    announced = " × ".join(map(str, shape))
    if LARGEST < count <= largest:
        raise DataError(f"{path}: expected at most {LARGEST} bytes, its header announces {announced}")
    content = stream.read(count) if shape and count <= largest else b""
    if not shape or len(content) < count:
        raise DataError(f"{path}: truncated: its header announces {announced or 'no'} bytes; fetch the file again")
    if stream.read(1):
        raise DataError(f"{path}: bytes follow the {announced} that its header announces; fetch the file again")
    if count == 0:
        raise DataError(f"{path}: expected at least one image, got {announced}")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _header(dimensions: int) -> bytes:
    return bytes([0, 0, 8, dimensions])


def _find(folder: Path, name: str) -> Path:
    spellings = [name, name.replace("-idx", ".idx")]
    candidates = [folder / (spelling + ending) for spelling in spellings for ending in (".gz", "")]
    for path in candidates:
        if path.is_file():
            return path
    raise DataError(f"{folder}: the file {name}.gz is missing (or {name} without .gz)")


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size <= LARGEST:
            return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    raise DataError(f"{path}: expected at most {LARGEST} bytes; is this an IDX file?")
