"""IDX files against a reader of the test's own, and what is said of each that cannot be used."""

from __future__ import annotations

import gzip
import hashlib
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lossbench.data import fileset, idx
from lossbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Arrays = list[np.ndarray[Any, Any]]
    Pack = Callable[[np.ndarray[Any, Any]], bytes]

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = (f"{name}.gz" for name in NAMES)


def message(folder: Path) -> str:
    """Return what is said of a folder that cannot be read, its own path written as FOLDER."""
    with pytest.raises(DataError) as caught:
        fileset.read_folder(folder)
    assert caught.value.exit_code == 2
    return str(caught.value).replace(str(folder), "FOLDER")


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("separator", ["-", "."])
def test_gzipped_and_raw_files_of_both_spellings_are_read(
    tmp_path: Path, small: Arrays, idx_bytes: Pack, ending: str, separator: str
) -> None:
    """A folder's four files come back as the arrays that were written."""
    for name, array in zip(NAMES, small, strict=True):
        content = idx_bytes(array)
        path = tmp_path / (name.replace("-idx", f"{separator}idx") + ending)
        path.write_bytes(gzip.compress(content) if ending else content)
    read = fileset.read_folder(tmp_path)
    for expected, actual in zip(
        small, (read.train_images, read.train_labels, read.test_images, read.test_labels), strict=True
    ):
        np.testing.assert_array_equal(expected, actual)
        assert actual.dtype == np.uint8


def test_sha256_is_that_of_the_raw_files_in_order(folder: Path, small: Arrays, idx_bytes: Pack) -> None:
    """Gzipped files have the checksum of what is in them."""
    expected = hashlib.sha256(b"".join(idx_bytes(array) for array in small)).hexdigest()
    assert expected == fileset.read_folder(folder).sha256


