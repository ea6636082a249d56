"""The manual: one Markdown page per task, and the lessons of a course; `index.md` lists both."""

from __future__ import annotations

import re
from pathlib import Path

from lossbench.errors import UsageError, did_you_mean, first_few

FOLDER = Path(__file__).parent
INDEX = "index"
LESSONS = "lessons"

_ENTRY = re.compile(rf"^- \[([a-z0-9-]+)\]\(((?:{LESSONS}/)?)\1\.md\): (.+)$", re.MULTILINE)


def pages() -> dict[str, str]:
    """Return the name of every page with the line that describes it, in the order of the index."""
    return {INDEX: "Start here: what the guide covers.", **_entries("")}


def lessons() -> dict[str, str]:
    """Return the name of every lesson with the line that describes it, in the order of the course."""
    return _entries(f"{LESSONS}/")


def path(name: str) -> Path:
    """Return the file of a page or lesson, which may be named by a beginning that no other has.

    Raises:
        UsageError: No page or lesson begins like this, or several do.
    """
    name = _complete(name)
    return FOLDER / (LESSONS if name in lessons() else "") / f"{name}.md"


def page(name: str) -> str:
    """Return the Markdown of a page or lesson, which may be named by a beginning that no other has.

    Raises:
        UsageError: No page or lesson begins like this, or several do.
    """
    return path(name).read_text(encoding="utf-8")


def _complete(beginning: str) -> str:
    """Return the one name that is, or begins with, `beginning`."""
    names = [*pages(), *lessons()]
    found = [name for name in names if name.startswith(beginning)]
    if beginning in names or len(found) == 1:
        return beginning if beginning in names else found[0]
    if found and beginning:
        raise UsageError(f"{beginning}: several pages begin with this: {first_few(found)}; write more of the name")
    near = did_you_mean(beginning, names) or ";"
    raise UsageError(f"{beginning}: no such page{near} `lossbench guide` lists the pages")


def _entries(folder: str) -> dict[str, str]:
    index = (FOLDER / f"{INDEX}.md").read_text(encoding="utf-8")
    return {name: line for name, where, line in _ENTRY.findall(index) if where == folder}
