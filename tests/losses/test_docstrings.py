"""Every loss documents itself in the same layout, and its example runs."""

import doctest
import importlib
import inspect
import pkgutil
import re

import keras
import pytest

import lossbench.losses
from lossbench.losses import keras_loss, listing, registry
from lossbench.losses.expression import RESERVED, canonical
from lossbench.losses.signature import REQUIRED

NAMES = tuple(registry.signatures())
every_loss = pytest.mark.parametrize("name", NAMES)

LAYOUT = re.compile(
    r"\A[A-Z0-9].+\.\n"  # one sentence
    r"\n(?: {4}\S.*\n)+"  # formula
    r"(?:\n(?:\S.*\n)+)*?"  # prose
    r"\nLink: (?:softmax|sigmoid|none)\.\n"
    r"(?:Aliases: (?:\w+, )*\w+\.\n)?"
    r"\nArgs:\n(?: {4}.+\n)+"
    r"\nReturns:\n(?: {4}.+\n)+"
    r"(?:\nRaises:\n(?: {4}.+\n)+)?"
    r"\nExample:\n(?: {4}.+\n)+"
    r"\nSource: (?:.+\n)*.+[.?]\Z"
)
SECTIONS = "summary (one sentence), formula (indented), Link, Aliases, Args, Returns, Raises, Example, Source"

PAPER = re.compile(
    r"\S.* \((?:18|19|20)\d\d\)\. "  # authors and year
    r"\S.*[^.?](?:\. |\? )"  # title
    r"(?:arXiv:\d{4}\.\d{4,5}|doi:10\.\d{4,}/\S+|(?:JMLR|NeurIPS|ESANN) \d+:\d+-\d+|OpenReview:\w+)"
)
"""Authors (year). Title. Identifier: arXiv, DOI, or where there is neither, volume and pages or OpenReview's id."""
FRAMEWORK = re.compile(r"(?:keras\.losses|torch\.nn|optax\.losses)\.\w+")
"""The name in the framework's documentation."""


@every_loss
def test_layout(name: str) -> None:
    """The sections of a docstring have one order and form."""
    assert LAYOUT.search(registry.find(name).docstring), (
        f"the docstring of {name} does not have the sections of the other losses, in this order: {SECTIONS}"
    )


@every_loss
def test_sources_have_one_format(name: str) -> None:
    """A source is `Authors (year). Title. arXiv:id` or `doi:id`, or a name in a framework's documentation."""
    source = registry.find(name).source
    assert source, f"{name} has no source: end its docstring with `Source: Authors (year). Title. arXiv:id.`"
    for each in source.split("; "):
        assert PAPER.fullmatch(each) or FRAMEWORK.fullmatch(each), (
            f"the source of {name}, {each!r}, should read `Authors (year). Title. arXiv:id` (or `doi:id`), "
            "or name a loss as its framework documents it, e.g. `keras.losses.Huber`"
        )
        if each.startswith("keras.losses."):
            assert hasattr(keras.losses, each.removeprefix("keras.losses.")), f"Keras has no {each}"


@every_loss
def test_record_is_complete(name: str) -> None:
    """Nothing that tables and listings show is empty."""
    signature = registry.find(name)
    assert all([signature.summary, signature.formula, signature.source, signature.link])
    assert "Link" not in signature.formula
    assert all(hyperparameter.description for hyperparameter in signature.hyperparameters.values())


@every_loss
def test_hyperparameters_are_keyword_only_with_valid_defaults(name: str) -> None:
    """Every hyperparameter has a default that its own annotation accepts, and no name that the engine owns."""
    signature = registry.find(name)
    parameters = list(inspect.signature(signature.function).parameters.values())
    assert [parameter.name for parameter in parameters[:2]] == ["y_true", "y_pred"]
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters[2:])
    for hyperparameter in signature.hyperparameters.values():
        assert hyperparameter.default is not REQUIRED
        assert canonical(hyperparameter, hyperparameter.default) == hyperparameter.default
        assert hyperparameter.name not in RESERVED
        assert not hyperparameter.expected.startswith("a value")


@every_loss
def test_docstring_is_longer_than_the_code(name: str) -> None:
    """A body reads as its equation: few lines, and more docstring than code."""
    source = inspect.getsource(registry.find(name).function)
    docstring = registry.find(name).docstring.count("\n") + 1
    body = source.split('"""')[2].strip().splitlines()
    assert len(body) <= 6
    assert len(body) < docstring


@pytest.mark.parametrize(
    "module", [*(f"lossbench.losses.catalogue.{family}" for family in registry.FAMILIES), keras_loss.__name__]
)
def test_examples_run(module: str) -> None:
    """The examples print what they say."""
    results = doctest.testmod(importlib.import_module(module))
    assert results.failed == 0
    assert results.attempted > 0


@every_loss
def test_every_loss_has_an_example(name: str) -> None:
    """The example calls the loss that it belongs to."""
    assert re.search(rf">>> .*\b{name}\(", registry.find(name).docstring)


def test_names_are_unique() -> None:
    """No identifier, alias or preset says two things, and none hides a module of the package."""
    names = registry.names()
    modules = {module.name for module in pkgutil.iter_modules(lossbench.losses.__path__)}
    assert len(names) == len(set(names))
    assert not modules & set(names)


@every_loss
def test_function_form(name: str) -> None:
    """`from lossbench.losses import focal` is the function."""
    assert getattr(lossbench.losses, name) is registry.find(name).function
    assert name in dir(lossbench.losses)


def test_table_has_a_row_for_every_loss() -> None:
    """The README's table names each loss, its aliases, and each hyperparameter with its default."""
    rows = listing.table().splitlines()[2:]
    assert len(rows) == len(NAMES)
    for name, row in zip(NAMES, rows, strict=True):
        signature = registry.find(name)
        assert row.startswith(f"| `{name}`")
        assert row.count("|") == 5
        assert all(f"`{alias}`" in row for alias in signature.aliases)
        assert all(f"{hyperparameter} = " in row for hyperparameter in signature.hyperparameters)