def test_content_says_what_is_gzipped_not_the_name(folder: Path, small: Arrays, idx_bytes: Pack) -> None:
    """A raw file that a browser saved under the name of the gzipped one is read."""
    (folder / IMAGES).write_bytes(idx_bytes(small[0]))
    np.testing.assert_array_equal(small[0], fileset.read_folder(folder).train_images)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A folder that does not exist is named, with what it should hold."""
    assert message(tmp_path / "absent") == (
        "FOLDER: no such folder; data.path names a folder that holds train-images-idx3-ubyte, train-labels-idx1-ubyte, "
        "t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (.gz or raw)"
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_missing_file_is_named(folder: Path, name: str) -> None:
    """Whichever of the four is missing is named."""
    (folder / f"{name}.gz").unlink()
    assert message(folder) == f"FOLDER: the file {name}.gz is missing (or {name} without .gz)"


def test_a_file_that_cannot_be_opened_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's reason is said without a traceback."""

    def refuse(_: Path, *__: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert message(folder) == f"FOLDER/{IMAGES}: cannot be read: Permission denied"


ANNOUNCED = {IMAGES: "12 × 2 × 3", LABELS: "12", TEST_IMAGES: "6 × 2 × 3", TEST_LABELS: "6"}


@pytest.mark.parametrize("packed", [True, False], ids=["gzipped", "raw"])
@pytest.mark.parametrize(("name", "announced"), ANNOUNCED.items())
def test_content_shorter_than_announced_is_truncated(folder: Path, name: str, announced: str, *, packed: bool) -> None:
    """One byte less than the header says is enough to refuse a file."""
    content = gzip.decompress((folder / name).read_bytes())[:-1]
    (folder / name).write_bytes(gzip.compress(content) if packed else content)
    assert message(folder) == (
        f"FOLDER/{name}: truncated: its header announces {announced} bytes; fetch the file again"
    )


@pytest.mark.parametrize("name", ANNOUNCED)
def test_a_header_cut_short_is_truncated(folder: Path, name: str) -> None:
    """A file that ends in its header announces nothing."""
    (folder / name).write_bytes(gzip.decompress((folder / name).read_bytes())[:6])
    assert message(folder) == f"FOLDER/{name}: truncated: its header announces no bytes; fetch the file again"


@pytest.mark.parametrize("name", ANNOUNCED)
def test_a_gzip_stream_cut_short_is_truncated(folder: Path, name: str) -> None:
    """Half a gzipped file, as a broken download leaves it, is refused."""
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    assert message(folder) == f"FOLDER/{name}: truncated: the gzip stream ends too early; fetch the file again"


@pytest.mark.parametrize("packed", [True, False], ids=["gzipped", "raw"])
@pytest.mark.parametrize(("name", "announced"), ANNOUNCED.items())
def test_trailing_bytes_are_refused(folder: Path, name: str, announced: str, *, packed: bool) -> None:
    """One byte more than the header says is enough to refuse a file."""
    content = gzip.decompress((folder / name).read_bytes()) + b"\0"
    (folder / name).write_bytes(gzip.compress(content) if packed else content)
    assert message(folder) == (
        f"FOLDER/{name}: bytes follow the {announced} that its header announces; fetch the file again"
    )


@pytest.mark.parametrize("name", ANNOUNCED)
def test_a_wrong_gzip_checksum_is_damage(folder: Path, name: str) -> None:
    """Gzip's own checksum is heeded."""
    content = bytearray((folder / name).read_bytes())
    crc = content[-8:-4]
    content[-8:-4] = bytes(4)
    (folder / name).write_bytes(content)
    assert message(folder) == (
        f"FOLDER/{name}: damaged: CRC check failed 0x0 != {hex(struct.unpack('<I', crc)[0])}; fetch the file again"
    )


def test_a_corrupt_gzip_stream_is_damage(folder: Path) -> None:
    """Bytes that are no deflate stream are refused with zlib's reason."""
    (folder / IMAGES).write_bytes(gzip.compress(b"")[:10] + b"\xff" * 20)
    assert message(folder) == (
        f"FOLDER/{IMAGES}: damaged: Error -3 while decompressing data: invalid block type; fetch the file again"
    )


def test_no_images_at_all_are_refused(folder: Path, idx_bytes: Pack) -> None:
    """An IDX file of nothing is well-formed and useless."""
    (folder / IMAGES).write_bytes(idx_bytes(np.zeros((0, 2, 3))))
    assert message(folder) == f"FOLDER/{IMAGES}: expected at least one image, got 0 × 2 × 3"


@pytest.mark.parametrize(("images", "labels", "there"), [(IMAGES, LABELS, 12), (TEST_IMAGES, TEST_LABELS, 6)])
def test_images_and_labels_of_different_length_are_refused(
    folder: Path, idx_bytes: Pack, images: str, labels: str, there: int
) -> None:
    """Both numbers and both files are named."""
    (folder / labels).write_bytes(idx_bytes(np.arange(5) % 3))
    assert message(folder) == (
        f"FOLDER/{labels}: expected one label for each of the {there} images of {images}, got 5; "
        "take both files from the same data set"
    )


def test_test_images_of_another_size_are_refused(folder: Path, idx_bytes: Pack) -> None:
    """A network that was built for one size cannot be tested with another."""
    (folder / TEST_IMAGES).write_bytes(idx_bytes(np.zeros((6, 3, 2))))
    assert message(folder) == (f"FOLDER/{TEST_IMAGES}: expected images of 2 × 3 pixels as in {IMAGES}, got 3 × 2")


def unclassed(folder: Path) -> str:
    """Return what is said of a folder whose labels are no classes, its own path written as FOLDER."""
    with pytest.raises(DataError) as caught:
        fileset.check_classes(fileset.read_folder(folder))
    return str(caught.value).replace(str(folder), "FOLDER")


def test_a_test_label_outside_the_classes_is_refused(folder: Path, idx_bytes: Pack) -> None:
    """The first image whose label is no class is named."""
    (folder / TEST_LABELS).write_bytes(idx_bytes(np.array([0, 1, 2, 0, 7, 9])))
    assert unclassed(folder) == f"FOLDER/{TEST_LABELS}: image 4 has label 7, but the training labels are 0 to 2"


@pytest.mark.parametrize(
    ("labels", "empty", "present"),
    [([0, 1, 3] * 4, 2, [0, 1, 3]), ([1, 2] * 6, 0, [1, 2]), ([0] * 12, 1, [])],
    ids=["gap", "first", "only one class"],
)
def test_a_class_without_images_is_refused(
    folder: Path, idx_bytes: Pack, labels: list[int], empty: int, present: list[int]
) -> None:
    """A gap in the training labels is named, with the classes that there are."""
    (folder / LABELS).write_bytes(idx_bytes(np.array(labels)))
    (folder / TEST_LABELS).write_bytes(idx_bytes(np.array(labels[:6])))
    remedy = f"; to train with those present, write data.classes: {present}" if present else ""
    assert unclassed(folder) == (
        f"FOLDER/{LABELS}: class {empty} has no images; labels are expected to be 0, 1, … without a gap, "
        f"two classes at least{remedy}"
    )


def test_a_bomb_is_not_unpacked(folder: Path) -> None:
    """100 MB behind a header of 12 bytes' worth cost no memory, nor do 10 TB that are announced and absent."""
    header = struct.pack(">II", 0x801, 12) + bytes(12)
    (folder / LABELS).write_bytes(gzip.compress(header + bytes(100_000_000)))
    liar = gzip.compress(struct.pack(">IIII", 0x803, 12, 2**20, 2**20))
    tracemalloc.start()
    trailing = message(folder)
    (folder / IMAGES).write_bytes(liar)
    announced = message(folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert trailing == f"FOLDER/{LABELS}: bytes follow the 12 that its header announces; fetch the file again"
    assert announced == (
        f"FOLDER/{IMAGES}: truncated: its header announces 12 × 1048576 × 1048576 bytes; fetch the file again"
    )
    assert peak < 10_000_000


def test_a_file_that_is_larger_than_any_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a terabyte without content, nor what a small file would grow to."""
    (folder / IMAGES).write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 12, 20, 30) + bytes(7200)))
    monkeypatch.setattr(idx, "LARGEST", 7199)
    assert message(folder) == f"FOLDER/{IMAGES}: expected at most 7199 bytes, its header announces 12 × 20 × 30 bytes"
    monkeypatch.undo()
    with (folder / IMAGES).open("r+b") as file:
        file.truncate(1 << 40)
    assert message(folder) == f"FOLDER/{IMAGES}: expected at most 2147483648 bytes; is this an IDX file?"


def test_fashion_mnist_is_read_from_a_folder(fashion_mnist: Path) -> None:
    """The files of another data set need no change: 6,000 images of each of ten classes, the first an ankle boot."""
    read = fileset.read_folder(fashion_mnist)
    assert read.train_images.shape == (60_000, 28, 28)
    assert read.test_images.shape == (10_000, 28, 28)
    assert np.bincount(read.train_labels).tolist() == [6000] * 10
    assert read.train_labels[:5].tolist() == [9, 0, 0, 3, 0]
    assert read.test_labels[:5].tolist() == [9, 2, 1, 1, 6]
