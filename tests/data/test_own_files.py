"""Data of the user's own in every form: read as the same bytes, or answered with what the file is."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lossbench import data
from lossbench.config import resolve
from lossbench.config.identity import trial
from lossbench.data import fileset, npz
from lossbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Array = np.ndarray[Any, Any]

NAMES = fileset.FILES
CODES = {"u1": 8, "i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}


def pack(array: Array, kind: str = "u1") -> bytes:
    """Return an array as a raw IDX file of a number type."""
    sizes = b"".join(struct.pack(">I", size) for size in array.shape)
    return bytes([0, 0, CODES[kind], array.ndim]) + sizes + array.astype(kind).tobytes()


def write(folder: Path, arrays: list[Array], *, images: str = "u1", labels: str = "u1") -> Path:
    """Write four IDX files."""
    folder.mkdir(exist_ok=True)
    for name, array in zip(NAMES, arrays, strict=True):
        (folder / name).write_bytes(pack(np.asarray(array), images if "images" in name else labels))
    return folder


@pytest.fixture
def arrays() -> list[Array]:
    """Return 12 training and 6 test images of 4 × 3 in three classes, with grey levels that fit signed bytes."""
    generator = np.random.default_rng(1)
    return [
        generator.integers(0, 128, (12, 4, 3)),
        np.arange(12) % 3,
        generator.integers(0, 128, (6, 4, 3)),
        np.arange(6) % 3,
    ]


def same(arrays: list[Array], path: Path) -> None:
    """Check that a folder or file is read as the arrays that were written."""
    read = fileset.read_folder(path)
    for expected, actual in zip(
        arrays, (read.train_images, read.train_labels, read.test_images, read.test_labels), strict=True
    ):
        np.testing.assert_array_equal(expected, actual)
        assert actual.dtype == np.uint8


def message(path: Path) -> str:
    """Return what is said of a folder or file that cannot be used, its path written as FOLDER."""
    with pytest.raises(DataError) as caught:
        fileset.read_folder(path)
    assert caught.value.exit_code == 2
    text = str(caught.value).replace(str(path), "FOLDER")
    assert text.isprintable()
    return text


@pytest.mark.parametrize("images", CODES)
@pytest.mark.parametrize("labels", CODES)
def test_every_number_type_of_the_format_is_read(tmp_path: Path, arrays: list[Array], images: str, labels: str) -> None:
    """As the same bytes, and with the same SHA-256."""
    folder = write(tmp_path / "own", arrays, images=images, labels=labels)
    same(arrays, folder)
    assert fileset.read_folder(folder).sha256 == fileset.read_folder(write(tmp_path / "bytes", arrays)).sha256


@pytest.mark.parametrize("kind", [">f4", ">f8"])
def test_floats_of_0_to_1_are_grey_levels(tmp_path: Path, arrays: list[Array], kind: str) -> None:
    """Multiples of 1/255, as `ToTensor` and `x / 255` make them."""
    arrays[0][0, 0, 0], arrays[2][0, 0, 0] = 255, 255
    scaled = [arrays[0] / 255, arrays[1], arrays[2] / 255, arrays[3]]
    same(arrays, write(tmp_path / "own", scaled, images=kind))


@pytest.mark.parametrize("shape", [(12, 4, 3, 1), (12, 1, 4, 3)])
def test_an_axis_of_one_channel_is_dropped(tmp_path: Path, arrays: list[Array], shape: tuple[int, ...]) -> None:
    """First or last."""
    four = [arrays[0].reshape(shape), arrays[1], arrays[2].reshape(6, *shape[1:]), arrays[3]]
    same(arrays, write(tmp_path / "own", four))


def test_colour_images_without_colours_are_grey(tmp_path: Path, arrays: list[Array]) -> None:
    """Three equal channels are one."""
    three = [np.stack([each] * 3, -1) if each.ndim == 3 else each for each in arrays]
    same(arrays, write(tmp_path / "own", three))


def changed(arrays: list[Array], index: int, change: Callable[[Array], Array]) -> list[Array]:
    """Return the arrays with one of them changed."""
    return [change(each) if number == index else each for number, each in enumerate(arrays)]


REFUSED = {
    "colours": (0, "u1", lambda x: np.stack([x, x + 1, x], -1), "colour images, 12 × 4 × 3 × 3, lossbench takes one"),
    "colours first": (0, "u1", lambda x: np.stack([x, x + 1, x], 1), "colour images, 12 × 3 × 4 × 3, lossbench takes"),
    "with alpha": (0, "u1", lambda x: np.stack([x, x + 1, x, x], -1), "colour images, 12 × 4 × 3 × 4, lossbench"),
    "flat": (0, "u1", lambda x: np.zeros((12, 16)), "flat images, 12 × 16, expected n × height × width; write x.resh"),
    "negative": (0, "i1", lambda x: x - 1 - x.max(), "expected 0 to 255, or floats of 0 to 1"),
    "sixteen bits": (0, ">i2", lambda x: x + 1000, "expected 0 to 255, or floats of 0 to 1"),
    "standardized": (0, ">f4", lambda x: (x - 64) / 64, "expected 0 to 255, or floats of 0 to 1"),
    "between": (0, ">f4", lambda x: x / 300, "that are not whole grey levels (multiples of 1/255); round them"),
    "not finite": (0, ">f8", lambda x: np.where(x > 60, np.nan, 0.5), "expected 0 to 255, or floats of 0 to 1"),
    "negative label": (1, "i1", lambda x: x - 1, "expected labels of 0 to 255, image 0 has -1; number the classes"),
    "large label": (1, ">i4", lambda x: x + 254, "expected labels of 0 to 255, image 2 has 256; number the classes"),
    "fraction": (1, ">f4", lambda x: x + 0.5, "expected labels of 0 to 255, image 0 has 0.5; number the classes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_numbers_that_bytes_cannot_hold_are_refused(tmp_path: Path, arrays: list[Array], case: str) -> None:
    """The message says what they are and how to convert them."""
    index, kind, change, words = REFUSED[case]
    folder = write(tmp_path / "own", arrays)
    (folder / NAMES[index]).write_bytes(pack(np.asarray(change(arrays[index])), kind))
    text = message(folder)
    assert text.startswith(f"FOLDER/{NAMES[index]}: ")
    assert words in text


def test_one_hot_labels_are_named(tmp_path: Path, arrays: list[Array]) -> None:
    """In an NPZ file, which can hold them."""
    path = keras_file(tmp_path / "mnist.npz", changed(arrays, 1, lambda labels: np.eye(3)[labels]))
    assert (
        message(path) == "FOLDER/y_train: expected one label per image, got 12 × 3; one-hot labels? write y.argmax(1)"
    )


EMNIST = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "test-images-idx3-ubyte", "test-labels-idx1-ubyte")


@pytest.mark.parametrize(
    "prefix", ["emnist-letters-", "emnist-balanced-", "emnist-byclass-", "emnist-mnist-", "emnist_digits_", ""]
)
@pytest.mark.parametrize("packed", [True, False])
def test_emnists_file_names_are_understood(tmp_path: Path, arrays: list[Array], prefix: str, *, packed: bool) -> None:
    """With the part's name before it, `test` for `t10k`, gzipped or raw, beside the mapping that comes with it."""
    for name, array in zip(EMNIST, arrays, strict=True):
        content = pack(np.asarray(array))
        path = tmp_path / f"{prefix}{name}{'.gz' * packed}"
        path.write_bytes(gzip.compress(content) if packed else content)
    (tmp_path / "emnist-letters-mapping.txt").write_text("1 65 97\n", encoding="utf-8")
    same(arrays, tmp_path)


