"""`keras.ops` on first use: what the losses are written in, so that one catalogue serves every Keras backend."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Fetch an operation from `keras.ops` and keep it."""
    if name.startswith("__"):  # Python's own questions about a module must not cost an import of Keras
        raise AttributeError(name)
    from keras import ops

    return globals().setdefault(name, getattr(ops, name))
