"""Scalars are those of YAML 1.2, for both readers and for the writer."""

from __future__ import annotations

import math

import pytest

from lossbench import yaml_scalars
from lossbench.config import dump, yaml
from lossbench.runs import plain_yaml

SCALARS = [
    ("1e-3", 0.001),
    ("1E3", 1000.0),
    (".5", 0.5),
    ("2.", 2.0),
    ("-1", -1),
    ("+7", 7),
    ("010", 10),
    ("0o17", 15),
    ("0xff", 255),
    ("1_000", "1_000"),
    ("0b1", "0b1"),
    ("12:30", "12:30"),
    ("2024-01-01", "2024-01-01"),
    ("no", "no"),
    ("on", "on"),
    ("yes", "yes"),
    ("true", True),
    ("False", False),
    ("~", None),
    ("null", None),
    ("", None),
    ("none", "none"),
    (".inf", math.inf),
    ("-.Inf", -math.inf),
    ("=", "="),
]

READERS = {
    "configuration": lambda text: yaml.parse(text, "f.yaml").plain(),
    "run folder": plain_yaml.parse,
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize(("text", "expected"), SCALARS)
def test_scalars_mean_what_yaml_1_2_says(text, expected, read):
    """A scalar is read by YAML 1.2's core schema, type and all."""
    actual = read(f"key: {text}")["key"]
    assert (actual, type(actual)) == (expected, type(expected))


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_nan_is_a_float(read):
    """`.nan` is read, so that ranges can refuse it."""
    assert math.isnan(read("key: .nan")["key"])


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("text", dict(SCALARS))
def test_text_that_looks_like_another_type_is_quoted(text, read):
    """What is written as text is read as text."""
    assert read(f"key: {dump.scalar(text)}") == {"key": text}


@pytest.mark.parametrize("text", ["9" * 65, "0." + "9" * 64, "0x" + "f" * 70])
def test_a_long_number_is_refused(text):
    """64 characters are the limit, in one sentence."""
    with pytest.raises(ValueError, match=f"^a number of {len(text)} characters; 64 are the limit$"):
        yaml_scalars.parse(text)
