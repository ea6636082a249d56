"""Names of devices, and the NVIDIA GPUs of this machine as their driver lists them, without starting TensorFlow."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from lossbench.errors import DeviceError


def parse_device(device: str) -> str:
    """Return the name of a device as `auto`, `cpu`, `gpu` or `gpu:N`; case is ignored, and `cuda` means `gpu`.

    Raises:
        DeviceError: The text names no device.

    Example:
        >>> parse_device("cuda:1")
        'gpu:1'
    """
    name = re.fullmatch(r"(auto|cpu(?::0)?)|(?:gpu|cuda)(:[0-9]{1,6})?", device.strip().lower(), re.ASCII)
    if name is None:
        raise DeviceError(f"expected auto, cpu, gpu or gpu:N, got {device!r}", parameter="device")
    if name[1]:
        return name[1].removesuffix(":0")
    return f"gpu:{int(name[2][1:])}" if name[2] else "gpu"


@dataclass(frozen=True)
class Gpu:
    """Memory of a GPU, total and free, in MiB."""

    total_mib: int
    free_mib: int


def installed() -> tuple[Gpu, ...]:
    """Return the GPUs visible to this process, in its order; empty without a driver."""
    if shutil.which("nvidia-smi") is None:
        return ()
    command = ["nvidia-smi", "--query-gpu=memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        # The command is constant; nvidia-smi is looked up on the user's own PATH.
        listed = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout  # noqa: S603
        gpus = [Gpu(*map(int, line.split(","))) for line in listed.splitlines()]
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return ()
    return _visible(gpus, os.environ.get("CUDA_VISIBLE_DEVICES"))


def _visible(gpus: list[Gpu], listed: str | None) -> tuple[Gpu, ...]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES selects, by number or by identifier."""
    if listed is None:
        return tuple(gpus)
    names = [name.strip() for name in listed.split(",") if name.strip() not in {"", "-1"}]
    numbers = [int(name) for name in names if name.isdecimal() and int(name) < len(gpus)]
    return tuple(gpus[number] for number in numbers) if len(numbers) == len(names) else tuple(gpus[: len(names)])
