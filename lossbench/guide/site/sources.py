"""Pages of an edition as Sphinx reads them: the guide with navigation and anchors, loss cards, the Python API."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lossbench import guide
from lossbench.guide.languages import CHINESE, ENGLISH, LANGUAGES
from lossbench.guide.site import cards
from lossbench.guide.site.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

README = "README.md"

API = {
    "lossbench": (
        "autofunction:: lossbench.train",
        "autoclass:: lossbench.training.train.TrainResult\n   :members:",
        "autofunction:: lossbench.sweep",
        "autoclass:: lossbench.sweep.outcome.SweepResult\n   :members: runs, is_complete",
        "autofunction:: lossbench.compare",
        "autoclass:: lossbench.api.Compared\n   :members: comparison, groups, seeds, cells, text",
        "autofunction:: lossbench.load_runs",
        "autofunction:: lossbench.load_model",
    ),
    "lossbench.losses": (
        "autofunction:: lossbench.losses.get",
        "autoclass:: lossbench.losses.keras_loss.CatalogueLoss\n   :members: call",
    ),
    "lossbench.errors": (
        "automodule:: lossbench.errors\n   :members:\n   :exclude-members: did_you_mean, first_few, LONGEST_WORD",
    ),
}
"""Reference of the Python API: directives of autodoc by module."""

_LINK = re.compile(r"\[([^\]\n]+)\]\((?!https?:|#)([^)\s#]+)\.md(#[^)\s]+)?\)")
_ITEM = re.compile(r"[-*] \[[^\]]+\]\(([\w/-]+)\.md\)")
_ENTRY = re.compile(r"^\*\*([^*]+)\*\*(?: ?[(（]([^()（）]+)[)）])?[:：] ?(.+?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def write(folder: Path, edition: str) -> None:
    """Write the pages of an edition to a folder; those that have not changed keep their time, and no others stay."""
    pages = {path: page(path, edition) for path in paths(edition)} | cards.pages(edition) | {"api.md": _api(edition)}
    pages["index.md"] += navigation(pages["index.md"], pages, edition)
    for path, text in pages.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    for file in folder.rglob("*.md"):
        if file.relative_to(folder).as_posix() not in pages:
            file.unlink()


def paths(edition: str) -> list[str]:
    """Return the Markdown files of an edition, relative to its folder; the Chinese README is for the repository."""
    root = _root(edition)
    found = (path.relative_to(root).as_posix() for path in sorted(root.rglob("*.md")))
    return [path for path in found if path != README and (edition == CHINESE or not path.startswith(f"{CHINESE}/"))]


def _root(edition: str) -> Path:
    return guide.FOLDER / CHINESE if edition == CHINESE else guide.FOLDER


def page(path: str, edition: str) -> str:
    """Return a page of the guide for the site."""
    return for_site(path, (_root(edition) / path).read_text(encoding="utf-8"), edition)


def for_site(path: str, text: str, edition: str) -> str:
    """Return a page with anchors, and with links that lead to the other edition or to a loss card."""
    pieces = _FENCE.split(text)
    pieces[::2] = [_LINK.sub(lambda found: _link(path, found, edition), piece) for piece in pieces[::2]]
    text = "".join(pieces)
    if path == "glossary.md":
        return _ENTRY.sub(lambda found: _glossary_entry(*found.groups(default="")), text)
    if path == "losses.md":
        return re.sub(r"^\| `(\w+)`", lambda found: f"| [`{found[1]}`](losses/{found[1]}.md)", text, flags=re.MULTILINE)
    return text


def _link(path: str, found: re.Match[str], edition: str) -> str:
    """Return a link within an edition as it is, and one to the other edition as HTML, which Sphinx does not resolve."""
    steps: list[str] = []
    for step in (PurePosixPath(path).parent / found[2]).parts:
        if step == ".." and steps and steps[-1] != "..":
            steps.pop()
        else:
            steps.append(step)
    leaves = steps[0] == ".." or (edition == ENGLISH and steps[0] == CHINESE)
    return f'<a href="{found[2]}.html{found[3] or ""}">{found[1]}</a>' if leaves else found[0]


def _glossary_entry(term: str, aliases: str, text: str) -> str:
    """Return an entry of the glossary with an anchor of its own: `glossary.html#term-ECE`."""
    also = f"*{cards.escaped(aliases)}*\n\n" if aliases else ""
    lines = "\n".join(f"  {line}".rstrip() for line in f"{also}{text}".splitlines())
    return f"```{{glossary}}\n{term}\n{lines}\n```"


def navigation(index: str, pages: Iterable[str], edition: str) -> str:
    """Return hidden lists of pages, from which Sphinx makes the sidebar, in the order of the index; others follow."""
    words = WORDS[edition]
    sections: dict[str, list[str]] = {}
    caption = ""
    for line in index.splitlines():
        if item := _ITEM.match(line):
            sections.setdefault(caption, []).append(item[1])
        elif line[:1].strip(" *-"):
            caption = re.split("[:：,，;；.。]", line.strip("# "))[0]
    listed = {page for names in sections.values() for page in names} | {"index", "losses/index", "api"}
    others = [page.removesuffix(".md") for page in pages]
    sections[words["more"]] = [page for page in others if page not in listed and not page.startswith("losses/")]
    sections[words["reference"]] = ["losses/index", "api"]
    trees = [_tree(pages, caption=caption) for caption, pages in sections.items() if pages]
    return "".join(f"\n{tree}\n" for tree in trees)


def _tree(pages: Iterable[str], *, caption: str = "") -> str:
    options = f":caption: {caption}\n" if caption else ""
    return f"```{{toctree}}\n:hidden:\n{options}\n" + "\n".join(pages) + "\n```"


def _api(edition: str) -> str:
    """Return the page of the Python API, which autodoc fills with docstrings."""
    parts = [f"# {WORDS[edition]['python']}"]
    for module, directives in API.items():
        block = "\n\n".join(f".. {each}" for each in directives)
        parts.append(f"## {module}\n\n```{{eval-rst}}\n{block}\n```")
    return "\n\n".join(parts) + "\n"


def edition_link(page: str, edition: str) -> str:
    """Return a link to the same page of the other edition, or to its start page if it has no such page."""
    other = ENGLISH if edition == CHINESE else CHINESE
    there = {path.removesuffix(".md") for path in paths(other)} | {"api"}
    target = page if page in there or page.startswith("losses/") else "index"
    up = "../" * (page.count("/") + (edition == CHINESE))
    folder = "" if other == ENGLISH else f"{CHINESE}/"
    href = f"{up}{folder}{target}.html"
    style = "float: right; margin: 0 0 0 1rem"
    return f'<p style="{style}"><a href="{href}" lang="{other}" hreflang="{other}">{LANGUAGES[other].name}</a></p>\n'


def with_literal_blocks(lines: Sequence[str]) -> list[str]:
    """Return the lines of a docstring with code and drawings, which are indented, marked as reStructuredText does."""
    marked: list[str] = []
    above = ""  # the last line that is not blank
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("    ") and not before.strip() and above and not above.startswith(" "):
            marked += ["::", ""]
        marked += ["Example::", ""] if line == "Example:" else [line]
        above = line if line.strip() else above
    return marked
