"""State that a user's code keeps in Python objects: found by comparing snapshots before and after a call.

A snapshot covers the globals of the user's modules, what their functions close over, their defaults and attributes,
the objects that can be reached from there, containers, iterators and random generators, the environment variables, and
the numbers and texts among the attributes of imported modules and classes. Tensors and the values of variables are not
part of it: TensorFlow's variables can be saved, and a tensor that is kept only to look at it changes nothing.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import os
import random
import sys
import types
import warnings
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lossbench.losses.object_content import PLAIN, content, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lossbench.losses.user_code import Execution

CONTENTS: Mapping[type, Callable[[Any], Iterable[tuple[str, Any]]]] = {
    dict: lambda value: ((f"[{key!r:.40}]", each) for key, each in value.items()),
    list: lambda value: ((f"[{index}]", each) for index, each in enumerate(value)),
    tuple: lambda value: ((f"[{index}]", each) for index, each in enumerate(value)),
    deque: lambda value: ((f"[{index}]", each) for index, each in enumerate(value)),
    types.SimpleNamespace: lambda value: _attributes(vars(value)),
    types.MethodType: lambda value: [("", value.__self__), ("", value.__func__)],
    types.BuiltinMethodType: lambda value: [("", value.__self__)],
    types.MethodWrapperType: lambda value: [("", value.__self__)],
    types.MappingProxyType: lambda value: [("", dict(value))],
    contextvars.ContextVar: lambda value: [("", value.get(None))],
    functools.partial: lambda value: [("", value.func), ("", value.args), ("", value.keywords)],
    staticmethod: lambda value: [("", value.__func__)],
    classmethod: lambda value: [("", value.__func__)],
    property: lambda value: [("", value.fget)],
}
"""Parts of the objects of a type, each with the end of its name."""

PYTHONS_OWN = {
    *("__abstractmethods__", "__annotations__", "__builtins__", "__cached__", "__dict__", "__file__", "__loader__"),
    *("__path__", "__spec__", "__warningregistry__", "__weakref__"),
}
"""Attributes that Python itself sets."""

DEPTH = 4
"""How many objects of installed packages a walk enters, each an attribute of the one before."""

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
    walk.found["random"] = f"Random {digest(repr(random.getstate()))}"
    if numpy := sys.modules.get("numpy"):
        walk.found["numpy.random"] = f"RandomState {digest(repr(numpy.random.get_state()))}"
    walk.visit("os.environ", dict(os.environ))
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

    def visit(self, name: str, value: Any, depth: int = 0) -> None:
        """Note the content of an object and of all its parts; `depth` counts the packages' objects on the way."""
        if type(value) in PLAIN:
            self._note(name, f"{type(value).__name__} {value!r}")
        elif id(value) not in self._visited:
            self._visited[id(value)] = value
            self._note(name, f"{type(value).__name__} {digest(content(value) + self._position(value))}")
            depth += self._is_foreign(value)
            if depth <= DEPTH:
                for end, part in self._parts(value):
                    self.visit(f"{name}{end}", part, depth)

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
        elif isinstance(value, type) and value.__module__ in self._modules:
            yield from _attributes(vars(value))
        elif isinstance(value, type | types.ModuleType) or _is_tensor(value) or _package(type(value)) == "logging":
            yield from _plain_attributes(value)
        elif not self._is_own(value) and (wrapped := _wrapped(value)):
            yield "", wrapped
            yield from _plain_attributes(value)
        else:
            yield from _attributes(_slots(value))
            yield from self._attributes_of_instance(value)
            yield ".__class__", type(value)

    def _attributes_of_instance(self, value: Any) -> Iterator[tuple[str, Any]]:
        """Yield the attributes, without the containers and objects that Keras and TensorFlow keep for themselves."""
        attributes = getattr(value, "__dict__", {})
        if not self._is_own(value) and _package(type(value)) in {"keras", "tensorflow"}:
            attributes = {k: each for k, each in attributes.items() if k[0] != "_" or isinstance(each, PLAIN)}
        yield from _attributes(attributes)

    def _is_foreign(self, value: Any) -> bool:
        """Return whether the object has attributes that the code of another package defines."""
        is_container = isinstance(value, (*CONTENTS, type, types.FunctionType))
        return not is_container and not self._is_own(value)

    def _position(self, value: Any) -> str:
        """Return the position of an iterator of Python; empty for any other object."""
        if isinstance(value, types.GeneratorType):
            frame = value.gi_frame
            state: Any = (frame.f_lasti, frame.f_locals, value.gi_yieldfrom) if frame else None
        elif type(value).__module__ in {"builtins", "itertools"} and hasattr(value, "__next__"):
            state = repr(value)
            with warnings.catch_warnings(), suppress(TypeError):  # some iterators have no such method
                warnings.simplefilter("ignore")  # itertools loses it in Python 3.14
                state = value.__reduce__()
        else:
            return ""
        inner = _Walk(self._modules)
        inner.visit("", state)
        return digest(repr(inner.found))

    def _parts_of_function(self, function: types.FunctionType) -> Iterator[tuple[str, Any]]:
        if function.__module__ not in self._modules:
            yield from _plain_attributes(function)
        else:
            yield from _attributes(inspect.getclosurevars(function).nonlocals)
            yield from _attributes(function.__kwdefaults__ or {})
            yield "", function.__defaults__
            yield from _attributes(vars(function))

    def _is_own(self, value: Any) -> bool:
        return any(kind.__module__ in self._modules for kind in type(value).__mro__)


def _attributes(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an object that are not Python's own."""
    return ((f".{name}", value) for name, value in list(values.items()) if name not in PYTHONS_OWN)


def _plain_attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the public attributes that are numbers or texts, or lists and dictionaries of them."""
    for name, each in list(getattr(value, "__dict__", {}).items()):
        items = each.values() if type(each) is dict else each if type(each) is list else [each]
        if not name.startswith("_") and all(isinstance(item, PLAIN) for item in items):
            yield f".{name}", each


def _wrapped(value: Any) -> Any:
    """Return the function in a `tf.function`, or behind a cache, whose entries and hits do not count; None if none."""
    return getattr(value, "python_function", None) or getattr(value, "__wrapped__", None)


def _slots(value: Any) -> dict[str, Any]:
    """Return the attributes in slots, by name."""
    names = [
        name for kind in type(value).__mro__ for name, each in vars(kind).items() if inspect.ismemberdescriptor(each)
    ]
    return {name: getattr(value, name, None) for name in names}


def _is_tensor(value: Any) -> bool:
    """Return whether the object is a tensor or variable of TensorFlow or Keras."""
    kinds = [kind for kind in type(value).__mro__ if kind.__name__ in {"Tensor", "Variable"}]
    return any(_package(kind) in {"keras", "tensorflow"} for kind in kinds)


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]