def test_several_data_sets_in_a_folder_are_refused(tmp_path: Path, arrays: list[Array]) -> None:
    """As EMNIST's archive unpacks them; both are named."""
    for prefix in ("emnist-letters", "emnist-digits"):
        for name, array in zip(EMNIST, arrays, strict=True):
            (tmp_path / f"{prefix}-{name}").write_bytes(pack(np.asarray(array)))
    assert message(tmp_path) == (
        "FOLDER: holds several data sets: emnist-digits, emnist-letters; "
        "move the four files of one to a folder of its own"
    )


def section(path: Path, **keys: Any) -> dict[str, Any]:
    """Return the `data` section of a folder."""
    return {"data": {"name": "idx", "path": str(path), "validation_size": 0, **keys}}


@pytest.mark.parametrize(
    ("labels", "classes"), [(range(1, 27), list(range(1, 27))), ([1, 7], [1, 7]), ([5, 0, 255], [0, 5, 255])]
)
def test_labels_with_gaps_are_named_and_renumbered(tmp_path: Path, labels: Any, classes: list[int]) -> None:
    """The message has the line to write; with it the classes count from 0 in its order."""
    each = np.array(labels, np.uint8)
    many = np.tile(each, 4)
    images = np.repeat(many, 4).reshape(-1, 2, 2)
    folder = write(tmp_path / "own", [images, many, images[: len(each)], each])
    plain = resolve.from_mapping(section(folder))
    with pytest.raises(DataError, match="without a gap, two classes at least") as caught:
        data.prepare(plain)
    assert str(caught.value).endswith(f"; to train with those present, write data.classes: {classes}")
    for order in (classes, classes[::-1]):
        made = data.prepare(resolve.from_mapping(section(folder, classes=order)))
        assert made.classes == len(order)
        np.testing.assert_array_equal(made.train.images[:, 0, 0], np.array(order)[made.train.labels])
        np.testing.assert_array_equal(made.test.images[:, 0, 0], np.array(order)[made.test.labels])


