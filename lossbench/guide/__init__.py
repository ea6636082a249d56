"""The manual: one Markdown page per task, listed in `index.md`."""

from __future__ import annotations

import re
from pathlib import Path

from lossbench.errors import UsageError, did_you_mean

FOLDER = Path(__file__).parent
INDEX = "index"

_ENTRY = re.compile(r"^- \[([a-z-]+)\]\(\1\.md\): (.+)$", re.MULTILINE)


def pages() -> dict[str, str]:
    """Return the name of every page with the line that describes it, in the order of the index."""
    return {INDEX: "Start here: what the guide covers.", **dict(_ENTRY.findall(_text(INDEX)))}


def page(name: str) -> str:
    """Return the Markdown of a page.

    Raises:
        UsageError: There is no page of that name.
    """
    names = pages()
    if name not in names:
        near = did_you_mean(name, names) or ";"
        raise UsageError(f"{name}: no such page{near} `lossbench guide` lists the pages")
    return _text(name)


def _text(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")
