"""Checks of this machine: everything that a run depends on."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from lossbench import __version__, environment
from lossbench.errors import LossbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PACKAGES = ("tensorflow", "keras", "numpy", "pandas", "pydantic", "typer", "rich")
OPTIONAL = ("ray", "tensorboard")
ENOUGH_BYTES = 100 << 20


@dataclass(frozen=True)
class CheckResult:
    """Result of one check: its subject, the text to show, and whether a run can work with it."""

    subject: str
    text: str
    is_good: bool = True


def examine(runs_dir: Path) -> list[CheckResult]:
    """Check versions, processor, settings of the user, TensorFlow's devices, embedded data and disk of `runs_dir`."""
    return [
        *_versions(),
        *_machine(),
        *_user_settings(),
        *_devices(),
        _try("data", _data),
        _try("runs", lambda: _disk(runs_dir)),
    ]


def _versions() -> Iterator[CheckResult]:
    yield CheckResult("python", f"{platform.python_version()} on {platform.platform()}")
    yield CheckResult("lossbench", __version__)
    for package in (*PACKAGES, *OPTIONAL):
        try:
            yield CheckResult(package, version(package))
        except PackageNotFoundError:
            yield CheckResult(package, "not installed", is_good=package in OPTIONAL)


def _machine() -> Iterator[CheckResult]:
    from lossbench.training.runtime import cores, processor

    yield CheckResult("processor", f"{processor()}, {cores()} cores for this process")
    for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"):
        if name in os.environ:
            yield CheckResult(name, os.environ[name])


def _user_settings() -> Iterator[CheckResult]:
    """Yield the settings of Keras and TensorFlow that could change numbers: ignored, or recorded with every run."""
    path, changes = environment.keras_file()
    if changes:
        usual = ", ".join(f"{key} {value}" for key, value in environment.KERAS_SETTINGS.items())
        yield CheckResult("keras.json", f"{path}: {changes}; ignored, lossbench uses {usual}")
    for name, value in environment.ignored.items():
        yield CheckResult(name, f"{value or 'empty'}; ignored, it could change numbers")
    for name, value in environment.active().items():
        yield CheckResult(name, f"{value}; it may change numbers, run.json records it")


def _devices() -> Iterator[CheckResult]:
    def list_devices() -> CheckResult:
        from lossbench.training.runtime import tensorflow

        tf = tensorflow()
        gpus = [
            str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name))
            for gpu in tf.config.list_physical_devices("GPU")
        ]
        return CheckResult("devices", ", ".join(["CPU", *gpus]) + ("" if gpus else "; no GPU found"))

    yield _try("devices", list_devices)


def _data() -> CheckResult:
    from lossbench.data import fileset, sources

    arrays = fileset.read_folder(sources.folder("mnist"))
    return CheckResult(
        "data", f"MNIST, embedded: {len(arrays.train_images)} + {len(arrays.test_images)} images, checksums match"
    )


def _disk(runs_dir: Path) -> CheckResult:
    folder = next(each for each in (runs_dir.absolute(), *runs_dir.absolute().parents) if each.exists())
    free, writable = shutil.disk_usage(folder).free, os.access(folder, os.W_OK)
    found = f"{runs_dir}: {free / 2**30:.1f} GiB free, {'writable' if writable else 'not writable'}"
    return CheckResult("runs", found, is_good=writable and free > ENOUGH_BYTES)


def _try(subject: str, check: Callable[[], CheckResult]) -> CheckResult:
    """Return the result of a check, or the reason why it failed."""
    try:
        return check()
    except (LossbenchError, ImportError, OSError) as error:
        return CheckResult(subject, f"{type(error).__name__}: {error}", is_good=False)
