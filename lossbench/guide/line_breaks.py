"""Lines of a paragraph in columns of a terminal: words stay whole, Chinese text breaks between characters.

A Chinese character fills two columns, and no blank separates it from the next. A line does not begin with punctuation
that closes, and does not end with punctuation that opens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.containers import Lines
from rich.measure import Measurement
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

OPENING = frozenset("（「『【《〈〔［｛“‘([{")
CLOSING = frozenset("，。：；、？！）」』】》〉〕］｝”’…—～·％,.:;?!)]}%")

PHRASE = 12
"""Columns; in a table, Chinese text gets at least as many if it is that long: six characters."""


class Prose(Text):
    """Text whose lines also break between Chinese characters."""

    @classmethod
    def of(cls, text: Text) -> Prose:
        """Return a text with the same characters and styles."""
        return cls(text.plain, text.style, justify=text.justify, spans=text.spans)

    def wrap(self, console: Console, width: int, **settings: Any) -> Lines:
        """Return lines of at most `width` columns."""
        lines = Lines()
        for paragraph in self.split(allow_blank=True):
            for line in paragraph.divide(starts_of_lines(paragraph.plain, width)):
                line.rstrip()
                lines.extend(line.wrap(console, width, **settings))
        return lines

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the columns of the longest part between two breaks, and of the longest line."""
        least, most = super().__rich_measure__(console, options)
        longest = max((cell_len(part.rstrip()) for part in _parts(self.plain)), default=0)
        return Measurement(max(longest, min(least, PHRASE)), most)


def starts_of_lines(text: str, width: int) -> list[int]:
    """Return the position of each line's first character, except that of the first line."""
    starts = []
    line = ""
    position = 0
    for part in _parts(text):
        if line.strip() and cell_len((line + part).rstrip()) > width:
            starts.append(position)
            line = ""
        line += part
        position += len(part)
    return starts


def _parts(text: str) -> list[str]:
    """Return a text in the smallest parts between which a line may end, each with the blanks after it."""
    parts: list[str] = []
    for character in text:
        if parts and not _may_break(parts[-1], character):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _may_break(part: str, after: str) -> bool:
    """Return whether a line may end between a part and the character after it."""
    before = part.rstrip()[-1:]
    if after.isspace() or after in CLOSING or before in OPENING:
        return False
    return part[-1].isspace() or cell_len(before) > 1 or cell_len(after) > 1
