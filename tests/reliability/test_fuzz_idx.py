"""IDX files changed byte by byte, cut off and blown up: what they hold, or a `DataError` that names the file.

`LOSSBENCH_FUZZ=10000 pytest tests/reliability/test_fuzz_idx.py` changes 10,000 files at random, and 10,000 folders.
"""

from __future__ import annotations

import gzip
import itertools
import random
import re
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fuzzing import changed, fuzzed, survives
from hypothesis import given
from hypothesis import strategies as st

from lossbench.data import fileset, idx
from lossbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGES, LABELS = 12, np.arange(12) % 3
HEADERS = {"images": struct.pack(">IIII", 0x803, IMAGES, 2, 3), "labels": struct.pack(">II", 0x801, IMAGES)}
RAW = {"images": HEADERS["images"] + bytes(range(72)), "labels": HEADERS["labels"] + LABELS.astype(np.uint8).tobytes()}
BYTES = (0, 1, 2, 3, 7, 8, 9, 127, 128, 254, 255)
PACKED = {"raw": lambda content: content, "gzip": lambda content: gzip.compress(content, mtime=0)}
MIB = 32
"""So many at most for a file of a hundred bytes."""


def read(content: bytes, kind: str) -> np.ndarray[Any, Any] | None:
    """What a file holds, of the shape that its header says; None where it is refused, by its name."""
    path = Path(f"{kind}.gz")
    array, refusal = None, ""
    try:
        array = idx.decode(content, path)
    except DataError as error:
        refusal = str(error)
    if array is None:
        assert re.match(rf"{kind}\.gz: \w", refusal)
        assert refusal.isprintable()
        return None
    assert array.dtype == np.uint8
    assert array.ndim == idx.DIMENSIONS[kind]
    assert array.size
    return array


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("packing", PACKED)
def test_every_byte_of_a_header_with_every_telling_value(kind, packing):
    """A header that is not the file's own is refused: only signed bytes, small as these are, have the same length."""
    whole = RAW[kind]
    for place, value in itertools.product(range(len(HEADERS[kind])), BYTES):
        content = whole[:place] + bytes([value]) + whole[place + 1 :]
        array = read(PACKED[packing](content), kind)
        assert (array is not None) == (content == whole or (place, value) == (2, 9))


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("packing", PACKED)
def test_every_truncation_is_refused(kind, packing):
    """At every length; and so is every file with a byte too many, packed or behind what is packed."""
    whole = PACKED[packing](RAW[kind])
    assert read(whole, kind) is not None
    assert [length for length in range(len(whole)) if read(whole[:length], kind) is not None] == []
    assert read(PACKED[packing](RAW[kind] + b"\0"), kind) is None
    assert read(whole + b"x", kind) is None


@pytest.mark.parametrize("kind", RAW)
def test_every_byte_of_a_gzip_stream_with_every_telling_value(kind):
    """What is read is the array itself, or nothing: the checksum sees to it."""
    whole = PACKED["gzip"](RAW[kind])
    expected = read(whole, kind)
    for place, value in itertools.product(range(len(whole)), BYTES):
        array = read(whole[:place] + bytes([value]) + whole[place + 1 :], kind)
        assert array is None or np.array_equal(array, expected)


SIZES = [(2**32 - 1,) * 3, (2**31, 2**31, 4), (0, 2, 3), (2**32 - 1, 0, 0), (1, 1, 2**32 - 1), (2**16, 2**16, 2**16)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("packing", PACKED)
def test_a_header_that_announces_too_much_costs_nothing(sizes, packing):
    """Neither memory nor an overflow: it is refused before anything is read."""
    content = PACKED[packing](struct.pack(">IIII", 0x803, *sizes) + bytes(72))
    tracemalloc.start()
    try:
        assert read(content, "images") is None
        assert tracemalloc.get_traced_memory()[1] < MIB << 20
    finally:
        tracemalloc.stop()


def test_a_bomb_is_not_unpacked():
    """A gigabyte of zeros in a megabyte, behind a header that announces 72 bytes, or one that announces all of it."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(64)), packer.flush()])
    bomb = PACKED["gzip"](HEADERS["images"]) + zeros * 16
    tracemalloc.start()
    try:
        assert read(bomb, "images") is None
        assert tracemalloc.get_traced_memory()[1] < MIB << 20
    finally:
        tracemalloc.stop()


SPLICES = [
    bytes([0, 0, 8, 3]),
    bytes([0, 0, 8, 1]),
    b"\xff" * 4,
    bytes(64),
    b"\x1f\x8b\x08",
    gzip.compress(b"", mtime=0),
]


def mutated(content: bytes, draw: random.Random) -> bytes:
    """A file with one to four changes."""
    for _ in range(draw.randint(1, 4)):
        content = changed(content, draw, SPLICES)
    return content


@fuzzed(200, 2000)
@given(kind=st.sampled_from(sorted(RAW)), packing=st.sampled_from(sorted(PACKED)), seed=st.integers(0, 2**40))
def test_a_file_with_a_few_changes(kind, packing, seed):
    """Packed and then changed, or changed and then packed."""
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    pack = PACKED[packing]
    read(mutated(pack(RAW[kind]), draw), kind)
    read(pack(mutated(RAW[kind], draw)), kind)


def written(folder: Path, seed: int | None) -> None:
    """The four files of a data set, one to four of which are changed or gone."""
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    damaged = draw.sample(fileset.FILES, draw.randint(1, 4)) if seed is not None else ()
    for name in fileset.FILES:
        content = PACKED["gzip"](RAW["images" if "images" in name else "labels"])
        if name in damaged:
            content = (
                mutated(content, draw) if draw.randrange(3) else PACKED["gzip"](mutated(gzip.decompress(content), draw))
            )
        if name not in damaged or draw.randrange(20):
            (folder / f"{name}.gz").write_bytes(content)


@fuzzed(20)
@given(seed=st.integers(0, 2**40))
def test_a_folder_with_damaged_files_is_trained_with_or_refused(seed: int, commands: Any, fresh: Callable[[], Path]):
    """By the command, before it trains: in a line that names the folder or a file in it."""
    folder = fresh()
    written(folder, seed)
    done = commands("train", "-c", configured(folder), cwd=folder)
    survives(done, {2}, may_change=[folder / "runs"])
    assert done.beyond or done.err.startswith((f"error: {folder}", "error: data.")), done.err


def configured(folder: Path) -> Path:
    (folder / "file.yaml").write_text("data: {name: idx, path: ., validation_size: 3}\ntrain: {batch_size: 2}\n")
    return folder / "file.yaml"


def test_the_undamaged_folder_is_trained_with(commands, fresh):
    """So that a refusal is the damage's."""
    folder = fresh()
    written(folder, None)
    done = commands("train", "-c", configured(folder), cwd=folder)
    assert done.beyond == "import keras", done.err
