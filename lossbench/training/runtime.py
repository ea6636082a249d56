"""Device and threads of a run: TensorFlow is started once per process, on one device."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossbench import ops
from lossbench.config.datasets import IMAGE_SHAPE
from lossbench.errors import DeviceError, UsageError
from lossbench.extras import install_command
from lossbench.models.shapes import layer_shapes
from lossbench.training import settings
from lossbench.training.gpus import installed, parse_device

if TYPE_CHECKING:
    from lossbench.config.schema import Experiment

MOST_THREADS, DIVISIBLE_BATCHES = 2, range(64, 129)
"""Most threads of what XLA compiles, and the batch sizes for which dense layers take more than one.

With more threads or other sizes, Eigen divides the inner dimension of some matrix products among threads, so that the
last digits depend on their number.
"""

FEWEST_STEPS, FEWEST_STEPS_OF_THE_HEAD = 2000, 6000
"""Fewer steps save less time than XLA takes to compile them: those of networks, and those of the head alone.

The default MLP takes 1.2 s of processor time to compile and saves 0.34 ms per step, the linear model 0.8 s and 0.12 ms
(one thread, Emerald Rapids, while other programs ran). A second thread compiles as well, and lowers the break-even; in
a sweep, later trials do not compile.
"""

FEW_FILTERS = 16
"""With at most as many filters, a convolution compiled by XLA is faster than oneDNN's (LeNet-5 has 6 and 16)."""


@dataclass(frozen=True)
class Runtime:
    """Device and threads of a run.

    Attributes:
        kind: `cpu` or `gpu`.
        device: TensorFlow's name of the device.
        name: The manufacturer's name of it.
        threads: Total number of CPU threads.
    """

    kind: str
    device: str
    name: str
    threads: int


def default_threads(experiment: Experiment) -> int:
    """Return the number of CPU threads of a run that is alone on the machine.

    All cores for oneDNN's convolutions; two at most for what XLA compiles; one where two could change the last
    digits: without a hidden layer, and for small or large batches.
    """
    if filters := _filters(experiment):
        return cores() if max(filters) > FEW_FILTERS else min(cores(), MOST_THREADS)
    is_divisible = _has_hidden_layer(experiment) and experiment.train.batch_size in DIVISIBLE_BATCHES
    return min(cores(), MOST_THREADS) if is_divisible else 1