def test_images_are_transposed_on_request(tmp_path: Path, arrays: list[Array]) -> None:
    """Both parts, in the page's images too; it is another trial, and the default is the old one."""
    folder = write(tmp_path / "own", arrays)
    plain, turned = (resolve.from_mapping(section(folder, **keys)) for keys in ({}, {"transpose": True}))
    made = data.prepare(turned)
    np.testing.assert_array_equal(made.train.images, arrays[0].transpose(0, 2, 1))
    np.testing.assert_array_equal(made.test.images, arrays[2].transpose(0, 2, 1))
    np.testing.assert_array_equal(data.test_images(turned.data), made.test.images)
    np.testing.assert_array_equal(data.prepare(plain).train.images, arrays[0])
    identities = {trial(each, data_sha256=data.sha256(each.data)).identity for each in (plain, turned)}
    assert len(identities) == 2
    assert data.sha256(plain.data) == data.sha256(turned.data)


def test_data_sets_known_by_name_stand_upright() -> None:
    """They take no `transpose`."""
    with pytest.raises(ConfigError, match=r"data.transpose: the images of mnist are upright; only files of your own"):
        resolve.from_mapping({"data": {"transpose": True}})


def keras_file(path: Path, arrays: list[Array], names: tuple[str, ...] = npz.NAMES[0], *, packed: bool = True) -> Path:
    """Write an NPZ file as Keras publishes it."""
    content = {name: np.asarray(array) for name, array in zip(names, arrays, strict=True)}
    (np.savez_compressed if packed else np.savez)(path, **content)
    return path


@pytest.mark.parametrize("names", npz.NAMES)
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("where", ["file", "folder"])
def test_an_npz_file_is_read(
    tmp_path: Path, arrays: list[Array], names: tuple[str, ...], where: str, *, packed: bool
) -> None:
    """Named itself or by its folder, with the SHA-256 of the same data as IDX files."""
    path = keras_file(tmp_path / "mnist.npz", [each.astype(np.uint8) for each in arrays], names, packed=packed)
    named = path if where == "file" else tmp_path
    same(arrays, named)
    assert fileset.read_folder(named).sha256 == fileset.read_folder(write(tmp_path / "own", arrays)).sha256
    assert data.prepare(resolve.from_mapping(section(named))).classes == 3


