"""Annotations that fit the defaults of hyperparameters, and values of the type of a default."""

from __future__ import annotations

from collections import abc
from copy import copy
from enum import Enum
from types import GenericAlias, MappingProxyType, NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from lossbench import ops
from lossbench.losses.plain_data import is_of_numpy
from lossbench.losses.values import WHOLE_OR_NOT, FromFile, dtype_of, is_array, is_numpy_array

TYPES = {bool: bool, int: WHOLE_OR_NOT, float: float, str: str, NoneType: Any, type: Any}
"""Annotations that fit defaults of these types; `type` is that of no default."""


def type_of(default: object) -> Any:
    """Return the annotation that fits a default: its type, any number for an integer, else whatever YAML can express.

    A list, tuple, set or mapping of floats takes integers as floats; each also accepts any other value.
    """
    if is_of_numpy(default) and not is_array(type(default)):
        return type_of(default.tolist())  # type: ignore[attr-defined]  # a number of NumPy
    if type(default) in TYPES:
        return TYPES[type(default)]
    if isinstance(default, list | tuple | abc.Set | abc.Mapping):
        return _type_of_container(default)
    if is_array(type(default)):
        return _type_of_array(default)
    return type(default) if isinstance(default, Enum) else FromFile()


def _type_of_array(default: Any) -> Any:
    """Return the annotation that fits an array or a tensor: entries of its type, and floats too for integers."""
    import numpy as np

    kind = type(default)
    try:
        dtype = default.dtype if is_numpy_array(kind) else np.dtype(ops.dtype(default))
    except (AttributeError, TypeError, ValueError):  # of a type that NumPy does not have
        return kind
    if dtype.kind not in "biufc" or dtype == (float if is_numpy_array(kind) else np.float32):
        return kind
    same_entries = GenericAlias(kind, (Any, GenericAlias(np.dtype, (dtype.type,))))
    return Union[same_entries, kind] if dtype.kind in "iu" else same_entries  # noqa: UP007  # `|` takes only types


def _type_of_container(default: Any) -> Any:
    entries = [type_of(entry) for entry in (default.values() if isinstance(default, abc.Mapping) else default)]
    if any(isinstance(entry, FromFile) for entry in entries):
        return FromFile()
    entry: Any = entries[0] if entries and all(each == entries[0] for each in entries) else Any
    if isinstance(default, abc.Mapping):
        return Union[dict[Any, entry], Any]  # noqa: UP007  # `|` takes only types
    kind = tuple[entry, ...] if isinstance(default, tuple) else list[entry] if isinstance(default, list) else set[entry]
    return Union[kind, Any]  # noqa: UP007  # `|` takes only types


def with_entries_of(default: Any, annotation: Any) -> Any:
    """Return an annotation whose arrays have the entries of a default that is an array, where it names none."""
    kind, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType):
        return Union[tuple(with_entries_of(default, member) for member in arguments)]  # noqa: UP007  # `|` takes only types
    fits = is_array(kind) and isinstance(default, kind) and dtype_of(arguments) is None
    return type_of(default) if fits else annotation


def like(default: Any, value: Any) -> Any:
    """Return a container as one of the type of a default: a `defaultdict` with its factory, a named tuple, a set."""
    if isinstance(default, abc.MutableMapping) and isinstance(value, dict) and type(default) is not dict:
        made = copy(default)
        made.clear()
        made.update(value)
        return made
    if isinstance(default, MappingProxyType) and isinstance(value, dict):
        return MappingProxyType(value)
    if isinstance(default, frozenset) and isinstance(value, set):
        return frozenset(value)
    if isinstance(default, tuple) and hasattr(default, "_fields") and type(value) is tuple:
        return type(default)(*value) if len(value) == len(default) else value
    return value
