"""`lossbench explain`: the glossary in the terminal."""

from __future__ import annotations

import sys
import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from lossbench.cli import completion, console

if TYPE_CHECKING:
    from lossbench.guide.glossary import Entry

WIDEST = 100
"""Columns; longer lines are hard to read."""

NARROWEST = 20
"""Columns that the beginning of an explanation needs."""


def explain(
    term: Annotated[
        str | None,
        typer.Argument(metavar="TERM", help="The term, e.g. ECE, Holm or ±.", autocompletion=completion.terms),
    ] = None,
) -> None:
    """Explain a term that lossbench prints, such as ECE, p, paired or undecided; without a term, list all."""
    from lossbench.guide import glossary

    width = min(console.width(), WIDEST)
    if term is not None:
        console.result(_paragraph(glossary.find(term), width))
        return
    for subject, members in groupby(glossary.entries(), lambda entry: entry.subject):
        console.result(f"{subject}\n" + "\n".join(_line(each, width) for each in members) + "\n")
    if console.is_terminal(sys.stdout):
        console.note("`lossbench explain TERM` explains one of them.")


def _paragraph(entry: Entry, width: int) -> str:
    text = textwrap.fill(entry.text.replace("`", ""), width)
    also = textwrap.fill(f"also: {', '.join(entry.aliases)}", width) if entry.aliases else ""
    return "\n".join(filter(None, (entry.term, text, also)))


def _line(entry: Entry, width: int) -> str:
    """Return a term and the beginning of its explanation in one line; only the term where there is no room."""
    term = f"  {entry.term:<26}"
    room = width - len(term)
    if room < NARROWEST:
        return term.rstrip()
    return term + textwrap.shorten(entry.summary.replace("`", ""), room, placeholder=" …")
