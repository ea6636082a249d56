"""Error messages for invalid configurations: what was expected, what was found, what to write instead.

The messages are derived from the JSON Schema of the records, so that editors and messages never differ.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from lossbench.config.other_keys import OPTIONS, key_here
from lossbench.config.schema import Experiment
from lossbench.config.yaml import KeyPath, show
from lossbench.errors import Problem, did_you_mean
from lossbench.losses import registry
from lossbench.losses.other_names import HYPERPARAMETERS
from lossbench.losses.signature import INPUT_FORMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError

Schema: TypeAlias = dict[str, Any]

NOUNS = {
    "integer": ("a whole number", "whole numbers"),
    "number": ("a number", "numbers"),
    "string": ("text", "texts"),
    "boolean": ("true or false", "true or false"),
    "object": ("a mapping", "mappings"),
    "null": ("null", "null"),
}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
OLD_BOOLEANS = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def explain(error: ValidationError) -> list[Problem]:
    """Return the errors of pydantic as problems with their paths and messages."""
    return [_problem(item["type"], item["loc"], item["input"], item.get("ctx", {})) for item in error.errors()]


def dotted(path: KeyPath) -> str:
    """Return a path as on the command line, e.g. `train.epochs`; unusual keys are quoted."""
    return ".".join(part if re.fullmatch(r"[\w-]{1,60}", part) else show(part) for part in map(str, path))


def _problem(kind: str, loc: KeyPath, given: Any, context: dict[str, Any]) -> Problem:
    path, here, parent = _follow(loc)
    if kind == "extra_forbidden":
        return Problem(path, _unknown(path, parent))
    if kind == "value_error":
        return Problem(path, str(context["error"]))
    if kind == "union_tag_invalid":
        return Problem((*path, "name"), _expected(here, given["name"]))
    if kind == "union_tag_not_found":
        return Problem((*path, "name"), f"name is missing; expected {_describe(here)}")
    if kind == "missing":
        which = "type is missing" if path[-1] == "type" else "missing"
        return Problem(path, f"{which}; expected {_describe(here)}")
    return Problem(path, _expected(here, given))


@cache
def _schema() -> Schema:
    return Experiment.model_json_schema()


def _resolve(schema: Schema) -> Schema:
    """Return `schema` with references followed and the alternative `null` removed."""
    if "$ref" in schema:
        return _resolve(_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return _resolve(next(item for item in schema["anyOf"] if item.get("type") != "null"))
    return schema


def _follow(loc: KeyPath) -> tuple[KeyPath, Schema, Schema]:
    """Return the location without the tags of pydantic, the schema there, and the schema of the enclosing mapping."""
    path: KeyPath = ()
    here = parent = _schema()
    for part in loc:
        outer = _resolve(here)
        if "oneOf" in outer:  # the part is pydantic's tag: a name, or a form's index
            reference = outer.get("discriminator", {}).get("mapping", {}).get(part)
            member = {"$ref": reference} if reference else outer["oneOf"][int(part)]
            here = member if "$ref" in member or "oneOf" in member else here
        else:
            path, parent = (*path, part), outer
            here = outer.get("items") or outer["properties"].get(part, {})
    return path, here, parent


def _unknown(path: KeyPath, parent: Schema) -> str:
    """Return the message for an unknown key, with a similar key or the valid keys."""
    key, keys = str(path[-1]), list(parent["properties"])
    owners = {name: None for where, name, others in _mappings() if where == path[:-1] and name and key in others}
    owner = parent["properties"].get("name", {}).get("const") or dotted(path[:-1])
    listed = ", ".join(keys if path[1:] else ["extends", *keys])
    takes = f"{owner} takes {listed}" if owner else f"The keys are {listed}"
    if owners:
        return f"unknown key for {owner}; {' and '.join(owners)} would take it"
    if key in OPTIONS:
        return f"unknown key; the option `{OPTIONS[key]}` sets it"
    if "." in key and key.partition(".")[0] in keys:
        return f"unknown key; only the command line and sweeps take dotted keys, here write {_nested(key)}"
    is_misplaced = key_here(key) or any(key in others for _, _, others in _mappings())
    if (near := did_you_mean(key, keys)) and not is_misplaced:
        return f"unknown key{near} {takes}"
    if here := find_key(key):
        return f"unknown key here; did you mean {here!r}?"
    return f"unknown key; {takes.replace('The', 'the', 1)}"


def find_key(key: str) -> str:
    """Return the dotted key that a misplaced key, or its name in other tools, has here; empty if there is none.

    Example:
        >>> find_key("epochs"), find_key("lr"), find_key("gamma"), find_key("zorp")
        ('train.epochs', 'optimizer.learning_rate', 'loss.gamma', '')
    """
    exact = min(((*where, key) for where, _, keys in _mappings() if key in keys), key=len, default=())
    known = {name for loss in registry.signatures().values() for name in loss.hyperparameters} | {
        *INPUT_FORMS,
        "weight",
    }
    renamed = next((name for name in (key, *HYPERPARAMETERS.get(key, ())) if name in known), None)
    if key in known and exact[:2] == ("sweep", "decide"):  # a loss takes it far more often
        exact = ()
    return dotted(exact) or key_here(key) or (f"loss.{renamed}" if renamed else "")


def _nested(key: str) -> str:
    """Return a dotted key as nested mappings: `loss: {gamma: …}`."""
    first, *others = key.split(".")
    return f"{first}: {''.join(f'{{{part}: ' for part in others)}…{'}' * len(others)}"


@cache
def _mappings() -> tuple[tuple[KeyPath, str, tuple[str, ...]], ...]:
    """Return every mapping of a configuration: its path, its name if it is a choice, and its keys."""
    return tuple(_walk(_schema(), ()))


def _walk(schema: Schema, path: KeyPath) -> Iterator[tuple[KeyPath, str, tuple[str, ...]]]:
    schema = _resolve(schema)
    for member in schema.get("oneOf", ()):
        yield from _walk(member, path)
    if keys := schema.get("properties"):
        yield path, keys.get("name", {}).get("const", ""), tuple(keys)
        for key, value in keys.items():
            yield from _walk(value, (*path, key))


def _expected(schema: Schema, given: Any) -> str:
    hint = did_you_mean(given, _names(schema)) if isinstance(given, str) else ""
    finite = isinstance(given, float) and not math.isfinite(given)
    return f"expected {_describe(schema, finite=finite)}, got {show(given)}{hint or _hint(schema, given)}"


def _hint(schema: Schema, given: Any) -> str:
    """Return a remedy for common mistakes, e.g. quotes around a number."""
    example = schema.get("description", "").partition("e.g. ")[2].rstrip(".")
    schema = _resolve(schema)
    kind, word = schema.get("type"), str(given).lower()
    number = isinstance(given, int | float) and not isinstance(given, bool)
    remedies = {
        "boolean": word in OLD_BOOLEANS and f"write {OLD_BOOLEANS[word]}",
        "string": number and f"write '{given}'",
        "array": number and schema.get("minItems", 1) == 1 and f"write [{given}]",
        "object": "leave the key out to have its defaults" if given is None else example and f"write e.g. {example}",
        "integer": isinstance(given, float) and given.is_integer() and f"write {int(given)}",
    }
    remedy = (_hint_for_number(schema, given) if kind in ("integer", "number") else "") or remedies.get(str(kind))
    return f"; {remedy}" if remedy else ""


def _hint_for_number(schema: Schema, given: Any) -> str:
    """Return a remedy for text in place of a number, and for a share in percent."""
    text = str(given)
    if isinstance(given, str) and re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", text):
        return "remove the quotes"
    if "seed" in schema.get("title", "").lower() and re.fullmatch(r"[0-9]+ *[-,] *[0-9][0-9, -]*", text):
        return f"several seeds: lossbench sweep `seeds` {text}"
    is_share = 1 in (schema.get("maximum"), schema.get("exclusiveMaximum"))
    percent = re.fullmatch(
        r"([0-9]{1,2}(?:\.[0-9]+)?) ?%" if isinstance(given, str) else r"([1-9][0-9](?:\.[0-9]+)?)", text
    )
    return f"write {float(percent[1]) / 100:g}" if percent and is_share else ""


def _names(schema: Schema) -> list[str]:
    """Return the words that `schema` accepts; a mapping without a name is shown as `{its, keys}`."""
    if "oneOf" in schema or "anyOf" in schema:
        return [name for item in schema.get("oneOf") or schema["anyOf"] for name in _names(item)]
    schema = _resolve(schema)
    if "oneOf" in schema:
        return _names(schema)
    name = schema.get("properties", {}).get("name", schema)
    if "const" in name or "enum" in name:
        return [name["const"]] if "const" in name else list(name["enum"])
    return ["{" + ", ".join(schema["properties"]) + "}"] if "properties" in schema else []


def _describe(schema: Schema, *, plural: bool = False, finite: bool = False) -> str:
    """Return in words which values `schema` accepts."""
    nullable = ", or null" if {"type": "null"} in schema.get("anyOf", []) else ""
    schema = _resolve(schema)
    if "oneOf" in schema or "enum" in schema or "const" in schema:
        return f"one of {', '.join(_names(schema))}{nullable}"
    if schema.get("type") == "array":
        least = f"at least {schema['minItems']} " if schema.get("minItems", 1) > 1 else ""
        return f"{'lists' if plural else 'a list'} of {least}{_describe(schema['items'], plural=True)}{nullable}"
    noun = NOUNS[schema["type"]][plural]
    bounds = " and ".join(f"{sign} {show(schema[bound])}" for bound, sign in BOUNDS.items() if bound in schema)
    return f"{noun.replace('number', 'finite number') if finite else noun} {bounds}".rstrip() + nullable
