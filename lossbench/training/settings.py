"""Settings of Keras and TensorFlow that change numbers: lossbench's own while it trains, the program's afterwards.

A program that calls `lossbench.train`, or a user's file of losses, may have set them.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lossbench.environment import KERAS_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOSSBENCH: dict[str, Any] = {
    **{key: value for key, value in KERAS_SETTINGS.items() if key != "backend"},
    "dtype_policy": "float32",
    "eager_functions": False,
    "jit": "",
    "auto_mixed_precision": False,
    "tensor_float_32": True,
}
"""The values that all runs are trained with; `train.precision` and XLA are set for each function by itself."""

_others: list[dict[str, Any]] = []
"""The settings of the program around lossbench, while those of lossbench are in force; else empty."""


def use() -> None:
    """Set every setting to lossbench's value, and remember what it was."""
    if not _others:
        _others.append(current())
    change(LOSSBENCH)


@contextmanager
def restored() -> Iterator[None]:
    """Give the program its settings back at the end, if `use` was called inside."""
    try:
        yield
    finally:
        if _others:
            change(_others.pop())


def current() -> dict[str, Any]:
    """Return the value that each setting has in this process."""
    return {name: read() for name, (read, _) in _accessors().items()}


def change(values: dict[str, Any]) -> None:
    """Set every setting to the value of its name."""
    for name, (_, write) in _accessors().items():
        write(values[name])


def _accessors() -> dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]]:
    """Return the functions that read and write each setting."""
    import keras
    import tensorflow as tf

    options, graph = tf.config.experimental, tf.config.optimizer
    return {
        "floatx": (keras.config.floatx, keras.config.set_floatx),
        "epsilon": (keras.config.epsilon, keras.config.set_epsilon),
        "image_data_format": (keras.config.image_data_format, keras.config.set_image_data_format),
        "dtype_policy": (keras.config.dtype_policy, keras.config.set_dtype_policy),
        "eager_functions": (tf.config.functions_run_eagerly, tf.config.run_functions_eagerly),
        "jit": (graph.get_jit, lambda value: graph.set_jit(value or False)),
        "auto_mixed_precision": (
            lambda: graph.get_experimental_options().get("auto_mixed_precision", False),
            lambda value: graph.set_experimental_options({"auto_mixed_precision": value}),
        ),
        "tensor_float_32": (options.tensor_float_32_execution_enabled, options.enable_tensor_float_32_execution),
    }
