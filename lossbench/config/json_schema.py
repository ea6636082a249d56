"""The JSON Schema of a configuration, for completion and validation in editors."""

from __future__ import annotations

from typing import Any

from lossbench.config.schema import VALID_NAME, Experiment
from lossbench.losses.json_schema import json_schema as loss_schema


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a configuration file, short forms included."""
    schema = _with_bare_names(Experiment.model_json_schema())
    definitions = schema.pop("$defs")
    _with_bare_types(definitions)
    loss = loss_schema()
    definitions |= loss.pop("$defs", {})
    bare_seeds = [{"type": "string"}, {"type": "integer"}]
    definitions["Sweep"]["properties"]["seeds"]["anyOf"] += bare_seeds
    tuning = definitions["Tune"]["properties"]
    tuning["seeds"] = {
        **{key: tuning["seeds"].pop(key) for key in ("description", "default")},
        "anyOf": [tuning["seeds"], *bare_seeds],
    }
    properties = schema.pop("properties")
    properties["loss"] = {"description": properties["loss"]["description"], **loss}
    datasets = definitions["Data"]["properties"]["name"]["enum"]
    properties["data"] = {
        "description": definitions["Data"]["description"],
        "anyOf": [{"enum": datasets}, properties["data"]],
    }
    properties["name"] |= {"type": ["string", "null"], "pattern": VALID_NAME, "default": None}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "lossbench configuration",
        "properties": {"extends": _extends(), **properties},
        "$defs": {name: part for name, part in definitions.items() if name != "LossTerm"},
    }


def _extends() -> dict[str, Any]:
    return {
        "description": "Another YAML file, or a list of them; the later one wins.",
        "default": None,
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}],
    }


def _with_bare_names(schema: Any) -> Any:
    """Return `schema` with the bare name allowed wherever a name selects one of several mappings."""
    if isinstance(schema, list):
        return [_with_bare_names(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: _with_bare_names(value) for key, value in schema.items()}
    if "discriminator" in schema:
        names = list(schema.pop("discriminator")["mapping"])
        schema["anyOf"] = [{"enum": names}, *schema.pop("oneOf")]
    elif "oneOf" in schema:
        schema["anyOf"] = schema.pop("oneOf")
    return schema


def _with_bare_types(definitions: dict[str, Any]) -> None:
    """Allow label noise and imbalance to be given by their type alone, and counts without a type."""
    definitions["Imbalance"].pop("required")
    for key, name in (("label_noise", "LabelNoise"), ("imbalance", "Imbalance")):
        types = definitions[name]["properties"]["type"]["enum"]
        definitions["Data"]["properties"][key]["anyOf"].append({"enum": types})
