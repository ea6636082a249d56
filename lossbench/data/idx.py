"""The IDX format of MNIST: a big-endian header, then the numbers, usually one byte per pixel or label; gzipped or raw.

A header is two zero bytes, the type of the numbers, the number of dimensions, and these as 32-bit integers.
No more bytes are read than the header announces, and a file must end there.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench.data import pixels
from lossbench.data.formats import DOWNLOAD, HEAD, describe
from lossbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DIMENSIONS = {"images": 3, "labels": 1}
MOST_DIMENSIONS = 4

TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
"""The number types of the format, by their byte in the header."""

GZIP_MAGIC = b"\x1f\x8b"
GZIP_LARGEST_RATIO = 1032
"""Largest compression ratio of deflate."""

LARGEST = 2**31
"""Bytes per file, compressed or not: 45 times the largest of MNIST."""


def decode(packed: bytes, path: Path) -> NDArray[np.uint8]:
    """Decode one IDX file, gzipped or raw.

    Args:
        packed: The content of the file.
        path: Its path; images are expected if the name contains `images`, else labels.

    Returns:
        Images `[n, height, width]` or labels `[n]`, read-only if no number had to be converted.

    Raises:
        DataError: The content is not such a file, is damaged, does not have the announced length, or uint8 cannot hold
            its numbers.
    """
    stream = io.BytesIO(packed)
    try:
        if packed.startswith(GZIP_MAGIC):
            array = _parse(gzip.GzipFile(fileobj=stream), path, GZIP_LARGEST_RATIO * len(packed))
        else:
            array = _parse(stream, path, len(packed))
    except EOFError:
        raise DataError(f"{path}: truncated: the gzip stream ends too early; {DOWNLOAD}") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged: {error}; {DOWNLOAD}") from None
    return (pixels.grey_levels if kind_of(path) == "images" else pixels.class_labels)(array, path)


def kind_of(path: Path) -> str:
    """Return what a file should hold by its name: `images` or `labels`."""
    return "images" if "images" in path.name else "labels"


def _parse(stream: io.BufferedIOBase, path: Path, largest: int) -> NDArray[Any]:
    """Return the array of an unpacked file."""
    dtype, dimensions = _read_type(stream, path)
    sizes = stream.read(4 * dimensions)
    shape = struct.unpack(f">{dimensions}I", sizes) if len(sizes) == 4 * dimensions else ()
    count = math.prod(shape) * dtype.itemsize
    unit = "bytes" if dtype.itemsize == 1 else f"numbers of {dtype.itemsize} bytes"
    announced = " × ".join(map(str, shape))
    if LARGEST < count <= largest:
        raise DataError(f"{path}: expected at most {LARGEST} bytes, its header announces {announced} {unit}")
    content = stream.read(count) if shape and count <= largest else b""
    if not shape or len(content) < count:
        raise DataError(f"{path}: truncated: its header announces {announced or 'no'} {unit}; {DOWNLOAD}")
    if stream.read(1):
        raise DataError(f"{path}: bytes follow the {announced} that its header announces; {DOWNLOAD}")
    if count == 0:
        raise DataError(f"{path}: expected at least one image, got {announced}")
    return np.frombuffer(content, dtype).reshape(shape)


def _read_type(stream: io.BufferedIOBase, path: Path) -> tuple[np.dtype[Any], int]:
    """Return the type of the numbers and the number of dimensions that the header announces."""
    kind = kind_of(path)
    magic = stream.read(4)
    zeros, number_type, dimensions = magic[:2], *(*magic[2:], 0, 0)[:2]
    if zeros != bytes(2) or number_type not in TYPES or not 1 <= dimensions <= MOST_DIMENSIONS:
        found = describe(magic + stream.read(HEAD))
        raise DataError(f"{path}: expected an IDX file of {kind}, gzipped or raw, this is {found}")
    if (dimensions == 1) != (kind == "labels"):
        other = "labels" if dimensions == 1 else f"images ({dimensions} dimensions)"
        raise DataError(f"{path}: expected {kind}, this is an IDX file of {other}; are images and labels exchanged?")
    return np.dtype(TYPES[number_type]), dimensions


def header(dimensions: int) -> bytes:
    """Return the first four bytes of a file of unsigned bytes."""
    return bytes([0, 0, 8, dimensions])
