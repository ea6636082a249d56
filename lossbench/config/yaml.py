"""Strict YAML: the subset that means the same to everybody, every value with the place where it stands.

YAML 1.2 scalars (`1e-3` is a number; `no`, `12:30` and `2024-01-01` are text); keys are text, each once in its mapping;
no anchors, aliases, tags or merge keys; 64 KB, 20 levels and numbers of 64 characters at most.
"""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from lossbench import yaml_scalars
from lossbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES = 64 * 1024
MAX_LEVELS = 20

Path: TypeAlias = tuple[str | int, ...]

SURROGATE = re.compile("[\ud800-\udfff]")
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


# What PyYAML says, and what is meant.
PLAIN_WORDS: tuple[tuple[str, str], ...] = (
    (r"found character '\\t'", "a tab; indent with spaces"),
    (r"found character '(.)'", r"text that begins with \1 needs quotes"),
    (r"got '<stream end>'", "a bracket is not closed"),
    (r"expected (',' or '.')", r"expected \1 here"),
    (r"unexpected end of stream|found unexpected document", "a quote is not closed"),
    (
        r"mapping values are not allowed",
        "':' is not expected here; check the indentation, or quote text that holds ': '",
    ),
    (r"could not find expected ':'", "expected 'key: value'; a space belongs after the colon"),
    (r"sequence entries are not allowed", "a list's '- ' begins on a line of its own"),
    (r"expected (<block end>|'<document start>')", "the indentation does not match the lines above"),
)

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 60


@dataclass(frozen=True)
class Position:
    """Where a value stands; line and column count from 1, and line 0 is a source without lines."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return `file:line:column`, as editors and compilers write it."""
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True)
class Node:
    """A value and its place: for the value of a key, where the key stands."""

    value: Any  # None, bool, int, float, str, dict[str, Node] or list[Node]
    position: Position | None = None

    def plain(self) -> Any:
        """Return the value without positions."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def children(self) -> Iterator[tuple[str | int, Node]]:
        """Yield keys or indices with their nodes."""
        if isinstance(self.value, dict):
            yield from self.value.items()
        elif isinstance(self.value, list):
            yield from enumerate(self.value)

    def locate(self, path: Path) -> Position | None:
        """Return the place of the value at `path`, or of what is nearest above it."""
        child = dict(self.children()).get(path[0]) if path else None
        return (child.locate(path[1:]) if child else None) or self.position


def show(value: Any) -> str:
    """Return a value as messages show it: short, in YAML's words, without control characters."""
    if isinstance(value, dict):
        return "a mapping"
    return {"None": "null", "True": "true", "False": "false"}.get(repr(value), _repr.repr(value))


def node(value: Any, position: Position | None = None, levels: int = MAX_LEVELS) -> Node:
    """Return plain Python data as a node, every part of it at `position`."""
    if levels < 0:
        raise _error(position, f"nested deeper than {MAX_LEVELS} levels")
    if isinstance(value, dict):
        return Node({str(key): node(item, position, levels - 1) for key, item in value.items()}, position)
    if isinstance(value, list | tuple):
        return Node([node(item, position, levels - 1) for item in value], position)
    return Node(value, position)


