"""NVIDIA GPUs of this machine as their driver lists them, without starting TensorFlow."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """Memory of a GPU, total and free, in MiB."""

    total_mib: int
    free_mib: int


def installed() -> tuple[Gpu, ...]:
    """Return the GPUs visible to this process, in its order; empty without a driver."""
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
