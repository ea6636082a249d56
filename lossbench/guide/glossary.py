"""The entries of the glossary page, by term and alias."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from lossbench import guide
from lossbench.errors import UsageError, did_you_mean

PAGE = "glossary"

_SUBJECT = re.compile(r"^## (.+)$", re.MULTILINE)
_TITLES = {
    r"(?<=.) ?[↑↓^]$": "",
    r"(?<=[a-z]) %$|(?<=f1) %$": "",
    r"^(δ|delta) .+": "Δ",
    r"^[0-9.]+ ?% interval$": "interval",
    r"( of |\.)[0-9]+( %)?$": "",
}
"""What titles of columns have in addition to a term, and its replacement."""

_ENTRY = re.compile(r"^\*\*([^*]+)\*\*(?: \(((?:[^()]|\n)+)\))?: (.+?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """A term, the subject under which it is listed, its other names, and its explanation in one paragraph."""

    term: str
    subject: str
    aliases: tuple[str, ...]
    text: str

    @property
    def summary(self) -> str:
        """Return the first sentence."""
        return re.split(r"(?<=\.) (?=[A-Z`])", self.text, maxsplit=1)[0]


def entries() -> list[Entry]:
    """Return every entry, in the order of the page."""
    _, *parts = _SUBJECT.split(guide.page(PAGE))
    return [
        Entry(term, subject, tuple(each.strip() for each in _joined(aliases).split(",") if each), _joined(text))
        for subject, body in zip(parts[::2], parts[1::2], strict=True)
        for term, aliases, text in _ENTRY.findall(body)
    ]


def find(term: str) -> Entry:
    """Return the entry of a term, an alias or a title of a column; case, blanks, hyphens and underscores do not count.

    Raises:
        UsageError: There is no such entry; the message names the nearest.
    """
    names, normal = _names()
    for form in (_normal(term), _normal(term).removesuffix("s")):
        if form in normal:
            return normal[form]
    near = did_you_mean(term, names) or ";"
    raise UsageError(f"{term}: no such term{near} `lossbench explain` lists all")


@functools.cache
def _names() -> tuple[dict[str, Entry], dict[str, Entry]]:
    """Return the entries by their names, and by the forms in which names are looked up, where a term comes first."""
    names = {name: entry for entry in entries() for name in (*entry.aliases, entry.term)}
    normal = {_normal(name): entry for name, entry in names.items()}
    return names, normal | {_normal(entry.term): entry for entry in names.values()}


def _normal(text: str) -> str:
    """Return a term, or the title of a column, in the form in which it is looked up."""
    for title, term in _TITLES.items():
        text = re.sub(title, term, text.strip().casefold())
    return re.sub(r"[\s_-]", "", text).casefold() or text


def _joined(text: str) -> str:
    return " ".join(text.split())
