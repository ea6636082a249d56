"""`keras.ops`, imported on first use; losses are written in it, so that one catalogue serves every Keras backend."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lossbench import environment, imports

if TYPE_CHECKING:
    from collections.abc import Iterator


own_process = False
"""Whether only lossbench uses Keras in this process, as in its commands and workers; set by `claim_process`."""

UNUSED = ("matplotlib", "pandas")
"""Optional packages that Keras would import at start; lossbench does not need them there."""

UNUSED_WITH_TENSORFLOW = ("jax",)
"""An optional package that TensorFlow Lite would import; without TensorFlow, Keras may compute with it."""

DEFERRED = "tensorflow._api.v2"
"""Package of TensorFlow's public names; its modules import half of TensorFlow, and most of them are never used."""

CELLS = {
    "tensorflow.python.keras.layers.rnn_cell_wrapper_v2": ("DeviceWrapper", "DropoutWrapper", "ResidualWrapper"),
}
"""Classes of recurrent networks, for which `tf.nn` would import Keras a second time, an old one, and SciPy."""


def __getattr__(name: str) -> Any:
    """Return an operation of `keras.ops` and cache it."""
    if name.startswith("__"):  # module attributes that Python looks up must not import Keras
        raise AttributeError(name)
    return globals().setdefault(name, getattr(quiet_keras().ops, name))


def claim_process() -> None:
    """Make this process one of lossbench's own: Keras and TensorFlow will start without the user's settings."""
    globals()["own_process"] = True
    environment.ignore_user_settings()


def quiet_keras() -> Any:
    """Import Keras without the messages and deprecation warnings of its backend.

    In a process of lossbench's own it also starts without the user's `keras.json`, on TensorFlow if that is
    installed, and in half of the time: without optional packages and those parts of TensorFlow that are never used.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "keras" in sys.modules:
        return sys.modules["keras"]
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(muted_stderr())
        if own_process:
            stack.enter_context(imports.hidden(UNUSED + (UNUSED_WITH_TENSORFLOW if find_spec("tensorflow") else ())))
            stack.enter_context(imports.deferred(DEFERRED, _surroundings))
            stack.enter_context(imports.uncollected())
            stack.enter_context(imports.shared_constraints())
            stack.enter_context(_without_keras_file())
        warnings.simplefilter("ignore")
        import keras
    return keras


@contextmanager
def _surroundings() -> Iterator[None]:
    """Execute a module of `DEFERRED` as if it were imported by Keras, and without `CELLS`."""
    with muted_stderr(), _without_keras_file(), imports.postponed(CELLS), imports.shared_constraints():
        yield


@contextmanager
def _without_keras_file() -> Iterator[None]:
    """Let Keras look for its file where none can be, and use TensorFlow; other backends only where that is missing."""
    backend = "tensorflow" if find_spec("tensorflow") else environment.ignored.get("KERAS_BACKEND", "")
    before = {name: os.environ.get(name) for name in ("KERAS_HOME", "KERAS_BACKEND")}
    os.environ.update(KERAS_HOME=os.devnull, KERAS_BACKEND=backend)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


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