def is_worth_compiling(experiment: Experiment, images: int) -> bool:
    """Return whether XLA compiles the training step on a CPU: for enough steps, without convolutions of many filters.

    Args:
        experiment: The configuration.
        images: Number of training images.
    """
    steps = experiment.train.epochs * (images // experiment.train.batch_size)
    filters = _filters(experiment)
    fewest = FEWEST_STEPS if filters or _has_hidden_layer(experiment) else FEWEST_STEPS_OF_THE_HEAD
    return steps >= fewest and max(filters, default=0) <= FEW_FILTERS


def _has_hidden_layer(experiment: Experiment) -> bool:
    return any(layer.kind == "dense" for layer in layer_shapes(experiment.model, IMAGE_SHAPE))


def _filters(experiment: Experiment) -> list[int]:
    layers = layer_shapes(experiment.model, IMAGE_SHAPE)
    return [layer.kernel[-1] for layer in layers if layer.kind == "convolution"]


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start(
    *,
    device: str,
    threads: int,
    precision: str = "float32",
    deterministic: bool = False,
    memory_share: float | None = None,
) -> Runtime:
    """Import TensorFlow quietly, choose the device, set the threads.

    Args:
        device: `auto` (a GPU if there is one), `cpu`, `gpu` or `gpu:N`; `cuda` means `gpu`.
        threads: CPU threads; fixed for the process by the first call.
        precision: `mixed_float16` is refused without a GPU.
        deterministic: Deterministic kernels on a GPU.
        memory_share: Share of a GPU's memory that this process may use, in (0, 1); None: as much as it needs.

    Raises:
        DeviceError: The device does not exist, or cannot compute in this precision.
        UsageError: Keras already runs on another backend.
    """
    tf = tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    chosen = _choose(device, len(gpus))
    if chosen is None and precision == "mixed_float16":
        raise DeviceError(
            "train.precision: mixed_float16 needs a GPU, and this run computes on the CPU; "
            "write mixed_bfloat16 or float32"
        )
    settings.use()
    count = _configure(tf, gpus, chosen, threads, memory_share)
    if deterministic and chosen is not None:
        tf.config.experimental.enable_op_determinism()
    if chosen is None:
        return Runtime("cpu", "/CPU:0", processor(), count)
    name = tf.config.experimental.get_device_details(gpus[chosen]).get("device_name", "GPU")
    return Runtime("gpu", "/GPU:0", str(name), count)


def start_for_many_trials(*, device: str, threads: int, memory_share: float | None = None) -> Runtime:
    """Start TensorFlow in a process that trains many trials; device, threads and memory are fixed for all of them."""
    runtime = start(device=device, threads=threads, memory_share=memory_share)
    tensorflow().config.list_logical_devices()
    return runtime


def on(runtime: Runtime) -> Any:
    """Return a context in which TensorFlow computes on the device of the run."""
    import tensorflow as tf

    return tf.device(runtime.device)


def tensorflow() -> Any:
    """Import TensorFlow as the backend of Keras, without its log messages, and return it.

    Raises:
        UsageError: Keras already runs on another backend in this process.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"
    if (backend := ops.quiet_keras().backend.backend()) != "tensorflow":
        raise UsageError(
            f"Keras runs on {backend} in this process; lossbench trains with TensorFlow: "
            "unset KERAS_BACKEND, or import lossbench before Keras"
        )
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # TensorFlow warns that each trial of a sweep compiles its own loop
    return tf


def check_device(device: str) -> None:
    """Check a device as `start` does, without starting it; TensorFlow is imported only to look for a GPU.

    Raises:
        DeviceError: The text names no device, or a GPU that this machine does not have.
    """
    if parse_device(device).startswith("gpu"):
        _choose(device, len(tensorflow().config.list_physical_devices("GPU")))


def processor() -> str:
    """Return the manufacturer's name of the processor."""
    import platform
    from contextlib import suppress
    from pathlib import Path

    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _choose(device: str, gpus: int) -> int | None:
    device = parse_device(device)
    kind, _, number = device.partition(":")
    if kind == "cpu" or (kind == "auto" and not gpus):
        return None
    index = int(number or 0)
    if index >= gpus:
        found = f"{gpus} GPU{'s' if gpus > 1 else ''}, gpu:0 to gpu:{gpus - 1}" if gpus else "no GPU"
        raise DeviceError(
            f"TensorFlow found {found}, not {device}; use cpu, or install the GPU build: {install_command('gpu')}",
            parameter="device",
        )
    return index


def _configure(tf: Any, gpus: list[Any], chosen: int | None, threads: int, memory_share: float | None) -> int:
    """Set devices and threads, unless an earlier run of this process fixed them; return the number of threads."""
    try:
        tf.config.threading.set_inter_op_parallelism_threads(1)
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.set_visible_devices([] if chosen is None else [gpus[chosen]], "GPU")
        for gpu in gpus if chosen is not None else []:
            _share_memory(tf, gpu, memory_share)
    except RuntimeError:  # TensorFlow is already running
        return int(tf.config.threading.get_intra_op_parallelism_threads()) or cores()
    return threads


def _share_memory(tf: Any, gpu: Any, share: float | None) -> None:
    """Limit this process to a share of a GPU's memory, or let its use grow as needed."""
    if share is None:
        tf.config.experimental.set_memory_growth(gpu, enable=True)
        return
    limit = int(share * min(each.total_mib for each in installed()))
    tf.config.set_logical_device_configuration(gpu, [tf.config.LogicalDeviceConfiguration(memory_limit=limit)])
