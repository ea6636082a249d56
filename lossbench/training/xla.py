"""Compilation by XLA: of parts of a step, and what stands in the way of compiling a whole one."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LEFT_OUT = {"Assert", "CheckNumerics", "CheckNumericsV2"}
"""TensorFlow's operations that compiled code leaves out without a word."""


@cache
def compiled(function: Callable[..., Any]) -> Any:
    """Return a function of tensors compiled by XLA, the same one for each call; it may be part of another step."""
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)


def find_obstacle(graph: Any, compile_it: Callable[[], None]) -> str | None:
    """Return why a function cannot be compiled so that it does the same; None if it can.

    Args:
        graph: TensorFlow's graph of the function.
        compile_it: Compiles the function.
    """
    import tensorflow as tf

    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for each in definition.library.function for node in each.node_def)]
    if left_out := sorted({node.op for node in nodes} & LEFT_OUT):
        return f"XLA leaves out its {left_out[0]}"
    try:
        compile_it()
    except tf.errors.OpError as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        return f"XLA cannot compile it: {first[:120]}"
    return None
