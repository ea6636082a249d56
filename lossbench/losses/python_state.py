"""State that a user's code keeps in Python objects: found by comparing snapshots before and after a call.

A snapshot covers the globals of the user's modules, what their functions close over, their defaults and attributes,
instances of their classes, containers, iterators and random generators. Tensors and variables are not part of it:
TensorFlow's variables can be saved, and a tensor that is kept only to look at it changes nothing.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import random
import sys
import types
import warnings
from collections import deque
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lossbench.losses.user_code import Execution

PLAIN = (bool, int, float, complex, str, bytes, bytearray, range, slice, Enum, type(None))
CONTENTS: Mapping[type, Callable[[Any], Iterable[tuple[str, Any]]]] = {
    dict: lambda value: ((f"[{key!r:.40}]", each) for key, each in value.items()),
    list: lambda value: ((f"[{index}]", each) for index, each in enumerate(value)),
    tuple: lambda value: ((f"[{index}]", each) for index, each in enumerate(value)),
    deque: lambda value: ((f"[{index}]", each) for index, each in enumerate(value)),
    types.SimpleNamespace: lambda value: _attributes(vars(value)),
    types.MethodType: lambda value: [("", value.__self__), ("", value.__func__)],
    functools.partial: lambda value: [("", value.func), ("", value.args), ("", value.keywords)],
    staticmethod: lambda value: [("", value.__func__)],
    classmethod: lambda value: [("", value.__func__)],
    property: lambda value: [("", value.fget)],
}
"""Parts of the objects of a type, each with the end of its name."""

GENERATORS = ("Random", "Generator", "RandomState", "PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
"""Types of random generators, with which their contents in a snapshot begin."""


def snapshot(executions: Iterable[Execution], functions: Mapping[str, Any]) -> dict[str, str]:
    """Return the state of a user's code: the name of each object, and its type with a text or hash of its content.

    Args:
        executions: Executions of the user's files, whose modules are covered.
        functions: Functions or instances that were built from the modules, by name.
    """
    modules = {module.__name__: (name, module) for each in executions for name, module in each.modules.items()}
    walk = _Walk(frozenset(modules))
    walk.found["random"] = f"Random {_digest(repr(random.getstate()))}"
    if numpy := sys.modules.get("numpy"):
        walk.found["numpy.random"] = f"RandomState {_digest(repr(numpy.random.get_state()))}"
    for name, module in modules.values():
        for key, value in _attributes(vars(module)):
            walk.visit(f"{name}{key}".removeprefix("."), value)
    for name, function in functions.items():
        walk.visit(name, function)
    return walk.found


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names of the objects that differ, the shortest first."""
    return sorted(
        (name for name in {**before, **after} if before.get(name) != after.get(name)),
        key=lambda name: (len(name), name),
    )


class _Walk:
    """A walk over the objects that can be reached from a user's modules."""

    def __init__(self, modules: frozenset[str]) -> None:
        self.found: dict[str, str] = {}
        self._modules = modules
        self._visited: dict[int, Any] = {}

    def visit(self, name: str, value: Any) -> None:
        """Note the content of an object and of all its parts."""
        if isinstance(value, PLAIN):
            self._note(name, f"{type(value).__name__} {value!r}")
        elif id(value) not in self._visited:
            self._visited[id(value)] = value
            self._note(name, f"{type(value).__name__} {_digest(_own_content(value) + self._position(value))}")
            for end, part in self._parts(value):
                self.visit(f"{name}{end}", part)

    def _note(self, name: str, content: str) -> None:
        unique = name
        while unique in self.found:
            unique += "'"
        self.found[unique] = content

    def _parts(self, value: Any) -> Iterator[tuple[str, Any]]:
        for kind, parts in CONTENTS.items():
            if isinstance(value, kind):
                yield from parts(value)
        if isinstance(value, types.FunctionType):
            yield from self._parts_of_function(value)
        elif isinstance(value, type):
            yield from _attributes(vars(value)) if value.__module__ in self._modules else ()
        elif self._is_own(value):
            slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
            yield from _attributes({name: getattr(value, name, None) for name in slots})
            yield from _attributes(getattr(value, "__dict__", {}))
            yield ".__class__", type(value)
        else:  # the function in a `tf.function`, or behind a cache, whose entries and hits do not count
            yield "", getattr(value, "python_function", None) or getattr(value, "__wrapped__", None)

    def _position(self, value: Any) -> str:
        """Return the position of an iterator of Python; empty for any other object."""
        if isinstance(value, types.GeneratorType):
            frame = value.gi_frame
            state: Any = (frame.f_lasti, frame.f_locals, value.gi_yieldfrom) if frame else None
        elif type(value).__module__ in {"builtins", "itertools"} and hasattr(value, "__next__"):
            state = None
            with warnings.catch_warnings(), suppress(TypeError):  # some iterators have no such method
                warnings.simplefilter("ignore")  # itertools loses it in Python 3.14
                state = value.__reduce__()
        else:
            return ""
        inner = _Walk(self._modules)
        inner.visit("", state)
        return _digest(repr(inner.found))

    def _parts_of_function(self, function: types.FunctionType) -> Iterator[tuple[str, Any]]:
        if function.__module__ in self._modules:
            yield from _attributes(inspect.getclosurevars(function).nonlocals)
            yield from _attributes(function.__kwdefaults__ or {})
            yield "", function.__defaults__
            yield from _attributes(vars(function))

    def _is_own(self, value: Any) -> bool:
        return any(kind.__module__ in self._modules for kind in type(value).__mro__)


def _attributes(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an object that are not Python's own."""
    return ((f".{name}", value) for name, value in list(values.items()) if not name.startswith("__"))


def _own_content(value: Any) -> str:
    """Return the content of an object that has no parts, or whose parts have no order."""
    if isinstance(value, set | frozenset):
        return repr(sorted(map(repr, value)))
    if isinstance(value, list | tuple | dict | deque):
        return str(len(value))
    if isinstance(value, random.Random) and not isinstance(value, random.SystemRandom):
        return repr(value.getstate())
    return _numpy_content(value) if "numpy" in sys.modules else ""


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
        return f"{value.dtype}{value.shape}{_digest(numbers)}"
    return ""


def _digest(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
