"""The table of data sets: every entry is complete; the embedded MNIST against its published facts, and damage to it."""

from __future__ import annotations

import gzip
import hashlib
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lossbench.config import resolve
from lossbench.config.datasets import DATASETS, OWN_FILES
from lossbench.data import fileset, sources
from lossbench.errors import MachineError

if TYPE_CHECKING:
    from pathlib import Path

MNIST = DATASETS["mnist"]


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_is_complete(name: str) -> None:
    """Its files can be found, checked, cited; its name can be written in a configuration."""
    source = DATASETS[name]
    assert resolve.from_mapping({"data": name}).data.name == name
    assert name != OWN_FILES
    assert len(source.checksums) == len(fileset.FILES), f"{name} needs the SHA-256 of four files"
    for file, checksum in source.checksums.items():
        assert len(bytes.fromhex(checksum)) == 32, f"{name}: {file} needs a SHA-256 of 64 hexadecimal digits"
    if source.base_url is None:
        for file in source.checksums:
            assert (sources.PACKAGE / name / file).is_file(), f"{name} has neither base_url nor {file} in data/{name}/"
    else:
        assert source.base_url.startswith("https://"), f"{name} is not downloaded over https"
        assert source.base_url.endswith("/"), f"the base_url of {name} does not end with a slash"
    for field in ("title", "licence", "citation"):
        assert getattr(source, field), f"{name} has no {field}"


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_uses_the_files_names_of_the_format(name: str) -> None:
    """The checksums' order is the order in which the arrays are put together."""
    assert tuple(DATASETS[name].checksums) == tuple(f"{file}.gz" for file in fileset.FILES)


@pytest.mark.parametrize("name", [name for name, source in DATASETS.items() if source.confusions])
def test_confusions_are_between_classes(name: str) -> None:
    """No class is taken for itself or for one that does not exist."""
    for one, other in DATASETS[name].confusions.items():
        assert one != other
        assert {one, other} <= set(range(DATASETS[name].classes))


@pytest.fixture(scope="module")
def read() -> fileset.Arrays:
    """Read MNIST once."""
    return fileset.read_folder(sources.folder("mnist"))


def test_mnist_is_what_another_reader_reads(read: fileset.Arrays, mnist: dict[str, np.ndarray[Any, Any]]) -> None:
    """All 70,000 images and labels are those that the test's own reader finds in the files."""
    np.testing.assert_array_equal(mnist["train-images-idx3-ubyte"], read.train_images)
    np.testing.assert_array_equal(mnist["train-labels-idx1-ubyte"], read.train_labels)
    np.testing.assert_array_equal(mnist["t10k-images-idx3-ubyte"], read.test_images)
    np.testing.assert_array_equal(mnist["t10k-labels-idx1-ubyte"], read.test_labels)


def test_mnist_has_its_known_labels(read: fileset.Arrays) -> None:
    """The first labels and the size of each class are the published ones."""
    assert read.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert read.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(read.train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(read.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert read.classes == 10


def test_the_known_sha256_is_that_of_the_raw_files(read: fileset.Arrays) -> None:
    """The constant that identities use is what the files have."""
    raw = b"".join(gzip.decompress((sources.PACKAGE / "mnist" / name).read_bytes()) for name in MNIST.checksums)
    assert hashlib.sha256(raw).hexdigest() == MNIST.sha256
    assert read.sha256 == MNIST.sha256


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the embedded MNIST that is used in its place."""
    shutil.copytree(sources.PACKAGE / "mnist", tmp_path / "mnist")
    monkeypatch.setattr(sources, "PACKAGE", tmp_path)
    return tmp_path / "mnist"


@pytest.mark.parametrize("name", MNIST.checksums)
def test_each_damaged_file_is_a_damaged_installation(package: Path, name: str) -> None:
    """One flipped bit in any file is noticed, and reinstalling is the advice."""
    content = bytearray((package / name).read_bytes())
    content[1000] ^= 1
    (package / name).write_bytes(content)
    with pytest.raises(MachineError) as caught:
        sources.folder("mnist")
    assert caught.value.exit_code == 1
    assert str(caught.value) == (
        f"{package / name}: expected SHA-256 {MNIST.checksums[name]}, "
        f"got {hashlib.sha256(content).hexdigest()}; the installation is damaged, reinstall lossbench"
    )


def test_a_missing_file_is_a_damaged_installation(package: Path) -> None:
    """A file that is not there is named."""
    (package / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(MachineError) as caught:
        sources.folder("mnist")
    assert str(caught.value) == (
        f"{package / 'train-images-idx3-ubyte.gz'}: cannot be read: No such file or directory; "
        "the installation is damaged, reinstall lossbench"
    )


def test_the_notice_names_copyright_and_licence() -> None:
    """The files are accompanied by what their licence asks for."""
    notice = (sources.PACKAGE / "mnist" / "NOTICE").read_text()
    for fact in ("Yann LeCun", "Corinna Cortes", MNIST.licence, "http://yann.lecun.com/exdb/mnist/"):
        assert fact in notice