def decode(data: bytes, source: str) -> str:
    """Return the text of a file's bytes: UTF-8, with or without a byte order mark, at most 64 KB."""
    if len(data) > MAX_BYTES:
        raise _error(Position(source), f"larger than {MAX_BYTES // 1024} KB; is this a configuration?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        byte = f"0x{data[error.start]:02x}"
        raise _error(Position(source, line, column), f"byte {byte} is not UTF-8; save the file as UTF-8") from None


def parse(text: str, source: str) -> Node:
    """Return the YAML document in `text`.

    Args:
        text: One document; anything but a mapping is for the caller to refuse.
        source: What to call it in messages: a file's path.

    Returns:
        Its node; an empty text is a node of None.

    Raises:
        ConfigError: One line, with the place, for whatever is not in the subset.
    """
    return _parse(text, source, Position(source, 1, 1))


def parse_value(text: str, position: Position) -> Node:
    """Return the YAML value in `text`, every part of it at `position`, as on a command line."""
    return node(_parse(text, str(position), position).plain(), position)


def _parse(text: str, source: str, start: Position) -> Node:
    text = text.removeprefix("\ufeff")
    if found := UNPRINTABLE.search(text):
        line, column = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
        place = Position(source, line, column) if start.line else start
        raise _error(place, f"control character U+{ord(found.group()):04X}; remove it")
    loader = _Loader(text)
    try:
        loader.get_event()  # the stream's start
        if loader.check_event(yaml.StreamEndEvent):
            return Node(None, start)
        loader.get_event()  # the document's start
        found_node = _Reader(loader, source, start).read(start, MAX_LEVELS)
        loader.get_event()  # the document's end
        if not loader.check_event(yaml.StreamEndEvent):
            raise _error(_at(source, start, loader.peek_event().start_mark), "a second document; keep one in a file")
    except yaml.MarkedYAMLError as error:
        place = _at(source, start, error.problem_mark or error.context_mark)
        raise _error(place, f"not YAML: {_sentence(error)}") from None
    finally:
        loader.dispose()
    return found_node


class _Loader(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """PyYAML's parser alone: events, without its resolver and constructor."""

    get_event: Callable[[], Any]  # PyYAML's stubs leave these untyped
    peek_event: Callable[[], Any]

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


@dataclass(frozen=True)
class _Reader:
    """Reads nodes from the events of one text."""

    loader: _Loader
    source: str
    start: Position

    def read(self, position: Position | None, levels: int) -> Node:
        """Return the next value; without a position it stands where it begins."""
        event = self.loader.get_event()
        place = _at(self.source, self.start, event.start_mark)
        _refuse(event, place)
        if isinstance(event, yaml.ScalarEvent):
            if SURROGATE.search(event.value):
                raise _error(place, "an escape such as \\ud800 is no character; remove it")
            plain = event.implicit[0]
            return Node(_scalar(event.value, place) if plain else event.value, position or place)
        if not levels:
            raise _error(place, f"nested deeper than {MAX_LEVELS} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(list(self._items(levels - 1)), position or place)
        return Node(self._mapping(levels - 1), position or place)

    def _items(self, levels: int) -> Iterator[Node]:
        while not self.loader.check_event(yaml.SequenceEndEvent):
            yield self.read(None, levels)
        self.loader.get_event()

    def _mapping(self, levels: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not self.loader.check_event(yaml.MappingEndEvent):
            key = self.read(None, levels)
            if not isinstance(key.value, str):
                raise _error(key.position, f"a key is text, got {show(key.plain())}; write it in quotes")
            if key.value == "<<":
                raise _error(key.position, "merge keys (<<) are not supported; name another file in 'extends'")
            if first := entries.get(key.value):
                raise _error(key.position, f"duplicate key {show(key.value)}; first at {first.position}")
            entries[key.value] = self.read(key.position, levels)
        self.loader.get_event()
        return entries


def _refuse(event: Any, place: Position) -> None:
    if isinstance(event, yaml.AliasEvent):
        raise _error(place, f"alias *{event.anchor}: aliases are not supported; write the value out")
    if event.anchor is not None:
        raise _error(place, f"anchor &{event.anchor}: anchors are not supported; remove it")
    if event.tag is not None:
        raise _error(place, f"tag {show(event.tag)}: tags are not supported; remove it")


def _scalar(text: str, place: Position) -> Any:
    try:
        return yaml_scalars.parse(text)
    except ValueError as error:
        raise _error(place, str(error)) from None


def _at(source: str, start: Position, mark: yaml.Mark | None) -> Position:
    return Position(source, mark.line + 1, mark.column + 1) if mark and start.line else start


def _sentence(error: yaml.MarkedYAMLError) -> str:
    said = f"{error.problem} {error.context or ''}".strip()
    for pattern, meant in PLAIN_WORDS:
        if found := re.search(pattern, said):
            return found.expand(meant)
    return said.replace("\n", " ")


def _error(position: Position | None, message: str) -> ConfigError:
    return ConfigError([f"{position}: {message}" if position else message])
