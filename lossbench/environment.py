"""Settings of the user's environment that change numbers, and that lossbench's own processes ignore.

Keras reads `keras.json` and `KERAS_*`; TensorFlow, XLA, oneDNN and the CUDA libraries read variables of their own. What
an older project left there must not change a result, so the commands and workers of lossbench start without it. A
program that imports lossbench keeps its environment; `run.json` then names what was set.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

FAMILIES = ("KERAS_", "TF_", "XLA_", "ONEDNN_", "DNNL_", "ZENDNN_", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE")
"""Beginnings of the variables that those libraries read."""

HARMLESS = (
    *("TF_CPP_", "TF_DUMP_", "TF_FORCE_", "TF_GPU_", "TF_CUDA_", "TF_PER_DEVICE_MEMORY_LIMIT", "XLA_PJRT_GPU_"),
    *("TF_CLI_", "TF_VAR_"),
)
"""Those about messages, memory and paths, and those of Terraform, which change no number."""

HARMLESS_XLA_FLAGS = ("--xla_gpu_cuda_data_dir=", "--xla_dump_")

FIXED_AT_START = ("NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES", "OPENBLAS_CORETYPE", "GLIBC_TUNABLES")
"""Variables that have taken effect before lossbench can ignore them; `run.json` records them."""

KERAS_SETTINGS = {"backend": "tensorflow", "floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
"""Keys of `keras.json` that change numbers, with the values that lossbench uses."""

MAX_BYTES = 64 * 1024

ignored: dict[str, str] = {}
"""The variables that this process ignores, with the values that they had."""


def ignore_user_settings() -> None:
    """Remove the variables that change numbers from the environment of this process, and remember them."""
    for name, value in active().items():
        if name in FIXED_AT_START:
            continue
        ignored[name] = value
        kept = [flag for flag in value.split() if name == "XLA_FLAGS" and flag.startswith(HARMLESS_XLA_FLAGS)]
        if kept:
            os.environ[name] = " ".join(kept)
        else:
            del os.environ[name]


def active() -> dict[str, str]:
    """Return the variables that can change numbers in this process, by name."""
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name in FIXED_AT_START or (name.startswith(FAMILIES) and not name.startswith(HARMLESS))
        if name != "XLA_FLAGS" or not all(flag.startswith(HARMLESS_XLA_FLAGS) for flag in value.split())
    }


def keras_file() -> tuple[Path, str]:
    """Return the path of the user's `keras.json`, and in words what it would change; empty if nothing."""
    home = ignored.get("KERAS_HOME") or os.environ.get("KERAS_HOME")
    path = (Path(home).expanduser() if home else Path("~/.keras").expanduser()) / "keras.json"
    try:
        with path.open("rb") as file:
            settings = json.loads(file.read(MAX_BYTES))
        changed = {key: settings[key] for key, usual in KERAS_SETTINGS.items() if settings.get(key, usual) != usual}
    except FileNotFoundError:
        return path, ""
    except OSError as error:
        return path, f"cannot be read: {error.strerror}"
    except (ValueError, AttributeError, RecursionError):
        return path, "is not a JSON object"
    return path, ", ".join(f"{key} {json.dumps(value)}" for key, value in changed.items())
