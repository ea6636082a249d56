"""Arrays from a `.npz` file that anyone may have written: numbers only, and no more of them than the file has bytes.

`write.arrays` packs nothing, so a packed member is refused, and with it every file that grows as it is read.
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

PIECE = 1 << 20
"""Bytes; the list of the members comes in one, what is in them in smaller ones."""


def load(path: Path, *, max_bytes: int) -> dict[str, NDArray[Any]]:
    """The arrays of a file of at most `max_bytes` bytes by their names.

    Raises:
        OSError: The file is missing, or cannot be read.
        ValueError: It is too large, no such file, damaged, or holds something else than numbers.
    """
    with _InPieces(io.FileIO(path, opener=files.open_regular)) as file:
        length = file.seek(0, io.SEEK_END)
        if length > max_bytes:
            raise ValueError(f"expected at most {max_bytes >> 20} MiB")
        try:
            with zipfile.ZipFile(file) as archive:
                _check(archive, length)
                return {name.removesuffix(".npy"): _array(archive, name) for name in archive.namelist()}
        # All that zipfile raises at a damaged, encrypted or unknown archive.
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, KeyError) as error:
            raise ValueError(str(error) or type(error).__name__) from error


class _InPieces(io.BufferedReader):
    """A file of which no more than a piece is read at once, whatever it says about itself."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > PIECE:
            raise ValueError("the list of its arrays is too long")
        return super().read(PIECE if size is None or size < 0 else size)


def _check(archive: zipfile.ZipFile, length: int) -> None:
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("expected arrays that are not packed")
    if sum(member.file_size for member in members) > length:
        raise ValueError("its arrays are longer than the file")


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """An array whose header promises no more than the file holds; objects, which need pickle, are refused."""
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
