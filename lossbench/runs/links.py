"""What lossbench writes to or reads below a runs folder is never a link: a folder from elsewhere leads nowhere else.

The runs folder itself may be a link: that is its owner's choice. A pipe is refused too, which would be waited for.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from lossbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def opener(path: str, flags: int) -> int:
    """For `open`: as usual, but what is there must be a file, neither a link to one nor a pipe.

    Raises:
        OSError: It is something else.
    """
    try:
        descriptor = os.open(path, flags | _FLAGS, 0o666)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise _no_file() from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_file()
    return descriptor


def refuse(paths: Iterable[Path]) -> None:
    """Check that each path is a file or a folder, or is not there yet.

    Raises:
        UsageError: One of them is a link or a pipe.
    """
    for path in paths:
        if kind := _wrong(path):
            raise UsageError(
                f"{path}: expected a file or a folder, got a {kind}; nothing is written through it: remove it, "
                "or choose another --runs-dir"
            )


def within(folder: Path) -> Iterator[Path]:
    """A folder and everything in it, links to folders not entered."""
    yield folder
    for inner, folders, files in os.walk(folder) if not folder.is_symlink() else ():
        yield from (Path(inner, name) for name in (*folders, *files))


def _wrong(path: Path) -> str | None:
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    plain = stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    return None if plain else "link" if stat.S_ISLNK(mode) else "pipe or a device"


def _no_file() -> OSError:
    return OSError(errno.EINVAL, "is not a regular file")
