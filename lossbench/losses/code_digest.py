"""Digest of Python objects by their content: code, constants, closures, attributes, and the globals that code names."""

from __future__ import annotations

import hashlib
import inspect
import sys
import sysconfig
import types
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_OBJECTS = 100_000
"""Objects that a digest covers; beyond, and for objects of unknown content, it is different in every process."""

_opaque: dict[int, tuple[Any, str]] = {}
"""A random text per object of unknown content; the object is kept, so that no other one gets its address."""


def digest(thing: Any) -> str:
    """Return a SHA-256 of an object; two objects with the same digest behave alike as far as Python shows.

    An object whose content is unknown, e.g. one of a C extension, has a digest of its own that ends with the process.
    """
    walk = _Walk()
    walk.visit(thing)
    return walk.sha256.hexdigest()


def globals_of(thing: Any) -> dict[str, Any]:
    """Return the globals to which the code of a function refers; empty for another object."""
    function = inspect.unwrap(thing) if callable(thing) else thing
    if not isinstance(function, types.FunctionType):
        return {}
    return {name: function.__globals__[name] for name in _names(function.__code__) if name in function.__globals__}


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


PARTS: Sequence[tuple[Any, Callable[[Any], Any]]] = (
    (list | tuple, list),
    (dict | types.MappingProxyType, lambda value: [part for item in value.items() for part in item]),
    (set | frozenset, lambda value: sorted(value, key=repr)),
    (partial, lambda value: [value.func, value.args, value.keywords]),
    (types.MethodType, lambda value: [value.__func__, value.__self__]),
    (types.CodeType, lambda code: [code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_consts]),
    (property, lambda value: [value.fget, value.fset]),
    (staticmethod | classmethod, lambda value: [value.__func__]),
)
"""Parts of the objects of a type, which say everything about it."""


class _Walk:
    """A walk over an object and everything that it refers to, in an order that its content alone determines."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self._visited: dict[int, tuple[int, Any]] = {}

    def visit(self, value: Any) -> None:
        """Add an object to the digest; an object that was added before counts by its number."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            self._note(type(value).__name__, repr(value))
        elif id(value) in self._visited:
            self._note("again", self._visited[id(value)][0])
        elif len(self._visited) >= MOST_OBJECTS:
            self._note("opaque", _token(value))
        else:
            self._visited[id(value)] = len(self._visited), value
            self._note(type(value).__module__, type(value).__qualname__)
            self._visit_parts(value)

    def _note(self, *words: object) -> None:
        self.sha256.update("\0".join(map(str, words)).encode(errors="surrogatepass") + b"\1")

    def _visit_parts(self, value: Any) -> None:
        for kind, parts in PARTS:
            if isinstance(value, kind):
                self._visit_all(parts(value))
                return
        if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType) and _is_installed(value):
            self._note("installed", value.__module__, value.__qualname__)
        elif isinstance(value, types.FunctionType):
            self._visit_function(value)
        elif isinstance(value, type):
            members = {name: each for name, each in vars(value).items() if name not in {"__dict__", "__weakref__"}}
            self._visit_all([value.__qualname__, value.__bases__, members])
        elif isinstance(value, types.ModuleType):
            self._visit_module(value)
        else:
            self._visit_instance(value)

    def _visit_all(self, values: Any) -> None:
        values = list(values)
        self._note("parts", len(values))
        for each in values:
            self.visit(each)

    def _visit_function(self, function: types.FunctionType) -> None:
        cells = [_content(cell) for cell in function.__closure__ or ()]
        self._visit_all([function.__code__, function.__defaults__, function.__kwdefaults__, cells, vars(function)])
        self._visit_all(part for item in sorted(globals_of(function).items()) for part in item)

    def _visit_module(self, module: types.ModuleType) -> None:
        file = getattr(module, "__file__", None)
        if _is_installed_module(module.__name__) or not file or not Path(file).is_file():
            self._note("module", module.__name__)
        else:
            self._note("file", hashlib.sha256(Path(file).read_bytes()).hexdigest())

    def _visit_instance(self, value: Any) -> None:
        try:
            array = np.asarray(value) if hasattr(value, "__array__") else None
        except Exception:  # noqa: BLE001 - a symbolic tensor has no content
            array = None
        if array is not None and array.dtype != object:
            self._note("array", array.dtype, array.shape, hashlib.sha256(array.tobytes()).hexdigest())
        elif hasattr(value, "__dict__") and (_is_plain(type(value)) or not _is_installed(type(value))):
            numbered = {"name"} if _is_plain(type(value)) else set()  # Keras counts the instances
            self._visit_all([type(value), {key: each for key, each in vars(value).items() if key not in numbered}])
        else:
            self._note("opaque", _token(value))


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return None


def _token(value: Any) -> str:
    return _opaque.setdefault(id(value), (value, uuid4().hex))[1]


def _is_plain(kind: type) -> bool:
    """Return whether the attributes of an installed class say everything about an instance: Keras' losses do."""
    return any(
        base.__module__.startswith("keras.") and base.__name__ in {"Loss", "DTypePolicy"} for base in kind.__mro__
    )


def _is_installed(thing: Any) -> bool:
    return _is_installed_module(getattr(thing, "__module__", None) or "builtins")


def _is_installed_module(name: str) -> bool:
    """Return whether a module belongs to Python, to an installed package or to lossbench, by name and version."""
    top = name.partition(".")[0]
    if top == "__main__":
        return False
    if top in sys.stdlib_module_names or top == "lossbench":
        return True
    file = getattr(sys.modules.get(top), "__file__", None)
    if not file:
        return top in sys.builtin_module_names
    return any(Path(sysconfig.get_path(key)) in Path(file).parents for key in ("purelib", "platlib"))
