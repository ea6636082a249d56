"""The claim of a run: a lock of the operating system, released by the kernel when its holder ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import sys
from typing import IO, TYPE_CHECKING

from lossbench.errors import LossbenchError, MachineError
from lossbench.runs import paths, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def claim(run: Path) -> Iterator[None]:
    """Hold the run folder `runs/NAME/FOLDER` against other processes, through `runs/NAME/.locks/FOLDER`.

    Raises:
        LossbenchError: Another process holds it.
        MachineError: The lock file cannot be written, or its file system has no locks.
    """
    lock = run.parent / paths.LOCKS / run.name
    write.folder(lock.parent)
    try:
        file = lock.open("ab")
    except OSError as error:
        raise MachineError(f"{lock}: cannot be written: {error.strerror}") from error
    with file:
        try:
            _lock(file)
        except OSError as error:
            if error.errno in {errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}:
                raise LossbenchError(f"{run}: another process trains this run; wait for it, or stop it") from error
            raise MachineError(f"{lock}: cannot be locked: {error.strerror}; choose a runs folder elsewhere") from error
        yield


if sys.platform == "win32":

    def _lock(file: IO[bytes]) -> None:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:

    def _lock(file: IO[bytes]) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
