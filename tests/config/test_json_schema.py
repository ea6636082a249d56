"""The schema for editors takes what the configuration takes, and refuses what it refuses."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from lossbench.config.dump import dump
from lossbench.config.json_schema import json_schema
from lossbench.config.resolve import from_mapping
from lossbench.errors import ConfigError


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    """A validator of configurations."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


VALID: list[dict[str, Any]] = [
    {},
    {"name": None, "seed": 3, "loss": "focal"},
    {"loss": {"name": "gce", "q": 0.5}},
    {"loss": [{"name": "ce", "weight": 2}, "mae"]},
    {"data": "fashion_mnist"},
    {"data": {"normalize": {"mean": 0, "std": 1}, "label_noise": {"rate": 0.1}, "imbalance": {"counts": [1, 2]}}},
    {"model": "cnn"},
    {"model": {"hidden": [8], "head": "cosine", "initializer": "he_normal"}},
    {"model": {"name": "cnn", "initializer": {"convolution": "he_uniform", "dense": {"name": "random_normal"}}}},
    {"optimizer": {"name": "sgd", "schedule": {"name": "piecewise", "boundaries": [3]}}},
    {"model": {"head": {"name": "adaptive", "cutoffs": [4, 7]}}},
    {"optimizer": {"schedule": "cosine"}},
    {"train": {"early_stopping": {"patience": 1}}},
]

INVALID: list[dict[str, Any]] = [
    {"los": "focal"},
    {"loss": "focl"},
    {"loss": {"name": "focal", "gama": 1}},
    {"loss": {"name": "focal", "gamma": -1}},
    {"name": "../x"},
    {"seed": -1},
    {"model": "mpl"},
    {"model": {"name": "cnn", "hidden": [3]}},
    {"model": {"hidden": 256}},
    {"train": {"epochs": 0}},
    {"train": None},
    {"optimizer": {"schedule": "cos"}},
    {"data": {"normalize": "units"}},
]


@pytest.mark.parametrize("mapping", VALID, ids=str)
def test_what_is_valid_is_valid_for_both(mapping: dict[str, Any], validator: jsonschema.Draft202012Validator) -> None:
    """Short forms and complete ones alike."""
    assert list(validator.iter_errors(mapping)) == []
    assert list(validator.iter_errors(dump(from_mapping(mapping)))) == []


@pytest.mark.parametrize("mapping", INVALID, ids=str)
def test_what_is_wrong_is_wrong_for_both(mapping: dict[str, Any], validator: jsonschema.Draft202012Validator) -> None:
    """An editor underlines what the command would refuse."""
    assert not validator.is_valid(mapping)
    with pytest.raises(ConfigError):
        from_mapping(mapping)


def test_a_file_may_extend_others(validator: jsonschema.Draft202012Validator) -> None:
    """One or several."""
    assert validator.is_valid({"extends": "a.yaml"})
    assert validator.is_valid({"extends": ["a.yaml", "b.yaml"]})


def test_every_reference_leads_somewhere() -> None:
    """And nothing of the records behind shows through."""
    text = str(schema := json_schema())
    assert "LossTerm" not in text
    assert {part.split("'")[0] for part in text.split("#/$defs/")[1:]} <= set(schema["$defs"])


def test_every_key_has_a_description() -> None:
    """An editor shows it beside the key."""
    schema = json_schema()
    mappings = [schema, *schema["$defs"].values()]
    assert [
        (mapping.get("title"), key)
        for mapping in mappings
        for key, value in mapping["properties"].items()
        if "description" not in value and "$ref" not in value and key != "name"
    ] == []
