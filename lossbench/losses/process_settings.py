"""Settings of Keras and TensorFlow that a user's file may change: reset, as they would reach all other losses."""

from __future__ import annotations

import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lossbench.environment import KERAS_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lossbench.losses.user_code import UserFile

SETTINGS = {
    "run_functions_eagerly": ("tensorflow", "functions_run_eagerly", "run_functions_eagerly", False),
    "set_floatx": ("keras", "floatx", "set_floatx", KERAS_SETTINGS["floatx"]),
    "set_epsilon": ("keras", "epsilon", "set_epsilon", KERAS_SETTINGS["epsilon"]),
    "set_image_data_format": (
        "keras",
        "image_data_format",
        "set_image_data_format",
        KERAS_SETTINGS["image_data_format"],
    ),
    "policy": ("keras", "dtype_policy", "set_dtype_policy", KERAS_SETTINGS["floatx"]),
}
"""Word in the line that changes a setting -> module, functions of its `config` that read and write the setting, and its
value if the module is not imported yet. The policy follows floatx, so it comes later."""

_noted: set[tuple[Path, str]] = set()
"""Files and words that have been reported."""


@contextmanager
def kept(file: UserFile) -> Iterator[None]:
    """Reset the settings that the block changes, and say so once per file and setting.

    Args:
        file: The user's file, whose code runs in the block.
    """
    before = _read()
    try:
        yield
    finally:
        for word, (module, read, write, usual) in SETTINGS.items():
            config = _config(module)
            value = before.get(word, usual)
            if config and _name(getattr(config, read)()) != _name(value):
                getattr(config, write)(value)
                _note(file, word, _name(value))


def _read() -> dict[str, Any]:
    """Return the settings of the modules that are imported, by word."""
    configs = {word: (_config(module), read) for word, (module, read, _, _) in SETTINGS.items()}
    return {word: getattr(config, read)() for word, (config, read) in configs.items() if config}


def _config(module: str) -> Any:
    return getattr(sys.modules.get(module), "config", None)


def _name(value: Any) -> Any:
    return getattr(value, "name", value)


def _note(file: UserFile, word: str, value: object) -> None:
    if (file.path, word) in _noted:
        return
    _noted.add((file.path, word))
    lines = enumerate(file.source.content.decode(errors="replace").splitlines(), 1)
    line = next((number for number, text in lines if word in text), 1)  # 1 if it is in an imported file
    sentence = f"has no effect: Keras computes all losses with {SETTINGS[word][1]} {value}; remove it"
    if word == "run_functions_eagerly":
        sentence = "is switched off again, since training compiles the loss: remove it"
    warnings.warn_explicit(f"{word} {sentence}", UserWarning, str(file.path), line)
