"""A hostile run folder can be looked at: nothing in it reaches the terminal as a control sequence."""

import pytest

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b2Jfocal"


@pytest.mark.parametrize("command", ["compare", "show"])
def test_no_control_sequence_of_a_run_folder_reaches_the_terminal(command, fabricate, lossbench, tmp_path):
    """`compare` and `show` print a hostile name, reason and device without one control character."""
    run = fabricate(
        tmp_path / "runs", HOSTILE, status="diverged", reason=HOSTILE, device={"kind": "cpu", "name": HOSTILE}
    )
    done = lossbench(command, run if command == "show" else tmp_path / "runs")
    assert "Traceback" not in done.stderr
    assert "focal" in done.stdout + done.stderr
    assert not set(done.stdout + done.stderr) & {"\x1b", "\x07", "\x9b"}


def test_an_error_shows_the_escapes_of_an_argument(lossbench):
    """And sends none of them to the terminal."""
    done = lossbench("show", HOSTILE, check=2)
    assert done.stderr == "error: \\x1b]0;owned\\x07\\x1b[2J\\x9b2Jfocal: no such folder\n"


def test_a_path_that_is_not_utf_8_can_be_printed(lossbench):
    """As an escape, where the output cannot hold its bytes."""
    done = lossbench("init", "\udc80.yaml", PYTHONIOENCODING="utf-8:strict", check=0)
    assert done.stdout == "\\udc80.yaml\n"
