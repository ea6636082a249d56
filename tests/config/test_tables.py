"""The tables of choices: models, optimisers, schedules, heads, initialisers, methods of a sweep."""

import pytest

from lossbench.config.merge import CHOICES as MERGED
from lossbench.config.schema import Experiment
from lossbench.config.section import Choice


def leaves(section):
    """Return the sections that nothing is derived from."""
    return [leaf for child in section.__subclasses__() for leaf in (leaves(child) or [child])]


CHOICES = [section for section in leaves(Choice) if section.__module__.startswith("lossbench.")]


@pytest.mark.parametrize("section", CHOICES, ids=lambda section: section.__name__)
def test_every_choice_can_be_chosen(section):
    """A section that no union names is out of reach of every configuration."""
    file = section.__module__.removeprefix("lossbench.").replace(".", "/")
    reason = f"{section.__name__} cannot be chosen: add it to the union at the end of its family in {file}.py"
    assert section.__name__ in Experiment.model_json_schema()["$defs"], reason


@pytest.mark.parametrize("section", CHOICES, ids=lambda section: section.__name__)
def test_every_choice_describes_itself_and_its_keys(section):
    """The docstrings of a section and below its keys are the help."""
    assert section.__doc__, f"{section.__name__} has no docstring"
    for key, field in section.model_fields.items():
        assert key == "name" or field.description, f"{section.__name__}.{key} has no docstring below it"


def discriminated(schema, definitions, path=()):
    """Yield every path where `name` selects one of several mappings."""
    if "$ref" in schema:
        yield from discriminated(definitions[schema["$ref"].rpartition("/")[2]], definitions, path)
    for form in schema.get("anyOf", ()) or schema.get("oneOf", ()):
        yield from discriminated(form, definitions, path)
    if "discriminator" in schema:
        yield path
    for key, value in schema.get("properties", {}).items():
        yield from discriminated(value, definitions, (*path, key))


def test_merging_knows_every_choice():
    """Another name replaces a choice with all its keys, wherever it is in a configuration."""
    schema = Experiment.model_json_schema()
    found = set(discriminated(schema, schema["$defs"]))
    assert ("model", "initializer", "dense") in found
    assert found <= MERGED.keys(), f"config/merge.py: CHOICES lacks {found - MERGED.keys()}"
