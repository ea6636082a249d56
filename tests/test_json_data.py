"""Canonical values and JSON text."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from lossbench.json_data import canonical, to_json


def test_nan_is_null_and_numpy_values_are_plain() -> None:
    """NaN and infinities become null at any depth; arrays become lists and paths text."""
    value = {"a": [math.nan, {"b": np.float32(math.inf)}], "c": np.int64(3), "d": np.array([1.5, math.nan])}
    assert json.loads(to_json(value | {"e": Path("x"), 1: ("é",)})) == {
        "a": [None, {"b": None}],
        "c": 3,
        "d": [1.5, None],
        "e": "x",
        "1": ["é"],
    }


@pytest.mark.parametrize(
    ("indent", "ensure_ascii", "expected"), [(None, False, '["é"]\n'), (1, True, '[\n "\\u00e9"\n]\n')]
)
def test_layout(indent: int | None, *, ensure_ascii: bool, expected: str) -> None:
    """Text ends with a line break; indentation and escapes are the caller's choice."""
    assert to_json(["é"], indent=indent, ensure_ascii=ensure_ascii) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.0, "2"),
        (0.5, "0.5"),
        (True, "True"),
        ({"a": [1e3, (3.0,)]}, "{'a': [1000, [3]]}"),
        (math.inf, "inf"),
        ("2.0", "'2.0'"),
    ],
)
def test_whole_floats_are_integers(value: object, expected: str) -> None:
    """2 and 2.0 are one setting at any depth; booleans, text and infinities stay."""
    assert repr(canonical(value)) == expected
