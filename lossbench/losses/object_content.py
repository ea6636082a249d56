"""Content of a Python object that has no parts to walk over: a text by which two states of it can be compared."""

from __future__ import annotations

import hashlib
import io
import random
import sys
from collections import deque
from contextlib import suppress
from enum import Enum
from typing import Any

PLAIN = (bool, int, float, complex, str, bytes, bytearray, range, slice, Enum, type(None))
"""Types whose objects are their text."""


def content(value: Any) -> str:
    """Return the content of an object that has no parts, or whose parts have no order."""
    if isinstance(value, PLAIN):  # of a subclass, which can have attributes too
        return repr(value)
    if isinstance(value, set | frozenset):
        return repr(sorted(map(repr, value)))
    if isinstance(value, list | tuple | dict | deque):
        return str(len(value))
    if isinstance(value, random.Random) and not isinstance(value, random.SystemRandom):
        return repr(value.getstate())
    text = _numpy_content(value) if "numpy" in sys.modules else ""
    return text or _standard_content(value)


def _standard_content(value: Any) -> str:
    """Return the content of an object of the standard library that has no attributes, e.g. an array, buffer or date."""
    if type(value).__module__.partition(".")[0] in sys.stdlib_module_names and not callable(value):
        with suppress(Exception):  # many objects cannot be copied, e.g. locks
            return repr(_standard_state(value))
    return ""


def _standard_state(value: Any) -> Any:
    with suppress(TypeError):
        return memoryview(value).tobytes()
    if hasattr(value, "qsize"):
        return value.qsize()
    if isinstance(value, io.StringIO | io.BytesIO) or not hasattr(value, "__dict__"):
        return value.__reduce_ex__(2)[1:]
    return value.tell() if isinstance(value, io.IOBase) and value.readable() else None


def _numpy_content(value: Any) -> str:
    import numpy as np

    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, np.random.BitGenerator):
        return repr(value.state)
    if isinstance(value, np.random.RandomState):
        return repr(value.get_state(legacy=False))
    if isinstance(value, np.ndarray | np.generic):
        numbers = repr(value.tolist()) if value.dtype == object else value.tobytes()
        return f"{value.dtype}{value.shape}{digest(numbers)}"
    return ""


def digest(content: str | bytes) -> str:
    """Return the SHA-256 of a content."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
