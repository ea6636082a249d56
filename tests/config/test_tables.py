"""The tables of choices: models, optimisers, schedules, heads, initialisers, methods of a sweep."""

import pytest

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
