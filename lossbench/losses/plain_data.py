"""Plain data, as YAML has them: scalars, lists, and mappings with scalar keys."""

from __future__ import annotations

import json
import math
import re
from collections import abc
from enum import Enum
from typing import TYPE_CHECKING, Any

from lossbench import yaml_scalars

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LEVELS = 16
"""Levels of lists and mappings in a value, within the 20 of a YAML file."""


Scalar = (bool, int, float, str, type(None))


def to_plain(value: Any, levels: int = MAX_LEVELS) -> Any:
    """Return a Python value as plain data that YAML can express: scalars, lists, and mappings with scalar keys.

    Raises:
        ValueError: YAML cannot express it.
    """
    if isinstance(value, Enum):
        return to_plain(value.value, levels)
    if is_of_numpy(value):
        return to_plain(value.tolist(), levels)
    if type(value) in Scalar and _is_readable(value):
        return value
    if levels and isinstance(value, list | tuple):
        return [to_plain(item, levels - 1) for item in value]
    if levels and isinstance(value, abc.Set):
        return sorted(
            (to_plain(item, levels - 1) for item in value), key=lambda item: (type(item).__name__, repr(item))
        )
    if levels and isinstance(value, abc.Mapping):
        return {to_plain(key, 0): to_plain(item, levels - 1) for key, item in value.items()}
    raise ValueError(f"YAML cannot express {type(value).__name__}")


def recorded(converted: Any, plain: Any) -> Any:
    """Return a converted value as plain data again, an array with the digits that were given, whatever its type.

    Raises:
        ValueError: YAML cannot express it.
    """
    if is_of_numpy(converted):
        return to_plain(converted if converted.dtype.kind == "b" else _as_floats(plain))
    if isinstance(plain, list) and isinstance(converted, list | tuple):
        return list(map(recorded, converted, plain))
    if isinstance(plain, dict) and isinstance(converted, dict):
        keys = [to_plain(key, 0) for key in converted]
        return dict(zip(keys, map(recorded, converted.values(), plain.values()), strict=True))
    return to_plain(converted)


def _as_floats(numbers: Any) -> Any:
    return list(map(_as_floats, numbers)) if isinstance(numbers, list) else float(numbers)


def is_of_numpy(value: object) -> bool:
    """Return whether a value is an array or a number of NumPy, which is not imported for the question."""
    return type(value).__module__ == "numpy" and hasattr(value, "tolist")


def _is_readable(value: object) -> bool:
    """Return whether YAML's number is read back: it is finite and not too long."""
    if isinstance(value, float):
        return math.isfinite(value)
    return type(value) is not int or len(str(value)) <= yaml_scalars.MAX_NUMBER_LENGTH


def same(a: Any, b: Any) -> bool:
    """Return whether plain data are equal, with equal types: 1, 1.0 and true differ."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(_typed(a), _typed(b), strict=True))
    return bool(a == b)


def _typed(mapping: dict[Any, Any]) -> list[list[Any]]:
    """Return the entries of a mapping in the order of their keys."""
    return [[key, mapping[key]] for key in sorted(mapping, key=lambda key: (type(key).__name__, repr(key)))]


def to_flow(value: Any, number: Callable[[Any], str] = json.dumps) -> str:
    """Return plain data as YAML on one line, with all digits.

    Example:
        >>> to_flow({0: 5.0, "mode": ["a b", "1", None]})
        "{0: 5.0, mode: [a b, '1', null]}"
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(to_flow(item, number) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{to_flow(key)}: {to_flow(item, number)}' for key, item in value.items())}}}"
    if not isinstance(value, str):
        return number(value)
    if re.search(r"[\[\]{},:#'\"\\]|^\s|\s$|^$|[^ -~]", value):
        return json.dumps(value, ensure_ascii=not value.isprintable())
    return value if isinstance(yaml_scalars.parse(value), str) else f"'{value}'"


def to_yaml(value: Any) -> str:
    """Return a hyperparameter in YAML, with all digits: `2`, `true`, `[1, 2.5]`, `{0: 5}`."""
    return to_flow(value, lambda number: json.dumps(number).removesuffix(".0"))


def whole_floats_as_integers(value: Any) -> Any:
    """Return plain data with 2 for 2.0."""
    if isinstance(value, list):
        return list(map(whole_floats_as_integers, value))
    if isinstance(value, dict):
        return {key: whole_floats_as_integers(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def has_typed_keys(value: Any) -> bool:
    """Return whether plain data have a mapping with keys that are not text, which JSON would make text."""
    if isinstance(value, dict):
        return any(not isinstance(key, str) or has_typed_keys(item) for key, item in value.items())
    return isinstance(value, list) and any(map(has_typed_keys, value))
