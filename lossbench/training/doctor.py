"""What a run would find on this machine."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from lossbench.errors import LossbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PACKAGES = ("lossbench", "tensorflow", "keras", "numpy", "pandas", "pydantic", "typer", "rich")
OPTIONAL = ("ray", "tensorboard")
ENOUGH_BYTES = 100 << 20


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what, what was found, and whether a run can live with it."""

    what: str
    found: str
    good: bool = True


def examine(runs_dir: Path) -> list[Finding]:
    """Look at versions, processor, memory, TensorFlow's devices, the embedded data and the disk."""
    return [*_versions(), *_machine(), *_devices(), _try("data", _data), _try("runs", lambda: _disk(runs_dir))]


def _versions() -> Iterator[Finding]:
    yield Finding("python", f"{platform.python_version()} on {platform.platform()}")
    for package in (*PACKAGES, *OPTIONAL):
        try:
            yield Finding(package, version(package))
        except PackageNotFoundError:
            yield Finding(package, "not installed", good=package in OPTIONAL)


def _machine() -> Iterator[Finding]:
    from lossbench.training.runtime import cores, processor

    yield Finding("processor", f"{processor()}, {cores()} cores for this process")
    for name in ("KERAS_BACKEND", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "TF_ENABLE_ONEDNN_OPTS"):
        if name in os.environ:
            yield Finding(name, os.environ[name])


def _devices() -> Iterator[Finding]:
    def list_devices() -> Finding:
        from lossbench.training.runtime import tensorflow

        tf = tensorflow()
        gpus = [
            str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name))
            for gpu in tf.config.list_physical_devices("GPU")
        ]
        return Finding("devices", ", ".join(["CPU", *gpus]) + ("" if gpus else "; no GPU found"))

    yield _try("devices", list_devices)


def _data() -> Finding:
    from lossbench.data import idx, sources

    arrays = idx.read_folder(sources.folder("mnist"))
    return Finding(
        "data", f"MNIST, embedded: {len(arrays.train_images)} + {len(arrays.test_images)} images, checksums match"
    )


def _disk(runs_dir: Path) -> Finding:
    place = next(each for each in (runs_dir.absolute(), *runs_dir.absolute().parents) if each.exists())
    free, writable = shutil.disk_usage(place).free, os.access(place, os.W_OK)
    found = f"{runs_dir}: {free / 2**30:.1f} GiB free, {'writable' if writable else 'not writable'}"
    return Finding("runs", found, good=writable and free > ENOUGH_BYTES)


def _try(what: str, look: Callable[[], Finding]) -> Finding:
    """What `look` finds, or the reason why it could not."""
    try:
        return look()
    except (LossbenchError, ImportError, OSError) as error:
        return Finding(what, f"{type(error).__name__}: {error}", good=False)
