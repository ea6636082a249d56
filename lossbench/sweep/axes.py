"""Axes of the command line: overrides whose values are separated by commas."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lossbench.config import yaml
from lossbench.config.overrides import is_within, key_of
from lossbench.config.sweep import values_of
from lossbench.config.yaml import Node, Position, show
from lossbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def axis(text: str) -> tuple[str, Node]:
    """Return the key that an override sets, and its values as a list, often of one."""
    key, value = (part.strip() for part in text.split("=", 1))
    position, values = Position(f"command line: {show(text)}"), values_of(text) or [value]
    if is_within(key, "sweep"):
        written = f'"{value}"' if key.endswith("seeds") else f"[{value}]"
        raise ConfigError([f"{position}: the comma makes an axis, but no trial has {key}; write '{key}={written}'"])
    return key, Node([yaml.parse_value(each, position, (key,)) for each in values], position)


@contextmanager
def commas_explained(axes: Sequence[str]) -> Iterator[None]:
    """Add to an error which of the overrides that it names may have become an axis by mistake, because of a comma."""
    try:
        yield
    except (ConfigError, DataError) as error:
        named = [text for text in axes if text.partition("=")[0].strip() in str(error) and _may_be_one_value(text)]
        if not named:
            raise
        lines = [str(error), *map(_comma, named)]
        if isinstance(error, ConfigError):
            raise ConfigError(lines, error.problems) from None
        raise DataError("\n".join(lines)) from None


def _may_be_one_value(text: str) -> bool:
    """Return whether the comma may belong to the value: a folder, or parts that are no words, numbers or mappings."""
    is_plain = re.compile(r"[\w.+-]+|[\[{].*|'.*'|\".*\"")
    return key_of(text) == "data.path" or not all(is_plain.fullmatch(part.strip()) for part in values_of(text))


def _comma(text: str) -> str:
    key, _, value = text.partition("=")
    quoted = f"{key}='\"{value}\"'"
    return (
        f"command line: {show(text)}: the comma made an axis of {len(values_of(text))} values; "
        f"a value that contains a comma is quoted: {quoted}"
    )
