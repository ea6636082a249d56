"""Output of all commands: the only functions that print, so that text from a file never becomes a control sequence."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
_LINES = re.compile(r"([\n\t])")


_status: list[str] = []
"""The status line that a terminal shows at the moment; empty if there is none."""


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether stdout or stderr is a terminal; None is one that was closed before lossbench started."""
    return stream is not None and stream.isatty()


@contextmanager
def status(sentence: str, *, quiet: bool = False) -> Iterator[None]:
    """Show a sentence on a terminal until something else is printed or the block ends; nothing in pipes and CI."""
    if not quiet and is_terminal(sys.stderr) and not os.environ.get("CI"):
        clear_status()
        _status.append(sentence)
        sys.stderr.write(plain(f"{sentence} …")[: max(1, width() - 1)])
        sys.stderr.flush()
    try:
        yield
    finally:
        clear_status()


def clear_status() -> None:
    """Remove the status line, if there is one."""
    if _status:
        _status.clear()
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()


def result(text: object, *, end: str = "\n", to: TextIO | None = None) -> None:
    """Print the result of a command to stdout."""
    clear_status()
    typer.echo(plain(text) + end, nl=False, file=to)


def rendered(text: str) -> None:
    """Print text rendered by rich to stdout; colours are the only control sequences that pass."""
    clear_status()
    pieces = _COLOUR.split(text)
    shown = (piece if number % 2 else plain(piece) for number, piece in enumerate(pieces))
    typer.echo("".join(shown), nl=False, color=True)


def note(text: object, *, to: TextIO | None = None) -> None:
    """Print a message to stderr."""
    clear_status()
    typer.echo(plain(text), file=to or sys.stderr)


def sentences(text: str) -> None:
    """Print messages to stderr, one per line of the text, broken at the width of the terminal."""
    lines = (textwrap.wrap(line, width(), break_long_words=False, break_on_hyphens=False) for line in text.splitlines())
    note("\n".join("\n".join(each) for each in lines))


def width() -> int:
    """Return the columns of the terminal; 80 where there is none, COLUMNS if it is set."""
    return shutil.get_terminal_size().columns


def plain(text: object) -> str:
    """Return text with its lines and tabs; every other unprintable character becomes a Python escape."""
    return "".join(line if line.isprintable() or line in "\n\t" else _escaped(line) for line in _LINES.split(str(text)))


def _escaped(line: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in line)
