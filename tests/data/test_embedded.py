"""The embedded MNIST against its published facts, and damage to it."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lossbench.data import embedded, idx
from lossbench.errors import MachineError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def read() -> idx.Arrays:
    """Read MNIST once."""
    return embedded.load()


def test_mnist_is_what_another_reader_reads(read: idx.Arrays, mnist: dict[str, np.ndarray[Any, Any]]) -> None:
    """All 70,000 images and labels are those that the test's own reader finds in the files."""
    np.testing.assert_array_equal(mnist["train-images-idx3-ubyte"], read.train_images)
    np.testing.assert_array_equal(mnist["train-labels-idx1-ubyte"], read.train_labels)
    np.testing.assert_array_equal(mnist["t10k-images-idx3-ubyte"], read.test_images)
    np.testing.assert_array_equal(mnist["t10k-labels-idx1-ubyte"], read.test_labels)


def test_mnist_has_its_known_labels(read: idx.Arrays) -> None:
    """The first labels and the size of each class are the published ones."""
    assert read.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert read.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(read.train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(read.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert read.classes == 10


def test_the_known_sha256_is_that_of_the_raw_files(read: idx.Arrays) -> None:
    """The constant that identities use is what the files have."""
    raw = b"".join(gzip.decompress((embedded.FOLDER / name).read_bytes()) for name in embedded.CHECKSUMS)
    assert hashlib.sha256(raw).hexdigest() == embedded.SHA256
    assert read.sha256 == embedded.SHA256


def test_the_files_stand_in_the_order_of_the_format() -> None:
    """The checksums' order is the order in which the arrays are put together."""
    assert tuple(embedded.CHECKSUMS) == tuple(f"{name}.gz" for name in idx.FILES)


@pytest.mark.parametrize("name", embedded.CHECKSUMS)
def test_each_damaged_file_is_a_damaged_installation(tmp_path: Path, name: str) -> None:
    """One flipped bit in any file is noticed, and reinstalling is the advice."""
    shutil.copytree(embedded.FOLDER, tmp_path, dirs_exist_ok=True)
    content = bytearray((tmp_path / name).read_bytes())
    content[1000] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MachineError) as caught:
        embedded.load(tmp_path)
    assert caught.value.exit_code == 1
    assert str(caught.value) == (
        f"{tmp_path / name}: expected SHA-256 {embedded.CHECKSUMS[name]}, "
        f"got {hashlib.sha256(content).hexdigest()}; the installation is damaged, reinstall lossbench"
    )


def test_a_missing_file_is_a_damaged_installation(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(MachineError) as caught:
        embedded.load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'train-images-idx3-ubyte.gz'}: cannot be read: No such file or directory; "
        "the installation is damaged, reinstall lossbench"
    )


def test_the_notice_names_copyright_and_licence() -> None:
    """The files are accompanied by what their licence asks for."""
    notice = (embedded.FOLDER / "NOTICE").read_text()
    for fact in ("Yann LeCun", "Corinna Cortes", "CC BY-SA 3.0", "http://yann.lecun.com/exdb/mnist/"):
        assert fact in notice
