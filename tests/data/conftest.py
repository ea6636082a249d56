"""Small IDX folders, written and read with struct alone; the real MNIST, read once."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from lossbench.config.schema import Experiment

MNIST = Path(__file__).parents[2] / "lossbench" / "data" / "mnist"
FASHION = Path(__file__).parents[3] / "shared" / "data" / "fashion_mnist"
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def pack(array: np.ndarray[Any, Any]) -> bytes:
    """Return an array as a raw IDX file."""
    header = struct.pack(">I", 0x800 + array.ndim) + b"".join(struct.pack(">I", size) for size in array.shape)
    return header + array.astype(np.uint8).tobytes()


def unpack(content: bytes) -> np.ndarray[Any, Any]:
    """Return a raw IDX file as an array."""
    dimensions = struct.unpack(">I", content[:4])[0] - 0x800
    shape = struct.unpack(f">{dimensions}I", content[4 : 4 + 4 * dimensions])
    return np.array(bytearray(content[4 + 4 * dimensions :]), np.uint8).reshape(shape)


@pytest.fixture(scope="session")
def idx_bytes() -> Callable[[np.ndarray[Any, Any]], bytes]:
    """Return the function that turns an array into a raw IDX file."""
    return pack


@pytest.fixture(scope="session")
def small() -> list[np.ndarray[Any, Any]]:
    """Return four arrays: 12 training and 6 test images of 2 × 3 in three classes."""
    generator = np.random.default_rng(0)
    return [
        generator.integers(0, 256, (12, 2, 3)),
        np.arange(12) % 3,
        generator.integers(0, 256, (6, 2, 3)),
        np.arange(6) % 3,
    ]


@pytest.fixture(scope="session")
def experiment() -> Callable[..., Experiment]:
    """Return the function that makes an experiment of a seed and the keys of its data section."""
    from lossbench.config.data import Data
    from lossbench.config.schema import Experiment

    def build(seed: int = 0, **data: Any) -> Experiment:
        return Experiment(seed=seed, data=Data(**data))

    return build


@pytest.fixture
def folder(tmp_path: Path, small: list[np.ndarray[Any, Any]]) -> Path:
    """Return a folder of four small gzipped IDX files."""
    for name, array in zip(NAMES, small, strict=True):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(pack(array)))
    return tmp_path


@pytest.fixture(scope="session")
def mnist() -> dict[str, np.ndarray[Any, Any]]:
    """Return MNIST's four arrays by file name, read by this file's own reader."""
    return {name: unpack(gzip.decompress((MNIST / f"{name}.gz").read_bytes())) for name in NAMES}


@pytest.fixture(scope="session")
def fashion_mnist() -> Path:
    """Return the folder of Fashion-MNIST, or skip where it is not."""
    if not FASHION.is_dir():
        pytest.skip(f"Fashion-MNIST is not in {FASHION}")
    return FASHION
