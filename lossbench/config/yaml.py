"""Strict YAML: a subset that all readers understand alike, with the position of every value.

Scalars are those of YAML 1.2 (`1e-3` is a number; `no`, `12:30` and `2024-01-01` are text). Keys are text and unique;
only in the value of a hyperparameter may they be other scalars, e.g. `class_weight: {0: 5}`.
Anchors, aliases, tags and merge keys are refused. Limits: 64 KB, 20 levels, numbers of 64 characters.
"""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from lossbench import yaml_scalars
from lossbench.config.lookalikes import lookalike
from lossbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES = 64 * 1024
MAX_LEVELS = 20

KeyPath: TypeAlias = tuple[str | int, ...]

SURROGATE = re.compile("[\ud800-\udfff]")
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


# Patterns of PyYAML's messages, and what lossbench says instead.
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
    """Position of a value; line and column count from 1, and line 0 means a source without lines."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return `file:line:column`, as editors and compilers write it."""
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True)
class Node:
    """A value and its position; the value of a key has the position of the key."""

    value: Any  # None, bool, int, float, str, dict[scalar, Node] or list[Node]
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

    def at(self, path: KeyPath) -> Node:
        """Return the node at `path`; one with the value None if there is none."""
        return dict(self.children()).get(path[0], Node(None)).at(path[1:]) if path else self

    def locate(self, path: KeyPath) -> Position | None:
        """Return the position of the value at `path`, or of its nearest ancestor."""
        child = dict(self.children()).get(path[0]) if path else None
        return (child.locate(path[1:]) if child else None) or self.position


def show(value: Any) -> str:
    """Return a value for messages: short, in YAML's notation, without control characters."""
    if isinstance(value, dict):
        return "a mapping"
    return {"None": "null", "True": "true", "False": "false"}.get(repr(value), _repr.repr(value))


def is_hyperparameter(path: KeyPath) -> bool:
    """Return whether the value of a hyperparameter is at a path, or a part of it: `loss.class_weight`, `loss.0.alpha`.

    The path may begin in a sweep: `sweep.parameters`, `loss.class_weight`, 0.
    """
    keys = [part for part in path if isinstance(part, str)]
    place = next((index for index, key in enumerate(keys) if key.partition(".")[0] == "loss"), len(keys))
    return len(".".join(keys[place:]).split(".")) > 1


def node(value: Any, position: Position | None = None, path: KeyPath = ()) -> Node:
    """Return plain Python data as a node, all parts at `position`.

    Raises:
        ConfigError: The data are nested too deeply.
    """
    if len(path) > MAX_LEVELS:
        raise _error(position, f"nested deeper than {MAX_LEVELS} levels")
    if isinstance(value, dict):
        keys = list(value) if is_hyperparameter(path) else list(map(str, value))
        items = zip(keys, value.values(), strict=True)
        return Node({key: node(item, position, (*path, key)) for key, item in items}, position)
    if isinstance(value, list | tuple):
        return Node([node(item, position, (*path, index)) for index, item in enumerate(value)], position)
    return Node(value, position)


def decode(data: bytes, source: str) -> str:
    """Decode a file's bytes: UTF-8, with or without a byte order mark, at most 64 KB.

    Raises:
        ConfigError: The bytes are not UTF-8, or too many.
    """
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
        text: One document of any type.
        source: Name of the document in messages, usually a file's path.

    Returns:
        The root node; that of an empty text has the value None.

    Raises:
        ConfigError: The text is outside the subset; the message is one line and has the position.
    """
    return _parse(text, source, Position(source, 1, 1))


def parse_value(text: str, position: Position, path: KeyPath = ()) -> Node:
    """Return the YAML value in `text` at a path, all parts at `position`; for values on a command line.

    Raises:
        ConfigError: The text is outside the subset.
    """
    return node(_parse(text, str(position), position, path).plain(), position, path)


def _parse(text: str, source: str, start: Position, path: KeyPath = ()) -> Node:
    text = text.removeprefix("\ufeff")
    if found := UNPRINTABLE.search(text):
        line, column = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
        location = Position(source, line, column) if start.line else start
        raise _error(location, f"control character U+{ord(found.group()):04X}; remove it")
    loader = _Loader(text)
    try:
        loader.get_event()  # the stream's start
        if loader.check_event(yaml.StreamEndEvent):
            return Node(None, start)
        loader.get_event()  # the document's start
        root = _Reader(loader, source, start).read(start, MAX_LEVELS, path)
        loader.get_event()  # the document's end
        if not loader.check_event(yaml.StreamEndEvent):
            raise _error(
                _location(source, start, loader.peek_event().start_mark), "a second document; keep one in a file"
            )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        location, reason = _lookalike_near(text, source, start, mark) or (
            _location(source, start, mark),
            _sentence(error),
        )
        raise _error(location, f"not YAML: {reason}") from None
    finally:
        loader.dispose()
    return root


class _Loader(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
    """PyYAML's parser without its resolver and constructor: it yields events only."""

    get_event: Callable[[], Any]  # PyYAML's stubs leave these untyped
    peek_event: Callable[[], Any]

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)


