"""Scalars of YAML 1.2's core schema: which unquoted text is null, a boolean, an integer or a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_NUMBER_LENGTH = 64
"""Characters; Python takes quadratic time to read an integer."""


@dataclass(frozen=True)
class ScalarType:
    """A type of unquoted scalar.

    Attributes:
        tag: YAML's tag, e.g. `tag:yaml.org,2002:int`.
        pattern: Matches the whole text of every scalar of this type.
        construct: Returns the value of a text that `pattern` matches.
    """

    tag: str
    pattern: re.Pattern[str]
    construct: Callable[[str], Any]


def parse(text: str) -> Any:
    """Return the value of an unquoted scalar: None, a bool, an int, a float, or the text itself.

    Raises:
        ValueError: It is a number of more than `MAX_NUMBER_LENGTH` characters.

    Example:
        >>> [parse(text) for text in ("~", "True", "010", "0x1f", "1e-3", "no", "12:30")]
        [None, True, 10, 31, 0.001, 'no', '12:30']
    """
    for each in TYPES:
        if each.pattern.match(text):
            return each.construct(text)
    return text


def _integer(text: str) -> int:
    _check_length(text)
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _float(text: str) -> float:
    _check_length(text)
    return float(re.sub(r"\.(?=[a-zA-Z])", "", text) if text[-1].isalpha() else text)


def _check_length(text: str) -> None:
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(f"a number of {len(text)} characters; {MAX_NUMBER_LENGTH} are the limit")


def _type(name: str, pattern: str, construct: Callable[[str], Any]) -> ScalarType:
    return ScalarType(f"tag:yaml.org,2002:{name}", re.compile(rf"(?:{pattern})\Z"), construct)


TYPES = (
    _type("null", "~|null|Null|NULL|", lambda _: None),
    _type("bool", "true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
    _type("int", "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", _integer),
    _type(
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        _float,
    ),
)
