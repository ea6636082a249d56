"""The manual: one Markdown page per task, and the lessons of a course; `index.md` lists both.

A translation is a folder of pages with the same names. A page that it lacks is shown in English.
"""

from __future__ import annotations

import re
from pathlib import Path

from lossbench.errors import UsageError, did_you_mean, first_few
from lossbench.guide.languages import ENGLISH, LANGUAGES

FOLDER = Path(__file__).parent
INDEX = "index"
LESSONS = "lessons"

_LISTED = "`lossbench guide` lists the pages"
_ENTRY = re.compile(rf"^- \[([a-z0-9-]+)\]\((?:\.\./)?((?:{LESSONS}/)?)\1\.md\)(?:: |：)(.+)$", re.MULTILINE)


def pages(code: str = ENGLISH) -> dict[str, str]:
    """Return the name of every page with the line that describes it, in the order of the index."""
    return {INDEX: LANGUAGES[code].start, **_entries("", code)}


def lessons(code: str = ENGLISH) -> dict[str, str]:
    """Return the name of every lesson with the line that describes it, in the order of the course."""
    return _entries(f"{LESSONS}/", code)


def path(name: str, code: str = ENGLISH) -> Path:
    """Return the file of a page or lesson, the English one if it is not translated.

    A beginning of its name that no other has is enough.

    Raises:
        UsageError: No page or lesson begins like this, or several do.
    """
    name = _complete(name)
    return _file(LESSONS if name in lessons() else "", name, code)


def page(name: str, code: str = ENGLISH) -> str:
    """Return the Markdown of a page or lesson; see `path`."""
    return path(name, code).read_text(encoding="utf-8")


def is_translated(file: Path, code: str) -> bool:
    """Return whether the file of a page is in a language."""
    return file.is_relative_to(_folder(code))


def _complete(beginning: str) -> str:
    """Return the one name that is, or begins with, `beginning` in any case."""
    if not beginning:
        raise UsageError(f"the name of a page is empty; {_LISTED}")
    beginning = beginning.lower()
    names = [*pages(), *lessons()]
    found = [name for name in names if name.startswith(beginning)]
    if beginning in names or len(found) == 1:
        return beginning if beginning in names else found[0]
    if found:
        raise UsageError(f"{beginning}: several pages begin with this: {first_few(found)}; write more of the name")
    near = did_you_mean(beginning, names) or ";"
    raise UsageError(f"{beginning}: no such page{near} {_LISTED}")


def _entries(folder: str, code: str) -> dict[str, str]:
    """Return the pages of a folder with their lines, which are marked where a page is only in English."""
    indexes = (_file("", INDEX, each).read_text(encoding="utf-8") for each in (ENGLISH, code))
    english, translated = map(_ENTRY.findall, indexes)
    lines = {name: line for name, _, line in (*english, *translated)}
    return {name: lines[name] + _mark(_file(where, name, code), code) for name, where, _ in english if where == folder}


def _file(folder: str, name: str, code: str) -> Path:
    translated, english = (_folder(each) / folder / f"{name}.md" for each in (code, ENGLISH))
    return translated if translated.exists() else english


def _folder(code: str) -> Path:
    return FOLDER if code == ENGLISH else FOLDER / code


def _mark(file: Path, code: str) -> str:
    return "" if is_translated(file, code) else LANGUAGES[code].english_only