@dataclass(frozen=True)
class _Reader:
    """Builds nodes from the events of one text."""

    loader: _Loader
    source: str
    start: Position

    def read(self, position: Position | None, levels: int, path: KeyPath) -> Node:
        """Return the next value; without a position, it has the position of its first character."""
        event = self.loader.get_event()
        location = _location(self.source, self.start, event.start_mark)
        _refuse(event, location)
        if isinstance(event, yaml.ScalarEvent):
            if SURROGATE.search(event.value):
                raise _error(location, "an escape such as \\ud800 is no character; remove it")
            plain = event.implicit[0]
            return Node(_scalar(event.value, location) if plain else event.value, position or location)
        if not levels:
            raise _error(location, f"nested deeper than {MAX_LEVELS} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(list(self._items(levels - 1, path)), position or location)
        return Node(self._mapping(levels - 1, path), position or location)

    def _items(self, levels: int, path: KeyPath) -> Iterator[Node]:
        while not self.loader.check_event(yaml.SequenceEndEvent):
            yield self.read(None, levels, path)
        self.loader.get_event()

    def _mapping(self, levels: int, path: KeyPath) -> dict[Any, Node]:
        entries: dict[Any, Node] = {}
        while not self.loader.check_event(yaml.MappingEndEvent):
            key = self.read(None, levels, path)
            if not isinstance(key.value, str) and (isinstance(key.value, list | dict) or not is_hyperparameter(path)):
                raise _error(key.position, f"a key is text, got {show(key.plain())}; write it in quotes")
            if key.value == "<<":
                raise _error(key.position, "merge keys (<<) are not supported; name another file in 'extends'")
            if first := entries.get(key.value):
                raise _error(key.position, f"duplicate key {show(key.value)}; first at {first.position}")
            entries[key.value] = self.read(key.position, levels, (*path, key.value))
        self.loader.get_event()
        return entries


def _refuse(event: Any, location: Position) -> None:
    if isinstance(event, yaml.AliasEvent):
        raise _error(location, f"alias *{event.anchor}: aliases are not supported; write the value out")
    if event.anchor is not None:
        raise _error(location, f"anchor &{event.anchor}: anchors are not supported; remove it")
    if event.tag is not None:
        raise _error(location, f"tag {show(event.tag)}: tags are not supported; remove it")


def _scalar(text: str, location: Position) -> Any:
    try:
        return yaml_scalars.parse(text)
    except ValueError as error:
        raise _error(location, str(error)) from None


def _lookalike_near(text: str, source: str, start: Position, mark: yaml.Mark | None) -> tuple[Position, str] | None:
    """Return position and message for a lookalike in the line of an error or the one above."""
    lines = text.splitlines()
    for number in (mark.line, mark.line - 1) if mark else ():
        line = lines[number] if 0 <= number < len(lines) else ""
        code = re.sub(r"(^|\s)#.*", "", line)
        if hint := lookalike(code):
            column = next(index for index, each in enumerate(code) if lookalike(each))
            return (Position(source, number + 1, column + 1) if start.line else start), hint
    return None


def _location(source: str, start: Position, mark: yaml.Mark | None) -> Position:
    return Position(source, mark.line + 1, mark.column + 1) if mark and start.line else start


def _sentence(error: yaml.MarkedYAMLError) -> str:
    problem = f"{error.problem} {error.context or ''}".strip()
    for pattern, explanation in PLAIN_WORDS:
        if found := re.search(pattern, problem):
            return found.expand(explanation)
    return problem.replace("\n", " ")


def _error(position: Position | None, message: str) -> ConfigError:
    return ConfigError([f"{position}: {message}" if position else message])
