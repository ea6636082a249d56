"""Faster imports: what is hidden, postponed and deferred behaves as if it had been imported as usual."""

from __future__ import annotations

import gc
import subprocess
import sys
import typing
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from lossbench import imports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = {
    "__init__.py": "from deep.api import late, broken, twin\n",
    "api/__init__.py": "",
    "api/late.py": "import deep\ndeep.executed = 'late'\nvalue = 3\n",
    "api/broken.py": "import deep\ndeep.attempts = getattr(deep, 'attempts', 0) + 1\nraise RuntimeError('broken')\n",
    "api/twin.py": "from deep.twin import value\n",
    "twin/__init__.py": "value = 5\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a package that imports its public modules; one has a namesake in the package."""
    for name, text in FILES.items():
        path = tmp_path / "deep" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield "deep"
    for name in [each for each in sys.modules if each.partition(".")[0] == "deep"]:
        del sys.modules[name]


def test_a_deferred_module_is_executed_at_its_first_use(package: str) -> None:
    """Not by its import; afterwards it is a module like any other."""
    with imports.deferred(f"{package}.api"):
        deep = import_module(package)
    assert not hasattr(deep, "executed")
    assert (deep.late.value, deep.executed) == (3, "late")
    assert not hasattr(deep.late, "other")
    assert type(deep.late) is type(sys)


def test_each_use_of_a_module_that_cannot_be_executed_raises_its_error(package: str) -> None:
    """As an import that fails is attempted again by the next one."""
    with imports.deferred(f"{package}.api"):
        deep = import_module(package)
    for attempts in (1, 2):
        with pytest.raises(RuntimeError, match="broken"):
            _ = deep.broken.value
        assert deep.attempts == attempts


def test_an_import_of_a_namesake_does_not_replace_a_public_module(package: str) -> None:
    """The public module imports it, so it is executed at once, before it is assigned."""
    with imports.deferred(f"{package}.api"):
        deep = import_module(package)
    import_module(f"{package}.twin")
    assert (deep.twin.__name__, deep.twin.value) == ("deep.api.twin", 5)


def test_modules_are_imported_as_usual_afterwards(package: str) -> None:
    """The finder is gone."""
    with imports.deferred(f"{package}.api"):
        pass
    with pytest.raises(RuntimeError, match="broken"):
        import_module(package)


def test_a_postponed_class_is_imported_when_it_is_called() -> None:
    """The module is not, until then; and no stand-in stays among the modules."""
    code = (
        "import sys; from lossbench import imports\n"
        "with imports.postponed({'fractions': ['Fraction']}):\n"
        "    from fractions import Fraction\n"
        "print('fractions' in sys.modules, Fraction(2, 4), Fraction(2, denominator=4).numerator)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False 1/2 1\n"


def test_a_module_that_is_imported_already_is_not_postponed() -> None:
    """Its class is the real one."""
    import fractions

    with imports.postponed({"fractions": ["Fraction"]}):
        assert import_module("fractions") is fractions


def test_a_hidden_package_cannot_be_imported_until_the_end() -> None:
    """Those imported before stay."""
    name = "this"
    assert name not in sys.modules
    with imports.hidden([name, "json"]):
        import_module("json")
        with pytest.raises(ImportError):
            import_module(name)
    assert name not in sys.modules


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_searched_again_afterwards_if_it_was_before(enabled: bool) -> None:  # noqa: FBT001 - parametrised
    """Within the block it is not."""
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with imports.uncollected():
            assert not gc.isenabled()
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if was else gc.disable)()


def test_constraints_are_those_of_python() -> None:
    """Names too; within the block, Python 3.11 compiles each name once."""
    create: Any = typing.TypeVar
    constraints = ("package.Name", "package.Other", int)
    usual = create("T", *constraints).__constraints__
    with imports.shared_constraints():
        first, second = (create("T", *constraints).__constraints__ for _ in range(2))
    afterwards = create("T", *constraints).__constraints__
    assert first == second == afterwards == usual
    assert first[0] is second[0]
    assert sys.version_info >= (3, 12) or afterwards[0] is not first[0]


SURVEY = """
import sys
from lossbench import ops
if sys.argv[1] == "lossbench":
    ops.claim_process()
ops.quiet_keras()
import tensorflow as tf
from tensorflow.python.framework import ops as framework
modules = {name: value for name, value in vars(tf).items() if isinstance(value, type(sys))}
names = {f"{name}.{inner}" for name, module in modules.items() for inner in (getattr(module, "any", 0), dir(module))[1]}
names |= {f"gradient of {name}" for name in framework.gradient_registry.list()}
print(*sorted(name for name in names if "__" not in name), sep="\\n")
"""


@pytest.mark.slow
def test_tensorflow_has_the_same_names_and_gradients_in_a_process_of_lossbench() -> None:
    """As where it is imported as usual, once its modules are used; then it writes nothing that a user need not know."""
    usual, quick = (
        subprocess.run([sys.executable, "-c", SURVEY, which], capture_output=True, text=True, check=True)
        for which in ("program", "lossbench")
    )
    assert usual.stdout.count("\n") > 2000
    assert quick.stdout.splitlines() == usual.stdout.splitlines()
    assert quick.stderr == ""
