"""A run is trained by one process at a time."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lossbench.errors import LossbenchError, MachineError, UsageError
from lossbench.runs import lock

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import pathlib, sys
from lossbench.runs import lock
with lock.claim(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_refused_until_the_holder_dies(tmp_path: Path) -> None:
    """While a process holds the claim nobody else gets it; SIGKILL releases it."""
    run = tmp_path / "runs" / "mnist" / "focal-s0-0123456789ab"
    arguments = [sys.executable, "-c", HOLD, str(run)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(LossbenchError, match="another process trains this run") as caught, lock.claim(run):
            pass
        assert not isinstance(caught.value, UsageError)
        holder.kill()
        holder.wait()
        with lock.claim(run):
            assert (tmp_path / "runs" / "mnist" / ".locks" / run.name).is_file()


def test_claims_of_different_runs_do_not_meet(tmp_path: Path) -> None:
    """Each run has a lock of its own, and a claim can be taken again after it ended, even by an error."""
    with lock.claim(tmp_path / "n" / "a"), lock.claim(tmp_path / "n" / "b"):
        pass
    with pytest.raises(KeyboardInterrupt), lock.claim(tmp_path / "n" / "a"):
        raise KeyboardInterrupt
    with lock.claim(tmp_path / "n" / "a"):
        pass


def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system has no locks, the error says so and what to do."""

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    with pytest.raises(MachineError, match="cannot be locked: No locks available"), lock.claim(tmp_path / "n" / "a"):
        pass