def test_a_changed_npz_file_is_read_again(tmp_path: Path, arrays: list[Array]) -> None:
    """Caches know the file's size and time."""
    path = keras_file(tmp_path / "mnist.npz", arrays)
    before = data.sha256(resolve.from_mapping(section(path)).data)
    keras_file(path, changed(arrays, 0, lambda images: images + 1), packed=False)
    assert data.sha256(resolve.from_mapping(section(path)).data) != before


@pytest.mark.parametrize("dtype", ["<i8", ">i4", "<f4", "bool"])
def test_arrays_of_an_npz_file_may_have_other_types(tmp_path: Path, arrays: list[Array], dtype: str) -> None:
    """And the order of Fortran."""
    images = [
        np.asfortranarray((each % 2 if dtype == "bool" else each).astype(dtype)) for each in (arrays[0], arrays[2])
    ]
    expected = [(each % 2 if dtype == "bool" else each) for each in (arrays[0], arrays[2])]
    path = keras_file(tmp_path / "mnist.npz", [images[0], arrays[1].astype("<i8"), images[1], arrays[3].reshape(-1, 1)])
    same([expected[0], arrays[1], expected[1], arrays[3]], path)


def test_pickles_in_an_npz_file_are_not_loaded(tmp_path: Path, arrays: list[Array]) -> None:
    """An array of objects is refused by its type."""
    path = keras_file(tmp_path / "mnist.npz", changed(arrays, 0, lambda images: images.astype(object)))
    assert message(path) == "FOLDER: x_train: expected numbers, got '|O'; lossbench loads no pickles"


