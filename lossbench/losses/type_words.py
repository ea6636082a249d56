"""Annotations of hyperparameters in words: `a number` and `in (0, 1]`, `a list of 3 numbers`."""

from __future__ import annotations

from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from lossbench.losses.values import MAPPINGS, FromFile, dtype_of, is_any, is_array

if TYPE_CHECKING:
    from collections.abc import Iterable


_KINDS = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "text",
    NoneType: "null",
    list: "a list",
    tuple: "a list",
}


def type_and_range(annotation: Any) -> tuple[str, str]:
    """Return type and range of an annotation in words: `("a number", "(0, 1]")`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_and_range(arguments[0])[0], _interval(arguments[1:])
    if origin is Literal:
        return "one of", ", ".join(map(str, arguments))
    if origin in (Union, UnionType):
        if set(arguments) == {int, float} or any(map(is_any, arguments)):
            return "a number" if int in arguments else "a value", ""
        (kind, range_), *others = dict.fromkeys(map(type_and_range, arguments))
        return kind, ", ".join(filter(None, (range_, *(f"or {other}" for other, _ in others))))
    return _words(origin or annotation, arguments), ""


def _words(kind: Any, arguments: tuple[Any, ...]) -> str:
    """Return the type of an annotation in words, without its range."""
    if words := _container_words(kind, arguments):
        return words
    if isinstance(kind, FromFile):
        return "the value that the file sets, as YAML cannot express its type"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"one of {', '.join(str(member.value) for member in kind)}"
    return _KINDS.get(kind, "a mapping" if kind in MAPPINGS else "a value")


def _container_words(kind: Any, arguments: tuple[Any, ...]) -> str:
    """Return the type of a list, array or mapping with entries of a known type in words, otherwise nothing."""
    if is_array(kind):
        dtype = dtype_of(arguments)
        return _list_of(_KINDS[{"b": bool, "i": int, "u": int}.get(dtype.kind, float) if dtype else float])
    entries = [type_and_range(each)[0] for each in arguments if each is not Ellipsis]
    if kind is tuple and entries and arguments[-1] is not Ellipsis:
        same_entries = len(set(entries)) == 1 and entries[0] in _PLURALS
        words = _PLURALS[entries[0]] if same_entries else f"entries ({', '.join(entries)})"
        return f"a list of {len(entries)} {words}"
    if kind in (tuple, list) and entries:
        return _list_of(entries[0])
    parts = [
        f"{_ADJECTIVES[each]} {name}"
        for each, name in zip(entries, ("keys", "values"), strict=False)
        if each in _ADJECTIVES
    ]
    return f"a mapping with {' and '.join(parts)}" if kind in MAPPINGS and parts else ""


_PLURALS = {"a number": "numbers", "a whole number": "whole numbers", "true or false": "true or false", "text": "texts"}
_ADJECTIVES = {"a number": "number", "a whole number": "whole-number", "true or false": "true-or-false", "text": "text"}


def _list_of(entry: str) -> str:
    if entry == "a number":
        return "a list with one number per class"
    return f"a list of {_PLURALS[entry]}" if entry in _PLURALS else "a list"


def _interval(constraints: Iterable[Any]) -> str:
    """Return the bounds of an annotation in words, those inside pydantic's `Field` too: `> 0`, `≥ 0`, `(0, 1]`."""
    marks = [mark for constraint in constraints for mark in getattr(constraint, "metadata", [constraint])]
    bound = {sign: getattr(mark, sign) for mark in marks for sign in ("gt", "ge", "lt", "le") if hasattr(mark, sign)}
    lower = next(((text, bound[sign]) for sign, text in (("gt", "("), ("ge", "[")) if sign in bound), None)
    upper = next(((bound[sign], text) for sign, text in (("lt", ")"), ("le", "]")) if sign in bound), None)
    if lower and upper:
        return f"{lower[0]}{lower[1]:g}, {upper[0]:g}{upper[1]}"
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    return " ".join(f"{signs[sign]} {value:g}" for sign, value in bound.items())
