"""Every loss documents itself in the same layout, and its example runs."""

import doctest
import importlib
import inspect
import pkgutil
import re

import keras
import pytest

import lossbench.losses
from lossbench.losses import catalogue, keras_loss, listing, registry
from lossbench.losses.expression import RESERVED, canonical
from lossbench.losses.signature import REQUIRED

NAMES = tuple(registry.signatures())
every_loss = pytest.mark.parametrize("name", NAMES)

SECTIONS = {
    "a summary of one sentence": r"\A[A-Z0-9].+\.\n",
    "a formula, indented": r"\n(?: {4}\S.*\n)+(?:\n(?:\S.*\n)+)*?",
    "`Link: softmax.`, `sigmoid` or `none`": r"\nLink: (?:softmax|sigmoid|none)\.\n(?:Aliases: (?:\w+, )*\w+\.\n)?",
    "`Args:`": r"\nArgs:\n(?: {4}.+\n)+",
    "`Returns:`, then `Raises:` if it raises": r"\nReturns:\n(?: {4}.+\n)+(?:\nRaises:\n(?: {4}.+\n)+)?",
    "`Example:`": r"\nExample:\n(?: {4}.+\n)+",
    "`Source: Authors (year). Title. arXiv:id.`": r"\nSource: (?:.+\n)*.+[.?]\Z",
}
"""The sections of a docstring in their order: prose may follow the formula."""

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
    docstring, pattern = registry.find(name).docstring + "\n", ""
    for section, next_pattern in SECTIONS.items():
        pattern += next_pattern
        assert re.search(pattern.replace(r"\Z", r"\n\Z"), docstring), (
            f"the docstring of {name} lacks {section} in its place; the order is {', '.join(SECTIONS)}"
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
    assert "Link" not in signature.formula
    for hyperparameter in signature.hyperparameters.values():
        assert hyperparameter.description, f"{name}: describe {hyperparameter.name!r} in the section Args"


UNBOUNDED = {("ldr_kl", "margin")}
"""Numbers of any size."""


@every_loss
def test_hyperparameters_have_types_ranges_and_defaults(name: str) -> None:
    """A hyperparameter is keyword-only, its default is valid, numbers have a range, and the name is free."""
    signature = registry.find(name)
    parameters = inspect.signature(signature.function).parameters
    assert [*parameters][:2] == ["y_true", "y_pred"], f"the first parameters of {name} should be y_true and y_pred"
    for parameter in [*parameters.values()][2:]:
        assert parameter.kind is parameter.KEYWORD_ONLY, f"{name}: put {parameter.name!r} after a `*`"
        assert parameter.annotation is not parameter.empty, (
            f"{name}: annotate {parameter.name!r} with its type and range, e.g. `Annotated[float, Gt(0), Le(1)]`"
        )
    for key, hyperparameter in signature.hyperparameters.items():
        assert hyperparameter.default is not REQUIRED, f"{name}: give {key!r} a default"
        assert canonical(hyperparameter, hyperparameter.default) == hyperparameter.default
        assert key not in RESERVED, f"{name}: rename {key!r}, which the notation of `loss:` uses"
        assert not hyperparameter.expected.startswith("a value"), f"{name}: {key!r} has a type that YAML cannot set"
        number = hyperparameter.type in ("a number", "a whole number")
        assert hyperparameter.range or not number or (name, key) in UNBOUNDED, (
            f"{name}: {key!r} has no range; annotate it, e.g. `Annotated[float, Gt(0), Le(1)]`"
        )


def test_every_file_of_the_catalogue_is_registered() -> None:
    """FAMILIES names each file of the catalogue, and no other."""
    files = {module.name for module in pkgutil.iter_modules(catalogue.__path__) if not module.name.startswith("_")}
    assert files == set(registry.FAMILIES), (
        "add each file of lossbench/losses/catalogue/ to FAMILIES in lossbench/losses/registry.py; they differ in "
        f"{', '.join(files ^ set(registry.FAMILIES))}"
    )


@every_loss
def test_docstring_is_longer_than_the_code(name: str) -> None:
    """A body reads as its equation: few lines, and more docstring than code."""
    source = inspect.getsource(registry.find(name).function)
    docstring = registry.find(name).docstring.count("\n") + 1
    body = source.split('"""')[2].strip().splitlines()
    assert len(body) <= min(6, docstring), f"move part of {name}, {len(body)} lines, to a function of its own"


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
    found = re.search(rf">>> .*\b{name}\(", registry.find(name).docstring)
    assert found, f"the docstring of {name} has no example: add `Example:` with a line `>>> {name}(...)` and its value"


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