def npy(array: Array, shape: tuple[int, ...] | None = None) -> bytes:
    """Return an array as an NPY file whose header announces a shape."""
    stream = io.BytesIO()
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape or array.shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + array.tobytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no array", "FOLDER: x_train: no NumPy array"),
        (b"", "FOLDER: x_train: no NumPy array"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65_535, "FOLDER: x_train: no NumPy array"),
        (npy(np.zeros((2, 2, 2), np.uint8), (2, 2, 3)), "FOLDER: x_train: expected 2 × 2 × 3 numbers, as its header"),
        (npy(np.zeros((2, 2, 2), np.uint8), (2, 2, 1)), "FOLDER: x_train: expected 2 × 2 × 1 numbers, as its header"),
        (npy(np.zeros((2, 2, 2), np.uint8), (2**20, 2**20, 2**20)), "FOLDER: x_train: expected 1048576 × 1048576"),
    ],
    ids=["text", "empty", "brackets", "short", "long", "huge"],
)
def test_damaged_arrays_are_refused(tmp_path: Path, arrays: list[Array], content: bytes, words: str) -> None:
    """No more memory is taken than the file can fill."""
    path = tmp_path / "mnist.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in zip(npz.NAMES[0], arrays, strict=True):
            archive.writestr(f"{name}.npy", content if name == "x_train" else npy(array.astype(np.uint8)))
    tracemalloc.start()
    text = message(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert text.startswith(words)
    assert peak < 20_000_000


def test_an_archive_of_other_arrays_is_described(tmp_path: Path) -> None:
    """Kuzushiji-MNIST's `arr_0`, for example."""
    path = tmp_path / "k.npz"
    np.savez(path, np.zeros(3))
    assert message(path).startswith(
        "FOLDER: expected the arrays x_train, y_train, x_test, y_test, it holds 'arr_0'; convert"
    )
    path.write_bytes(path.read_bytes()[:60])
    assert message(path).startswith("FOLDER: damaged, or no archive of arrays: ")


KINDS = {
    "an empty file": b"",
    "a web page": b"<!DOCTYPE html><html><head>",
    "a web page ": b"\n\n<html>",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9912422\n",
    "a ZIP archive": b"PK\x03\x04\x14\x00",
    "a NumPy array": b"\x93NUMPY\x01\x00v\x00",
    "a Parquet file": b"PAR1\x15\x04",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n",
    "a MATLAB file": b"MATLAB 5.0 MAT-file",
    "a PNG image": b"\x89PNG\r\n\x1a\n",
    "a JPEG image": b"\xff\xd8\xff\xe0",
    "a Python pickle, which lossbench never loads": b"\x80\x04\x95\x0a",
    "a bzip2 archive": b"BZh91AY",
    "an xz archive": b"\xfd7zXZ\x00",
    "a tar archive": bytes(257) + b"ustar\x0000",
    "CSV": b"label,pixel0,pixel1\n5,0,0\n",
    "text": b"404: Not Found",
    "no format that lossbench knows, it begins with the bytes 01 02 03 04": b"\x01\x02\x03\x04\xff",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packed", [False, True], ids=["raw", "gzipped"])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_another_kind_is_called_by_its_name(
    tmp_path: Path, arrays: list[Array], kind: str, name: str, *, packed: bool
) -> None:
    """Saved under the name of an IDX file, and gzipped, too; a remedy follows."""
    folder = write(tmp_path / "own", arrays)
    (folder / name).write_bytes(gzip.compress(KINDS[kind]) if packed else KINDS[kind])
    expected = "images" if "images" in name else "labels"
    assert message(folder).startswith(
        f"FOLDER/{name}: expected an IDX file of {expected}, gzipped or raw, this is {kind.strip()}; "
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_that_is_another_file_is_called_by_its_name(tmp_path: Path, kind: str) -> None:
    """A ZIP archive is taken for an NPZ file and found to be none."""
    path = tmp_path / "data.bin"
    path.write_bytes(KINDS[kind])
    text = message(path)
    expected = (
        "damaged, or no archive of arrays" if "ZIP" in kind else f"IDX files or an NPZ file, this is {kind.strip()}; "
    )
    assert expected in text


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("train.csv", "CSV"),
        ("train-00000.parquet", "Parquet"),
        ("0.png", "PNG images"),
        ("mnist.pkl", "pickles, which lossbench never loads"),
        ("training.pt", "PyTorch tensors, which are pickles"),
        ("emnist-letters.mat", "MATLAB files"),
        ("gzip.zip", "a ZIP archive, to be unpacked"),
    ],
)
def test_a_folder_of_other_files_is_described(tmp_path: Path, file: str, words: str) -> None:
    """After the file that is missing, with the way to convert it."""
    (tmp_path / file).write_bytes(b"x")
    assert message(tmp_path).startswith(
        "FOLDER: the file train-images-idx3-ubyte.gz is missing (or train-images-idx3-ubyte without .gz); "
        f"the folder holds {words}; convert it with numpy.savez('mnist.npz', "
    )


@pytest.mark.parametrize(("one", "other"), [(0, 1), (2, 3)])
def test_exchanged_images_and_labels_are_found(tmp_path: Path, arrays: list[Array], one: int, other: int) -> None:
    """By the number of their dimensions."""
    folder = write(tmp_path / "own", arrays)
    first, second = folder / NAMES[one], folder / NAMES[other]
    images, labels = first.read_bytes(), second.read_bytes()
    first.write_bytes(labels)
    second.write_bytes(images)
    assert message(folder) == (
        f"FOLDER/{NAMES[one]}: expected images, this is an IDX file of labels; are images and labels exchanged?"
    )


def test_exchanged_training_and_test_labels_are_found(tmp_path: Path, arrays: list[Array]) -> None:
    """By their lengths, which fit the other part."""
    folder = write(tmp_path / "own", [arrays[0], arrays[3], arrays[2], arrays[1]])
    assert message(folder).endswith("got 6; the files of labels are exchanged: training and test")
