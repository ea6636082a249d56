"""Claims of runs by operating-system locks, which the kernel releases however the holder ends."""

from __future__ import annotations

import contextlib
import errno
import sys
from typing import IO, TYPE_CHECKING

from lossbench import files
from lossbench.errors import MachineError, TakenRunError
from lossbench.runs import links, paths, replace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def lock_file(run: Path) -> Path:
    """Return the path of a run's lock file, `runs/NAME/.locks/FOLDER`."""
    return run.parent / paths.LOCKS / run.name


@contextlib.contextmanager
def claim(run: Path, *, wait: bool = False) -> Iterator[None]:
    """Lock the run folder `runs/NAME/FOLDER` against other processes for the length of a `with` block.

    Args:
        run: The run folder; it need not exist.
        wait: Wait until no other process holds the lock.

    Raises:
        TakenRunError: Another process holds the lock, and `wait` is False.
        UsageError: A path that would be written to is a link, a pipe or a device.
        MachineError: The lock file cannot be written, or its file system has no locks.
    """
    lock = lock_file(run)
    links.refuse([run.parent, lock.parent, lock])
    for folder in replace.candidate_folders(run):
        links.refuse(links.within(folder))
    files.make_folder(lock.parent)
    with files.report_errors(lock):
        file = open(lock, "ab", opener=files.open_regular)  # noqa: SIM115 - closed below
    with file:
        try:
            _lock(file, wait=wait)
        except OSError as error:
            if error.errno in {errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}:
                raise TakenRunError(f"{run}: another process trains this run; wait for it, or stop it") from error
            raise MachineError(f"{lock}: cannot be locked: {error.strerror}; choose a runs folder elsewhere") from error
        yield


if sys.platform == "win32":

    def _lock(file: IO[bytes], *, wait: bool) -> None:
        import msvcrt

        while True:
            file.seek(0)
            try:
                return msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError as error:  # LK_LOCK gives up after ten seconds
                if not wait or error.errno != errno.EDEADLK:
                    raise

else:

    def _lock(file: IO[bytes], *, wait: bool) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
