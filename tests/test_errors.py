"""The table of exit codes, and suggestions for unknown words."""

import inspect
import re

import pytest

from lossbench import errors
from lossbench.cli.compare import compare
from lossbench.cli.verify import verify
from lossbench.errors import InterruptedRunError, LossbenchError, did_you_mean

CLASSES = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, LossbenchError)]
CODES = {each.exit_code for each in CLASSES}


def test_the_tree_in_the_docstring_is_the_hierarchy():
    """Every class with its parent and its exit code; a new error without a line fails here."""
    lines = re.findall(r"^    ([│├└─ ]*)(\w+Error) +(\S+) ", errors.__doc__, re.MULTILINE)
    above, drawn = {}, {}
    for branch, name, code in lines:
        depth = len(branch) // 4
        above[depth] = name
        drawn[name] = (above.get(depth - 1, "Exception"), code)
    expected = {
        each.__name__: (each.__base__.__name__, "128+n" if each is InterruptedRunError else str(each.exit_code))
        for each in CLASSES
    }
    assert drawn == expected, "the tree in the docstring of lossbench/errors.py is not the hierarchy of its classes"


@pytest.mark.parametrize("command", [compare, verify])
def test_the_exit_codes_in_the_help_are_those_of_errors(command):
    """A code that no error has is a mistake in the help."""
    named = re.search(r"[Ee]xit codes?[: is]*(.*)", command.__doc__)[1]
    assert {int(code) for code in re.findall(r"(?:^|· )(\d)\b", named)} <= CODES | {0}


KNOWN = ("gamma", "alpha", "glorot_uniform", "glorot_normal", "Focal.yaml")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("gama", "gamma"),
        ("GAMMA", "gamma"),
        ("focal.yml", "Focal.yaml"),
        ("glorot", "glorot_normal"),
        ("uniform", "glorot_uniform"),
        (7, None),
        ("a", None),
        ("", None),
        ("entirely different", None),
    ],
)
def test_the_nearest_known_word_is_suggested(word, expected):
    """A part of a word comes before a likeness, case does not count, and nothing near is no suggestion."""
    suggestion = f"; did you mean {expected!r}?" if expected else ""
    assert did_you_mean(word, KNOWN) == suggestion
