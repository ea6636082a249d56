"""The group of all commands: a command's file is imported when the command runs, and Rich only to show help."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer.main
from typer.core import TyperCommand

from lossbench.cli.unknown_option import Command, CommandGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS = (
    "train",
    "sweep",
    "compare",
    "report",
    "show",
    "diff",
    "verify",
    "losses",
    "judge",
    "init",
    "validate",
    "config",
    "schema",
    "doctor",
    "constraints",
    "explain",
    "guide",
    "export",
)
"""Modules of this package in the order of the help; each has a function of its name, or `app` with commands."""


class Group(CommandGroup):
    """The commands of lossbench."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = _Commands()

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, for which the docstrings of the commands are enough."""
        commands, self.commands = self.commands, {name: _summary(name) for name in COMMANDS}
        try:
            super().format_help(ctx, formatter)
        finally:
            self.commands = commands


class _Commands(Mapping[str, Any]):
    """Commands by name, built on first use."""

    def __init__(self) -> None:
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        if name not in self._built:
            self._built[name] = _build(name)
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def _build(name: str) -> Any:
    function, app = _find(name)
    if app is None:
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command(cls=Command)(function)
    command: Any = typer.main.get_command(app)
    command.name = name
    return command


def _summary(name: str) -> TyperCommand:
    function, app = _find(name)
    return TyperCommand(name, help=inspect.getdoc(function) if app is None else app.info.help)


def _find(name: str) -> tuple[Any, Any]:
    module = import_module(f"lossbench.cli.{name}")
    return getattr(module, name, None), getattr(module, "app", None)
