"""`keras.ops` on first use: what the losses are written in, so that one catalogue serves every Keras backend."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


own_process = False
"""Whether nobody but lossbench uses Keras in this process, as in its commands and its workers."""

UNUSED = ("matplotlib", "pandas")
"""What Keras imports if it finds it, and lossbench has no use for in Keras: a second of start-up."""


def __getattr__(name: str) -> Any:
    """Fetch an operation from `keras.ops` and keep it."""
    if name.startswith("__"):  # Python's own questions about a module must not cost an import of Keras
        raise AttributeError(name)
    return globals().setdefault(name, getattr(quiet_keras().ops, name))


def quiet_keras() -> Any:
    """Keras, imported without what its backend prints and deprecates while it loads."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" in sys.modules:
        return sys.modules["keras"]
    with warnings.catch_warnings(), muted_stderr(), _hidden(UNUSED if own_process else ()):
        warnings.simplefilter("ignore")
        import keras
    return keras


@contextmanager
def _hidden(names: Iterable[str]) -> Iterator[None]:
    """Let packages that are not imported yet seem not to be installed."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python is told that there is no such module
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def muted_stderr() -> Iterator[None]:
    """Silence what C++ libraries print: TensorFlow 2.21 heeds TF_CPP_MIN_LOG_LEVEL only once it is loaded."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
