"""All that commands print: the one way to the terminal, on which no text from a file becomes a control sequence."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from typing import TextIO

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


def result(text: object, *, end: str = "\n", to: TextIO | None = None) -> None:
    """Print what was asked for, to stdout."""
    typer.echo(plain(text) + end, nl=False, file=to)


def drawn(text: str) -> None:
    """Print to stdout what rich has drawn, with its colours and nothing else that is not text."""
    pieces = _COLOUR.split(text)
    shown = (piece if number % 2 else plain(piece) for number, piece in enumerate(pieces))
    typer.echo("".join(shown), nl=False, color=True)


def note(text: object, *, to: TextIO | None = None) -> None:
    """Print anything else, to stderr."""
    typer.echo(plain(text), file=to or sys.stderr)


def plain(text: object) -> str:
    """Lines of text, and tabs; what a terminal would obey, and whatever else is not printable, as Python writes it."""
    return "".join(each if each.isprintable() or each in "\n\t" else _escaped(each) for each in str(text))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
