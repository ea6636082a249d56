"""Forms of `loss:` that are understood but not accepted, and how to write them: for error messages only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lossbench import yaml_scalars
from lossbench.losses.other_names import HYPERPARAMETERS
from lossbench.losses.plain_data import to_flow
from lossbench.losses.presets import PRESETS
from lossbench.losses.registry import built_in, find, names
from lossbench.losses.signature import INPUT_FORMS
from lossbench.losses.suggestion import same_name

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME_KEYS = ("name", "type", "loss", "function", "fn", "kind", "id", "class", "class_name", "loss_name")
"""Keys that hold the name of a loss in other tools, and here."""

ENTRY_KEYS = ("name", "weight", "term_weight", "reduction", "from_logits", *INPUT_FORMS)
"""Keys of an entry that are never names of losses, whatever losses there are."""

NESTED_KEYS = ("params", "parameters", "hyperparameters", "args", "arguments", "kwargs", "options", "config")
"""Keys that hold the hyperparameters in other tools."""

DEFAULT = "categorical_crossentropy"
"""Loss of a configuration that names none, which is therefore no loss that the user wrote."""

_TERM = re.compile(
    r"(?:(?P<weight>\d+(?:\.\d+)?)\s*[*·x]?\s*)?(?P<name>[A-Za-z]\w*)(?P<keys>(?:[\s,(]+\w+\s*=\s*[^\s,()=]+)*)\s*\)?"
)


def right_form(value: object) -> str:
    """Return how to write a loss that was written in another form, as YAML; empty if the form is not recognised.

    Example:
        >>> right_form({"ce": 0.5, "gce": 0.5})
        '[{name: ce, weight: 0.5}, {name: gce, weight: 0.5}]'
        >>> right_form({"focal": {"gamma": 3}}), right_form("focal(gamma=3)"), right_form("ce + gce")
        ('{name: focal, gamma: 3}', '{name: focal, gamma: 3}', '[{name: ce}, {name: gce}]')
    """
    if isinstance(value, list | tuple):
        entries = [to_flow(entry) if _is_right(entry) else right_form(entry) or _pair(entry) for entry in value]
        return f"[{', '.join(entries)}]" if all(entries) and not all(map(_is_right, value)) else ""
    terms = _from_text(value) if isinstance(value, str) else _from_mapping(value) if isinstance(value, Mapping) else []
    written = ", ".join(map(to_flow, terms))
    return f"[{written}]" if len(terms) > 1 else written


def _is_right(entry: object) -> bool:
    if isinstance(entry, Mapping):
        return _is_loss(entry.get("name")) and not _nested_keys(entry)
    return _is_loss(entry)


def _nested_keys(entry: Mapping[Any, Any]) -> list[str]:
    return [key for key in NESTED_KEYS if isinstance(entry.get(key), Mapping)]


def _pair(entry: object) -> str:
    """Return the form of `[ce, 0.5]`."""
    match entry:
        case [name, weight] if _is_loss(name) and _is_number(weight):
            return to_flow({"name": name, "weight": weight})
    return ""


def _from_text(text: str) -> list[dict[str, Any]]:
    """Return the terms of `0.5 ce + 0.5 gce`, `focal gamma=3` or `focal(gamma=3)`."""
    found = [_TERM.fullmatch(part.strip()) for part in re.split(r"\s*(?:\+|,(?![^(]*[=)]))\s*", text)]
    if text in names() or not all(term and term["name"] in names() for term in found):
        return []
    return [
        {"name": term["name"]}
        | ({"weight": _scalar(term["weight"])} if term["weight"] else {})
        | {key: _scalar(given) for key, given in re.findall(r"(\w+)\s*=\s*([^\s,()=]+)", term["keys"])}
        for term in found
        if term
    ]


def _scalar(text: str) -> Any:
    with suppress(ValueError):
        return yaml_scalars.parse(text)
    return text


def _from_mapping(value: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """Return the terms of a mapping whose keys are losses, or that names its loss in another way than by `name`."""
    if nested := _nested_keys(value):
        flat = {key: each for key, each in value.items() if key not in nested}
        flat |= {str(key): each for outer in nested for key, each in value[outer].items()}
        return _from_mapping(flat) or ([flat] if flat.get("name", DEFAULT) != DEFAULT and _is_right(flat) else [])
    name = str(value.get("name", DEFAULT))
    if not _here(name):
        return _from_text(name)
    own = {key: each for key, each in value.items() if key in (*ENTRY_KEYS, *_hyperparameters(_here(name)))}
    others = {key: each for key, each in value.items() if key not in (*NAME_KEYS, *own)}
    losses = {key: _here(key) for key in others if _here(key)}
    if not losses:
        other = next((key for key in NAME_KEYS[1:] if _here(value.get(key))), None)
        return [{"name": _here(value[other]), **others}] if other else []
    terms = [{"name": here, **_keys(value[key])} for key, here in losses.items()]
    is_sum = any(not isinstance(value[key], Mapping) for key in losses)  # {gamma: 3} says which loss is meant
    if name != DEFAULT and is_sum and _here(name) not in losses.values():
        return [own, *terms]
    return terms if len(terms) > 1 else [{**terms[0], **{key: others[key] for key in others if key not in losses}}]


def _hyperparameters(name: str) -> Iterable[str]:
    return () if isinstance(PRESETS.get(name), list) else find(name).hyperparameters


def _keys(value: object) -> dict[str, Any]:
    """Return what the value of a loss's name says: a weight, or keys."""
    if isinstance(value, Mapping):
        return {str(key): each for key, each in value.items() if key != "name"}
    return {"weight": value} if _is_number(value) else {}


def _is_loss(value: object) -> bool:
    return isinstance(value, str) and value in names()


def _here(name: object) -> str:
    """Return a name that `loss:` accepts, also for the same name in another spelling; empty if there is none."""
    if not isinstance(name, str) or name in HYPERPARAMETERS:
        return ""
    if any(name in signature.hyperparameters for signature in built_in().values()):
        return ""
    return name if name in names() else same_name(name, names())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
