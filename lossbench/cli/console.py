"""Output of all commands: the only functions that print, so that text from a file never becomes a control sequence."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from typing import TextIO

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
_LINES = re.compile(r"([\n\t])")


def result(text: object, *, end: str = "\n", to: TextIO | None = None) -> None:
    """Print the result of a command to stdout."""
    typer.echo(plain(text) + end, nl=False, file=to)


def rendered(text: str) -> None:
    """Print text rendered by rich to stdout; colours are the only control sequences that pass."""
    pieces = _COLOUR.split(text)
    shown = (piece if number % 2 else plain(piece) for number, piece in enumerate(pieces))
    typer.echo("".join(shown), nl=False, color=True)


def note(text: object, *, to: TextIO | None = None) -> None:
    """Print a message to stderr."""
    typer.echo(plain(text), file=to or sys.stderr)


def width() -> int:
    """Return the columns of the terminal; 80 where there is none, COLUMNS if it is set."""
    return shutil.get_terminal_size().columns


def plain(text: object) -> str:
    """Return text with its lines and tabs; every other unprintable character becomes a Python escape."""
    return "".join(line if line.isprintable() or line in "\n\t" else _escaped(line) for line in _LINES.split(str(text)))


def _escaped(line: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in line)
