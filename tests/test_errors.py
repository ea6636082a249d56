"""The table of exit codes, and suggestions for unknown words."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from lossbench import errors
from lossbench.cli.compare import compare
from lossbench.cli.options import message
from lossbench.cli.verify import verify
from lossbench.errors import InterruptedRunError, LossbenchError, UsageError, did_you_mean

PACKAGE = Path(errors.__file__).parent
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


KNOWN = ("loss.beta", "model.beta_scale", "gamma", "alpha", "glorot_uniform", "glorot_normal", "Focal.yaml")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("gama", "gamma"),
        ("GAMMA", "gamma"),
        ("beta", "loss.beta"),
        ("Beta", "loss.beta"),
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


def raises(path):
    """The calls in a module that make an error, each as source."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Error"):
            yield node


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_an_error_declares_the_parameters_that_it_names_in_backquotes(path):
    """Else the command line would print the Python parameter and not its option."""
    for call in raises(path):
        texts = [
            each.value for each in ast.walk(call) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        named = {name for text in texts for name in re.findall(r"`([a-z_]+)`", text)}
        mentions = next((each.value for each in call.keywords if each.arg == "mentions"), ast.Tuple([], ast.Load()))
        assert named == set(ast.literal_eval(mentions)), f"{path}:{call.lineno}: write mentions={sorted(named)}"


def test_the_command_line_prints_options_and_leaves_the_users_text_alone():
    """A backquoted word that the user typed is not an option."""
    error = UsageError("got '`where`'; name it in `metrics`", parameter="sort", mentions=("metrics",))
    assert str(error) == "sort: got '`where`'; name it in `metrics`"
    assert message(error) == "--sort: got '`where`'; name it in --metric"
