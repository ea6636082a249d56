"""A reader of untrusted `.npz` files: numbers only, and never more bytes than the file has.

`write.arrays` does not compress, so a compressed member is refused, and with it every decompression bomb.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench import files

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAX_READ = 1 << 20
"""Bytes per read; zipfile reads the list of the members at once and their contents in smaller pieces."""


def load(path: Path, *, max_bytes: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file by name.

    Args:
        path: The `.npz` file; neither a link nor a pipe.
        max_bytes: Size of the largest file that is read.

    Raises:
        OSError: The file is missing, or cannot be read.
        ValueError: The file is too large, damaged, or holds anything but numbers.
    """
    with _BoundedReader(io.FileIO(path, opener=files.open_regular)) as file:
        length = file.seek(0, io.SEEK_END)
        if length > max_bytes:
            raise ValueError(f"expected at most {max_bytes >> 20} MiB")
        try:
            with zipfile.ZipFile(file) as archive:
                _check(archive, length)
                return {name.removesuffix(".npy"): _array(archive, name) for name in archive.namelist()}
        # All that zipfile raises for a damaged, encrypted or unknown archive.
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, KeyError) as error:
            raise ValueError(str(error) or type(error).__name__) from error


class _BoundedReader(io.BufferedReader):
    """A file that refuses reads of more than `MAX_READ` bytes, whatever sizes its headers claim."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_READ:
            raise ValueError("the list of its arrays is too long")
        return super().read(MAX_READ if size is None or size < 0 else size)


def _check(archive: zipfile.ZipFile, length: int) -> None:
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("expected arrays that are not packed")
    if sum(member.file_size for member in members) > length:
        raise ValueError("its arrays are longer than the file")


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Return an array whose header agrees with the size of its member; refuse objects, which need pickle."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(file)
        if dtype.kind not in "biuf":
            raise ValueError(f"{name[:40]!r}: expected numbers, got {str(dtype)[:40]}")
        if math.prod(shape) * dtype.itemsize != archive.getinfo(name).file_size - file.tell():
            raise ValueError(f"{name[:40]!r} is not as long as it says")
    with archive.open(name) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return array
