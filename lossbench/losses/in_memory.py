"""Losses of a running Python program: functions, classes, instances and partials in place of a loss's name.

Such a loss joins the catalogue under its own name. Its identity is a digest of its code and of everything that the code
refers to, so that two functions of one name never share a run folder.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from lossbench.errors import LossbenchError, PluginError
from lossbench.losses import registry
from lossbench.losses.code_digest import digest, globals_of
from lossbench.losses.forms import read_loss
from lossbench.losses.plugin import PluginLoaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def register_losses(config: Mapping[str, Any]) -> tuple[dict[str, Any], list[PluginLoaded]]:
    """Add the losses in a configuration to the catalogue, and put their names in their places.

    Args:
        config: The keys of a YAML file, with losses in memory anywhere in it.

    Returns:
        The configuration with names only, and a record per loss.

    Raises:
        PluginError: If an object is no loss.
    """
    found: dict[int, PluginLoaded] = {}
    return _replaced(dict(config), found), list(found.values())


def _replaced(value: Any, found: dict[int, PluginLoaded]) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(each, found) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(each, found) for each in value]
    if not callable(value):
        return value
    if id(value) not in found:
        found[id(value)] = _register(value, {name for each in found.values() for name in each.names})
    return found[id(value)].names[0]


def _register(loss: Any, taken: set[str]) -> PluginLoaded:
    """Add a loss to the catalogue, under a number if another loss has its name."""
    name, number = _name(loss), 1
    path = Path(f"{name} (in memory)")
    registry.replace(path, {})
    while name in taken or name in registry.names():
        number += 1
        name = f"{_name(loss)}_{number}"
        path = Path(f"{name} (in memory)")
        registry.replace(path, {})
    execution = InMemoryExecution(path, name, loss)
    with execution.active():
        signature = read_loss(name, loss, path)
    if signature is None:
        raise PluginError(
            f"{path}: no loss: expected a function (y_true, y_pred, *, hyperparameters), a function that defines and "
            "returns one, a subclass of keras.losses.Loss, or an instance of one"
        )
    registry.replace(path, {name: _with_execution(signature, execution)})
    registry.check_usable(name)
    return PluginLoaded(path, digest(loss), (name,), in_memory=loss)


def _with_execution(signature: Any, execution: InMemoryExecution) -> Any:
    from dataclasses import replace

    return replace(signature, execution=execution)


def _name(loss: Any) -> str:
    """Return the name of a loss: its own, or that of its class."""
    while isinstance(loss, partial):
        loss = loss.func
    name = getattr(loss, "__name__", None) or type(loss).__name__
    return str(name) if str(name).isidentifier() else "unnamed_loss"


class InMemoryExecution:
    """Stand-in for the execution of a user's file: the code of an object that is in no file that lossbench reads."""

    def __init__(self, path: Path, name: str, loss: Any) -> None:
        self.path, self.file = path, self
        code = loss.func if isinstance(loss, partial) else loss
        self.module = ModuleType(getattr(code, "__module__", None) or "__main__")
        vars(self.module).update({name: loss, **globals_of(code)})

    @property
    def modules(self) -> Mapping[str, ModuleType]:
        """A module with the loss and the globals that it refers to."""
        return {"": self.module}

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Let `print` write to stderr until the end of the block."""
        with redirect_stdout(sys.stderr):
            yield

    @contextmanager
    def active(self) -> Iterator[None]:
        """Run the user's code; its errors become a `PluginError`."""
        with self.surroundings():
            try:
                yield
            except LossbenchError:
                raise
            except (Exception, SystemExit) as error:
                words = " ".join(str(error).split())
                raise PluginError(f"{self.path}: {type(error).__name__}: {words}") from error

    @property
    def paths(self) -> set[str]:
        """Nothing: Python's own traceback shows those of a program."""
        return set()

    def lines(self, error: BaseException) -> list[str]:
        """Return no line: Python's own traceback shows those of a program."""
        del error
        return []
