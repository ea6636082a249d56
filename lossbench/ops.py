"""`keras.ops`, imported on first use; losses are written in it, so that one catalogue serves every Keras backend."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


own_process = False
"""Whether only lossbench uses Keras in this process, as in its commands and workers."""

UNUSED = ("matplotlib", "pandas")
"""Optional packages that Keras would import at start, which takes one second; lossbench does not need them there."""


def __getattr__(name: str) -> Any:
    """Return an operation of `keras.ops` and cache it."""
    if name.startswith("__"):  # module attributes that Python looks up must not import Keras
        raise AttributeError(name)
    return globals().setdefault(name, getattr(quiet_keras().ops, name))


def quiet_keras() -> Any:
    """Import Keras without the messages and deprecation warnings of its backend."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" in sys.modules:
        return sys.modules["keras"]
    with warnings.catch_warnings(), muted_stderr(), _hidden(UNUSED if own_process else ()):
        warnings.simplefilter("ignore")
        import keras
    return keras


@contextmanager
def _hidden(names: Iterable[str]) -> Iterator[None]:
    """Hide installed packages that are not imported yet."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # None makes Python raise ImportError
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def muted_stderr() -> Iterator[None]:
    """Mute stderr of C++ libraries: TensorFlow 2.21 reads TF_CPP_MIN_LOG_LEVEL only after it is loaded."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
