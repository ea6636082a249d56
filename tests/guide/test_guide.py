"""`lossbench guide`: the list, a page as Markdown, a page in a terminal."""

import os
import pty
import re
import subprocess
import sys

import pytest
from documents import ROOT

from lossbench import guide
from lossbench.guide import terminal

each_name = pytest.mark.parametrize("name", [*guide.pages(), *guide.lessons()])


def test_the_list_names_every_page(commands, tmp_path):
    """A name and a line each, the lessons after the pages."""
    done = commands("guide", cwd=tmp_path)
    assert (done.code, done.beyond) == (0, "")
    for listed, names in zip(done.out.split("\n\nLessons:\n"), (guide.pages(), guide.lessons()), strict=True):
        assert dict(re.split(r"\s+", line, maxsplit=1) for line in listed.splitlines()) == names
    assert [line for line in done.out.splitlines() if len(line) > 80] == []


@each_name
def test_a_page_is_plain_markdown_where_stdout_is_not_a_terminal(name, commands, tmp_path):
    """The file itself, without a network and without TensorFlow."""
    done = commands("guide", name, cwd=tmp_path)
    assert (done.code, done.out, done.beyond) == (0, guide.path(name).read_text(), "")


def test_an_unknown_page_is_a_usage_error(commands, tmp_path):
    """With the page that was probably meant; a path is no page."""
    done = commands("guide", "comapre", cwd=tmp_path)
    assert done.code == 2
    assert "no such page; did you mean 'compare'? `lossbench guide` lists the pages" in done.err
    assert commands("guide", "../guide/compare", cwd=tmp_path).code == 2


@each_name
def test_the_beginning_of_a_name_is_enough(name):
    """In any case: the shortest one that no other page has, and a whole name that others begin with."""
    others = [other for other in (*guide.pages(), *guide.lessons()) if other != name]
    for length in range(1, len(name) + 1):
        if length == len(name) or not any(other.startswith(name[:length]) for other in others):
            assert guide.path(name[:length]).stem == name
            assert guide.path(name[:length].upper()).stem == name


@pytest.mark.parametrize(
    ("beginning", "named"), [("quick", "quickstart"), ("lesson-1", "lesson-1-gradients"), ("gl", "glossary")]
)
def test_pages_are_shown_by_the_beginning_of_their_names(beginning, named, commands, tmp_path):
    """As by the whole name."""
    assert commands("guide", beginning, cwd=tmp_path).out == guide.path(named).read_text()


def test_an_ambiguous_beginning_is_a_usage_error(commands, tmp_path):
    """With the pages that begin so; an empty name is said to be empty."""
    done = commands("guide", "co", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "co: several pages begin with this: configuration, compare, compatibility; write more" in done.err
    assert commands("guide", "", cwd=tmp_path).err == (
        "error: the name of a page is empty; `lossbench guide` lists the pages\n"
    )


@each_name
def test_a_page_fits_into_80_columns_and_loses_no_word(name, monkeypatch):
    """Tables and code too; code keeps its margin, so that it can be copied."""
    monkeypatch.setenv("COLUMNS", "80")
    shown = terminal.render(guide.page(name))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert [line for line in plain.splitlines() if len(line) > 80] == []
    source = re.sub(r"<!--.*?-->|\]\([^)]*\)", " ", guide.page(name)).replace("&#124;", "|").replace("&lt;", "<")
    source = re.sub(
        r"^\|[^|]*(?=.*\n\| ---)", "", source, flags=re.MULTILINE
    )  # a record has no title of its first cell
    words = re.findall(r"\w{3,}", re.sub(r"^```\w+$", "", source, flags=re.MULTILINE))
    together = re.sub(r"\s", "", plain)
    assert [word for word in words if word not in together] == []
    assert "…" not in plain or "…" in source
    code = "".join(re.findall(r"^```\w+\n(.*?)^```", guide.page(name), re.DOTALL | re.MULTILINE))
    assert {*map(str.rstrip, code.splitlines())} - {*plain.splitlines()} == set()


def test_a_terminal_gets_headings_and_no_marks(tmp_path):
    """In a real pseudo-terminal: bold headings, code without fences, no Markdown left."""
    main, other = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "80"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "lossbench", "guide", "compare"]
    process = subprocess.Popen(command, stdout=other, cwd=tmp_path, env=environment)
    os.close(other)
    shown = b""
    while chunk := read(main):
        shown += chunk
    assert process.wait() == 0
    assert b"\x1b[1m" in shown or b"\x1b[1;4m" in shown
    assert not re.search(rb"^#+ |^```", shown, re.MULTILINE)


def read(descriptor):
    """Read from a pseudo-terminal, whose end is an error on Linux."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""
