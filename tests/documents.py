"""The README and the pages of the guide as code blocks, commands and links."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from lossbench import guide
from lossbench.guide.languages import ENGLISH, LANGUAGES

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "lossbench" / "guide"
"""The guide in the source tree, whose pages and README link to each other; the installed package may be elsewhere."""

LESSONS = sorted((GUIDE / guide.LESSONS).glob("*.md"))
PAGES = [*sorted(GUIDE.glob("*.md")), *LESSONS]
FILES = [ROOT / "README.md", *PAGES]
TRANSLATIONS = sorted(file for code in LANGUAGES if code != ENGLISH for file in (GUIDE / code).rglob("*.md"))
"""Pages, lessons and the README in other languages; the commands and code in them are those of the English ones."""

ANSWER = "ANSWER"
"""What the reader of an exercise replaces in a command."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"# exit (\d+)$")
_ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")


@dataclass(frozen=True)
class Block:
    """A code block: its language and its text."""

    language: str
    text: str

    @property
    def file(self) -> str:
        """The file that the first line names, e.g. `# study.yaml: which loss?`; empty if it names none."""
        found = re.match(r"# ([\w./-]+\.(?:yaml|yml|py))\b", self.text)
        return found[1] if found else ""


def source(name: str, code: str = ENGLISH) -> Path:
    """Return the file of a page or lesson in the source tree; see `guide.path`."""
    return GUIDE / guide.path(name, code).relative_to(guide.FOLDER)


def blocks(file: Path, *languages: str) -> list[Block]:
    """Return the code blocks of a file, of these languages or of all."""
    return blocks_of(file.read_text(), *languages)


def blocks_of(text: str, *languages: str) -> list[Block]:
    """Return the code blocks of Markdown, of these languages or of all."""
    found = [Block(*each) for each in _BLOCK.findall(text)]
    return [block for block in found if block.language in languages or not languages]


def shell_lines(block: Block) -> list[str]:
    """Return the commands that a shell or console block holds, continued lines joined."""
    text = block.text
    if block.language == "console":
        text = "\n".join(line[2:] for line in text.splitlines() if re.match(r"[$>] ", line))
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def exit_code(line: str) -> int:
    """Return the exit code that a command ends with: that of a comment such as `# exit 2` at its end, else 0."""
    found = _EXIT.search(line)
    return int(found[1]) if found else 0


def commands(line: str) -> list[list[str]]:
    """Return the programs with their arguments that a line of shell runs, without assignments of variables."""
    words = shlex.split(line, comments=True)
    ends = [number for number, word in enumerate(words) if word == "&&"]
    parts = [words[begin:end] for begin, end in zip([0, *(end + 1 for end in ends)], [*ends, None], strict=True)]
    return [[word for word in part if not _ASSIGNMENT.fullmatch(word)] for part in parts]


def text_of(file: Path) -> str:
    """Return a file without its code blocks."""
    return _BLOCK.sub("", file.read_text())


def inline(file: Path) -> list[str]:
    """Return the inline code of a file."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text_of(file))


def links(file: Path) -> list[tuple[str, str]]:
    """Return text and target of each link that leads to a file."""
    return re.findall(r"\[([^]\n]+)\]\((?!https?:)([^)\s]+)\)", text_of(file))
