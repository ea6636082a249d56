"""Modules beside a user's file: imported with it and by it alone, and hashed with it."""

import hashlib
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossbench.errors import PluginError
from lossbench.losses import binding, expression, plugin, registry

Y_TRUE = np.eye(3, dtype="float32")
Y_PRED = np.array([[1, 0, -1], [0, 0, 0], [2, 1, 0]], dtype="float32")
HELPER = "def scale(x):\n    return {factor} * x\n"


def write(folder: Path, **files: str) -> Path:
    """Write files by name; return the plugin."""
    for name, source in files.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    return folder / "mine.py"


def loss(head: str, body: str) -> str:
    """The source of a plugin whose loss is `body`, a function of `y_pred`."""
    return f"{head}\n\n\ndef mine(y_true, y_pred):\n    {body}\n"


def value() -> float:
    """The loss `mine` of the first image, whose first logit is 1."""
    return float(np.asarray(binding.bind(expression.parse("mine"))(Y_TRUE, Y_PRED))[0])


PICKED = "return scale(y_pred[:, 0])"
PACKAGE = {"helpers/__init__": "from .core import scale\n", "helpers/core": HELPER.format(factor=3)}
FORMS: dict[str, tuple[dict[str, str], set[str]]] = {
    "from": ({"mine": loss("from helper import scale", PICKED), "helper": HELPER.format(factor=3)}, {"helper.py"}),
    "import as": (
        {"mine": loss("import helper as h", "return h.scale(y_pred[:, 0])"), "helper": HELPER.format(factor=3)},
        {"helper.py"},
    ),
    "in the function": (
        {"mine": loss("", f"from helper import scale\n    {PICKED}"), "helper": HELPER.format(factor=3)},
        {"helper.py"},
    ),
    "by a computed name": (
        {
            "mine": loss("import importlib\nscale = importlib.import_module('help' + 'er').scale", PICKED),
            "helper": HELPER.format(factor=3),
        },
        {"helper.py"},
    ),
    "through another": (
        {
            "mine": loss("from first import scale", PICKED),
            "first": "from helper import scale\n",
            "helper": HELPER.format(factor=3),
        },
        {"first.py", "helper.py"},
    ),
    "package": (
        {"mine": loss("from helpers import scale", PICKED), **PACKAGE},
        {"helpers/__init__.py", "helpers/core.py"},
    ),
    "module of a package": (
        {"mine": loss("import helpers.core", "return helpers.core.scale(y_pred[:, 0])"), **PACKAGE},
        {"helpers/__init__.py", "helpers/core.py"},
    ),
    "module from a package": (
        {"mine": loss("from helpers import core", "return core.scale(y_pred[:, 0])"), **PACKAGE},
        {"helpers/__init__.py", "helpers/core.py"},
    ),
    "folder without __init__": (
        {"mine": loss("from helpers.core import scale", PICKED), "helpers/core": HELPER.format(factor=3)},
        {"helpers/core.py"},
    ),
}


@pytest.mark.parametrize(("files", "imported"), FORMS.values(), ids=FORMS)
def test_a_module_beside_the_file_is_imported_and_hashed(
    files: dict[str, str], imported: set[str], tmp_path: Path
) -> None:
    """Every form of import works; another content gives another hash and another loss; nothing is left behind."""
    path, modules, searched = write(tmp_path, **files), set(sys.modules), list(sys.path)
    before = plugin.load(path)
    assert set(before.imports) == imported
    assert before.sha256 != hashlib.sha256(path.read_bytes()).hexdigest()
    assert value() == 3
    assert {"helper", "helpers", "helpers.core", "first"}.isdisjoint(set(sys.modules) - modules)
    assert (sys.path, list(tmp_path.rglob("__pycache__"))) == (searched, [])
    changed = next(tmp_path / each for each in imported if "3 *" in (tmp_path / each).read_text())
    changed.write_text(changed.read_text().replace("3 *", "5 *"))
    os.utime(changed, ns=(1, 1))
    after = plugin.load(path)
    assert after.sha256 != before.sha256
    assert value() == 5


def test_a_file_alone_keeps_its_hash(tmp_path: Path) -> None:
    """Files beside it that it does not import do not count."""
    path = write(tmp_path, mine=loss("import math", "return y_pred[:, 0]"), helper="1 / 0\n")
    loaded = plugin.load(path)
    assert (loaded.sha256, loaded.imports) == (hashlib.sha256(path.read_bytes()).hexdigest(), {})


def test_plugins_do_not_share_modules(tmp_path: Path) -> None:
    """Two plugins, each with a `helper` of its own, at the same time."""
    for name, factor in (("one", 2), ("two", 7)):
        (tmp_path / name).mkdir()
        source = loss("", "import helper\n    return helper.scale(y_pred[:, 0])").replace("mine", name)
        plugin.load(write(tmp_path / name, mine=source, helper=HELPER.format(factor=factor)))
    found = [
        float(np.asarray(binding.bind(expression.parse(name))(Y_TRUE, Y_PRED))[0]) for name in ("one", "two", "one")
    ]
    assert found == [2, 7, 2]


def test_each_execution_has_modules_of_its_own(tmp_path: Path) -> None:
    """What a module beside the file keeps is gone when the file is executed again."""
    source = loss("import helper", "helper.calls.append(1)\n    return len(helper.calls) + 0 * y_pred[:, 0]")
    plugin.load(write(tmp_path, mine=source, helper="calls = []\n"))
    first = [value(), value()]
    plugin.execute_again(expression.parse("mine"))
    assert first == [1, 2]
    assert value() == 1


