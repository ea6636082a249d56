"""The end of a process: quick, and complete."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PREPARE = """
import atexit, sys, threading, time
from lossbench import __main__
class Costly:
    def __del__(self): print("freed")
costly = Costly()
__main__.run = lambda: sys.exit(4)
"""


def end(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Return a process that runs a command of exit code 4 after some code."""
    script = f"{PREPARE}{code}\n__main__.main()\n"
    return subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)


def test_nothing_is_freed(tmp_path: Path) -> None:
    """That takes a second with TensorFlow; the exit code is the command's."""
    done = end("", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "")


def test_exit_handlers_run_and_files_are_complete(tmp_path: Path) -> None:
    """Also a file that a user's loss has left open, and output without a line's end."""
    done = end(
        "atexit.register(print, 'handler'); file = open('log.txt', 'w'); file.write('all'); import gc; gc.freeze()\n"
        "print('out', end=' ')",
        tmp_path,
    )
    assert (done.returncode, done.stdout, (tmp_path / "log.txt").read_text()) == (4, "out handler\n", "all")


def test_python_ends_a_process_with_another_thread(tmp_path: Path) -> None:
    """It waits for the thread."""
    done = end("threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()", tmp_path)
    assert (done.returncode, done.stdout) == (4, "thread\nfreed\n")


@pytest.mark.parametrize("switch", ["setprofile", "settrace"])
def test_python_ends_a_process_that_a_profiler_or_debugger_watches(switch: str, tmp_path: Path) -> None:
    """It reports afterwards."""
    done = end(f"sys.{switch}(lambda *_: None)\n__main__.os._exit = lambda _: print('ended here')", tmp_path)
    assert (done.returncode, "ended here" in done.stdout) == (4, False)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full")
def test_output_that_cannot_be_written_has_pythons_exit_code() -> None:
    """A full disk is no success."""
    script = f"{PREPARE}sys.stdout.write('out')\n__main__.run = lambda: sys.exit(0)\n__main__.main()\n"
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-c", script],
            stdout=full,
            stderr=-3,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            check=False,
        )
    assert done.returncode == 120
