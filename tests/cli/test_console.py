"""The status line of silent seconds."""

import io

import pytest

from lossbench.cli import console, progress


class Terminal(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, *, is_terminal):
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self):
        """Return what the test wants."""
        return self.is_terminal


def screen(text):
    """What a terminal shows of a text at the end: a return and an erased line leave nothing."""
    return "\n".join(line.rpartition("\r\x1b[2K")[2] for line in text.split("\n"))


@pytest.fixture
def stderr(monkeypatch):
    """Replace stderr by a terminal or a pipe."""

    def replace(*, is_terminal=True, ci=""):
        stream = Terminal(is_terminal=is_terminal)
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setenv("CI", ci)
        monkeypatch.setenv("COLUMNS", "40")
        return stream

    return replace


def test_a_terminal_shows_it_until_the_block_ends(stderr):
    """In one line of the terminal's width; afterwards nothing is left of it."""
    stream = stderr()
    with console.status("reading the data, loading TensorFlow, building the model"):
        shown = stream.getvalue()
        assert shown.startswith("reading the data")
        assert len(shown) < 40
    assert screen(stream.getvalue()) == ""


@pytest.mark.parametrize("given", [{"is_terminal": False}, {"ci": "true"}, {"is_terminal": False, "ci": "1"}])
def test_a_pipe_and_a_ci_log_have_nothing_of_it(given, stderr):
    """Not even an erased line."""
    stream = stderr(**given)
    with console.status("planning the trials"):
        console.note("a note")
    assert stream.getvalue() == "a note\n"


def test_a_quiet_command_shows_nothing(stderr):
    """Neither the line nor what removes it."""
    stream = stderr()
    with console.status("planning the trials", quiet=True):
        pass
    with progress.progress(quiet=True) as listener:
        assert listener is None
    assert stream.getvalue() == ""


def test_a_message_takes_its_place(stderr):
    """A note inside and an error after the block stand alone on their line."""
    stream = stderr()
    with console.status("loading"):
        console.note("a note")
    console.note("error: none")
    assert screen(stream.getvalue()) == "a note\nerror: none\n"


def test_the_bar_of_a_run_takes_its_place(stderr, tmp_path):
    """The line is there before the run begins and gone when it has."""
    stream = stderr()
    with progress.progress(quiet=False) as listener:
        assert "loading TensorFlow" in stream.getvalue() or "reading the data" in stream.getvalue()
        listener.begin(tmp_path, epochs=2, done=0)
        assert "\r\x1b[2K" in stream.getvalue()