@pytest.mark.parametrize("name", ["random", "numpy", "yaml"])
def test_a_file_does_not_replace_what_python_finds_elsewhere(name: str, tmp_path: Path) -> None:
    """The standard library and installed packages come first, whether they have been imported before or not."""
    source = loss(
        f"import {name}", f"assert {name}.__name__ == '{name}' and not hasattr({name}, 'here')\n    return y_pred[:, 0]"
    )
    loaded = plugin.load(write(tmp_path, mine=source, **{name: "here = True\n"}))
    assert (value(), loaded.imports) == (1, {})


def test_a_module_that_python_finds_in_the_same_place_is_one_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder may be on `sys.path`, and the module imported already: the plugin still gets a copy of its own."""
    path = write(tmp_path, mine=loss("from helper import scale", PICKED), helper=HELPER.format(factor=3))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "helper", raising=False)
    outside = importlib.import_module("helper")
    outside.scale = None
    assert set(plugin.load(path).imports) == {"helper.py"}
    assert value() == 3
    assert sys.modules.pop("helper") is outside


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "relative": (
        {"mine": loss("from .helper import scale", PICKED), "helper": HELPER},
        r"mine\.py:1: ImportError: .*import a file beside this one without dots",
    ),
    "error in it": (
        {"mine": loss("from helper import scale", PICKED), "helper": "x = 1\ny = 1 / 0\n"},
        r"helper\.py:2: ZeroDivisionError",
    ),
    "syntax": (
        {"mine": loss("from helper import scale", PICKED), "helper": "x = 1\ndef f(:\n"},
        r"helper\.py:2: SyntaxError",
    ),
    "not in it": (
        {"mine": loss("from helper import scale", PICKED), "helper": ""},
        r"mine\.py:1: ImportError: cannot import",
    ),
    "nowhere": (
        {"mine": loss("import nothing_at_all", PICKED)},
        r"mine\.py:1: ModuleNotFoundError: .*: install it, or put nothing_at_all\.py beside the file",
    ),
    "not in a package": (
        {"mine": loss("import helpers.nothing", PICKED), "helpers/__init__": ""},
        r"mine\.py:1: ModuleNotFoundError: No module named 'helpers\.nothing'",
    ),
    "hidden by an installed one": (
        {"mine": loss("from yaml import scale", PICKED), "yaml": HELPER},
        r"ImportError: .*the module 'yaml' that Python finds is not the one beside the file, which needs another name",
    ),
    "too large": (
        {"mine": loss("from helper import scale", PICKED), "helper": "#" * (1 << 20) + "\n"},
        r"helper\.py: expected a Python file of at most 1 MiB",
    ),
}


@pytest.mark.parametrize(("files", "message"), BAD.values(), ids=BAD)
def test_a_module_that_cannot_be_used_is_an_error_with_its_place(
    files: dict[str, str], message: str, tmp_path: Path
) -> None:
    """One line, with the file and line where it failed."""
    with pytest.raises(PluginError, match=message) as caught:
        plugin.load(write(tmp_path, **files))
    assert "\n" not in str(caught.value)


def test_a_late_computed_name_is_refused(tmp_path: Path) -> None:
    """Such a module has not been hashed."""
    body = "import importlib\n    return importlib.import_module('help' + 'er').scale(y_pred[:, 0])"
    plugin.load(write(tmp_path, mine=loss("", body), helper=HELPER))
    with pytest.raises(PluginError, match=r"helper\.py is imported by a computed name; write `import helper`"):
        value()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_module_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    """Its path and the system's reason."""
    path = write(tmp_path, mine=loss("from helper import scale", PICKED), helper=HELPER)
    (tmp_path / "helper.py").chmod(0)
    with pytest.raises(PluginError, match=r"helper\.py: cannot be read: Permission denied"):
        plugin.load(path)


PRINTS = {
    "print": "print('chatter')",
    "write": "sys.stdout.write('chatter')",
    "stream": "print('chatter', file=stdout)",
    "to stderr": "print('chatter', file=sys.stderr)",
}


@pytest.mark.parametrize("statement", PRINTS.values(), ids=PRINTS)
def test_what_a_users_code_prints_goes_to_stderr(
    statement: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """While the file is imported, while a loss is built, while it is called; in modules beside it too."""
    source = (
        f"import sys\nfrom sys import stdout\nimport helper\n{statement}\n\n\ndef mine(factor=1):\n    {statement}\n\n"
        f"    def loss(y_true, y_pred):\n        {statement}\n        return factor * y_pred[:, 0]\n\n    return loss\n"
    )
    plugin.load(write(tmp_path, mine=source, helper=f"import sys\nfrom sys import stdout\n{statement}\n"))
    assert value() == 1
    out, err = capfd.readouterr()
    assert (out, err.count("chatter")) == ("", 4)


def test_names_of_a_changed_file_replace_the_old_ones(tmp_path: Path) -> None:
    """As in a notebook, where a file is edited and loaded again."""
    path = write(tmp_path, mine=loss("", "return y_pred[:, 0]"))
    plugin.load(path)
    path.write_text(loss("", "return 2 * y_pred[:, 0]") + loss("", "return 3 * y_pred[:, 0]").replace("mine", "other"))
    assert plugin.load(path).names == ("mine", "other")
    assert value() == 2
    path.write_text(loss("", "return 4 * y_pred[:, 0]"))
    assert plugin.load(path).names == ("mine",)
    assert "other" not in registry.signatures()
