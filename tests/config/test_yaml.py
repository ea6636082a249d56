"""Strict YAML: what is read, and the one line that says why something is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench.config import yaml
from lossbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


def test_quoted_scalars_are_text() -> None:
    """Whatever they look like."""
    assert yaml.parse("""[a: '1', b: "true", c: '']""", "f.yaml").plain() == [{"a": "1"}, {"b": "true"}, {"c": ""}]


@pytest.mark.parametrize(
    "text", ["\ufeffa: 1\nb: [x]", "a: 1\r\nb: [x]\r\n", "--- \na: 1\nb:\n- x\n...\n", "{a: 1, b: [x]}"]
)
def test_forms_of_the_same_document(text: str) -> None:
    """A byte order mark, Windows line ends, document marks and flow style change nothing."""
    assert yaml.parse(text, "f.yaml").plain() == {"a": 1, "b": ["x"]}


REFUSED = [
    ("a: 1\na: 2", "f.yaml:2:1: duplicate key 'a'; first at f.yaml:1:1"),
    ("a: {b: 1, b: 2}", "f.yaml:1:11: duplicate key 'b'; first at f.yaml:1:5"),
    ("a: &x 1", "f.yaml:1:4: anchor &x: anchors are not supported; remove it"),
    ("a: *x", "f.yaml:1:4: alias *x: aliases are not supported; write the value out"),
    ("*x : 1", "f.yaml:1:1: alias *x: aliases are not supported; write the value out"),
    ("a: !!int 1", "f.yaml:1:4: tag 'tag:yaml.org,2002:int': tags are not supported; remove it"),
    (
        "a: !!python/object/apply:os.system [x]",
        "f.yaml:1:4: tag 'tag:yaml.org,2002:python/object/apply:os.system': tags are not supported; remove it",
    ),
    ("a: ! x", "f.yaml:1:4: tag '!': tags are not supported; remove it"),
    ("<<: {a: 1}", "f.yaml:1:1: merge keys (<<) are not supported; name another file in 'extends'"),
    ("[" * 1000, "f.yaml:1:21: nested deeper than 20 levels"),
    ("a: " + "{b: " * 1000, "f.yaml:1:80: nested deeper than 20 levels"),
    ("a: " + "9" * 5000, "f.yaml:1:4: a number of 5000 characters; 64 are the limit"),
    ("a: 0." + "9" * 5000, "f.yaml:1:4: a number of 5002 characters; 64 are the limit"),
    ("a: 1\n\0", "f.yaml:2:1: control character U+0000; remove it"),
    ("a: \x1b[31m", "f.yaml:1:4: control character U+001B; remove it"),
    ('a: "\\ud800"', "f.yaml:1:4: an escape such as \\ud800 is no character; remove it"),
    ("1: a", "f.yaml:1:1: a key is text, got 1; write it in quotes"),
    ("true: a", "f.yaml:1:1: a key is text, got true; write it in quotes"),
    ("[a]: 1", "f.yaml:1:1: a key is text, got ['a']; write it in quotes"),
    ("a: 1\n---\nb: 1", "f.yaml:2:1: a second document; keep one in a file"),
    ("a: [1, 2", "f.yaml:1:9: not YAML: a bracket is not closed"),
    ("a: {b: 1 c: 2}", "f.yaml:1:11: not YAML: expected ',' or '}' here"),
    ("a: 'b", "f.yaml:1:6: not YAML: a quote is not closed"),
    ("a:\n\tb: 1", "f.yaml:2:1: not YAML: a tab; indent with spaces"),
    ("a: @b", "f.yaml:1:4: not YAML: text that begins with @ needs quotes"),
    (
        "a: 1\n  b: 2",
        "f.yaml:2:4: not YAML: ':' is not expected here; check the indentation, or quote text that holds ': '",
    ),
    ("a: - b", "f.yaml:1:4: not YAML: a list's '- ' begins on a line of its own"),
    (" a: 1\nb: 2", "f.yaml:2:1: not YAML: the indentation does not match the lines above"),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED, ids=lambda value: value[:20])
def test_what_is_outside_the_subset_is_refused_in_one_line(text: str, expected: str) -> None:
    """The message says where and what, and is one line."""
    with pytest.raises(ConfigError) as caught:
        yaml.parse(text, "f.yaml")
    assert str(caught.value) == expected


BYTES = [
    (b"a: 1\nb: \xff", "f.yaml:2:4: byte 0xff is not UTF-8; save the file as UTF-8"),
    ("a: 1".encode("utf-16"), "f.yaml:1:1: byte 0xff is not UTF-8; save the file as UTF-8"),
    (b"#" * 65_537, "f.yaml: larger than 64 KB; is this a configuration?"),
]


@pytest.mark.parametrize(("data", "expected"), BYTES, ids=["latin", "utf-16", "large"])
def test_bytes_that_are_no_text_are_refused(data: bytes, expected: str) -> None:
    """A file is UTF-8 and at most 64 KB."""
    with pytest.raises(ConfigError) as caught:
        yaml.decode(data, "f.yaml")
    assert str(caught.value) == expected


def test_a_byte_order_mark_is_no_text() -> None:
    """A file that Windows saved is read like any other."""
    assert yaml.decode(b"\xef\xbb\xbfa: 1", "f.yaml") == "a: 1"


def test_positions_are_those_of_the_keys() -> None:
    """A value stands where its key stands, an item where it begins, what is missing where its mapping stands."""
    node = yaml.parse("a:\n  b: 1\n  c: [x, y]\n", "f.yaml")
    places = [node.locate(path) for path in [("a",), ("a", "b"), ("a", "c", 1), ("a", "z")]]
    assert [str(place) for place in places] == ["f.yaml:1:1", "f.yaml:2:3", "f.yaml:3:10", "f.yaml:1:1"]


def refusal(read: Callable[[], object]) -> str:
    """Return why `read` refuses, nothing if it does not."""
    try:
        read()
    except ConfigError as error:
        return str(error)
    return ""


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    """Whatever is typed is read or refused."""
    assert "\n" not in refusal(lambda: yaml.parse(text, "f.yaml"))


@given(st.text(alphabet="ab01:-{}[],'\"#&*!|>%@`?~. \n\t"))
def test_no_yaml_like_text_raises_anything_else(text: str) -> None:
    """Whatever is typed of YAML's own characters is read or refused."""
    assert "\n" not in refusal(lambda: yaml.parse(text, "f.yaml"))


@given(st.binary())
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """Whatever a file holds is decoded or refused."""
    assert "\n" not in refusal(lambda: yaml.decode(data, "f.yaml"))
