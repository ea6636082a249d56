"""The NPZ format of Keras' `mnist.npz`: a ZIP archive of four arrays, read without pickle.

No more bytes are read than an array announces, and an array ends where its file does.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from lossbench.data.formats import CONVERT, DOWNLOAD
from lossbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
)
"""Names of the arrays as Keras and as MedMNIST write them: training images, their labels, test images, their labels."""

LARGEST_RATIO = 1032
"""Largest compression ratio of deflate."""

HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read(path: Path, largest: int) -> dict[str, NDArray[Any]]:
    """Return the four arrays of an archive by their names, in the order of `NAMES`.

    Args:
        path: The archive.
        largest: Largest number of bytes of an array.

    Raises:
        DataError: The archive is damaged, or lacks an array.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            present = [name.removesuffix(".npy") for name in archive.namelist()]
            names = next((each for each in NAMES if set(each) <= set(present)), None)
            if names is None:
                held = ", ".join(map(repr, sorted(present)[:8])) or "no arrays"
                raise DataError(f"{path}: expected the arrays {', '.join(NAMES[0])}, it holds {held}; {CONVERT}")
            return {name: _array(archive, name, path, largest) for name in names}
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path}: damaged, or no archive of arrays: {error}; {DOWNLOAD}") from None


def _array(archive: zipfile.ZipFile, name: str, path: Path, largest: int) -> NDArray[Any]:
    packed = archive.getinfo(f"{name}.npy").compress_size
    with archive.open(f"{name}.npy") as file:
        try:
            shape, in_columns, dtype = HEADERS[npy.read_magic(file)](file)
        except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise DataError(f"{path}: {name}: no NumPy array; {CONVERT}") from None
        if dtype.hasobject or dtype.kind not in "buif":
            raise DataError(f"{path}: {name}: expected numbers, got {dtype.str!r}; lossbench loads no pickles")
        count, announced = math.prod(shape) * dtype.itemsize, " × ".join(map(str, shape))
        if largest < count <= LARGEST_RATIO * packed:
            raise DataError(
                f"{path}: {name}: expected at most {largest} bytes, its header announces {announced} numbers"
            )
        content = file.read(count) if count <= LARGEST_RATIO * packed else b""
        if len(content) < count or file.read(1):
            raise DataError(f"{path}: {name}: expected {announced} numbers, as its header announces; {DOWNLOAD}")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if in_columns else "C")
