"""A configuration in a few words: what is switched on, section by section."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.report.formatting import clean
from lossbench.runs.rows import typed_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECTIONS = ("data", "model", "optimizer", "regularization", "train")


def settings_by_section(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the loss with all its hyperparameters, then each section without null, false and zero."""
    phrases = {"loss": phrase(config.get("loss"), everything=True)}
    phrases |= {name: phrase(config.get(name)) for name in SECTIONS}
    return {name: text for name, text in phrases.items() if text}


def phrase(value: object, *, everything: bool = False) -> str:
    """Return a mapping as `mlp · hidden [256] · head cosine (scale 30)`, a weighted list as a sum."""
    match value:
        case dict():
            return " · ".join(_parts(value, everything=everything))
        case list() if all(isinstance(item, dict) for item in value):
            return " + ".join(phrase(item, everything=everything) for item in value)
        case None:
            return ""
        case _:
            return _scalar(value)


def _parts(mapping: Mapping[str, Any], *, everything: bool) -> Iterator[str]:
    for key, value in mapping.items():
        if key in {"name", "type"} and value is not None:
            yield _scalar(value)
        elif isinstance(value, dict):
            inner = list(_parts(value, everything=everything))
            named = inner[:1] if value.keys() & {"name", "type"} else []
            rest = [f"({', '.join(inner[len(named) :])})"] if inner[len(named) :] else []
            if inner:
                yield " ".join([_key(key), *named, *rest])
        elif value or everything:
            yield f"{_key(key)} {_scalar(value)}" if value is not True else _key(key)


def _key(key: object) -> str:
    return clean(key if isinstance(key, str) else typed_json(key))


def _scalar(value: object) -> str:
    match value:
        case bool() | None | list():
            return clean(typed_json(value))
        case float():
            return f"{value:g}"
        case _:
            return clean(value)
