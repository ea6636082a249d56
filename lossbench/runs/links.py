"""Checks that no path below a runs folder is a link, so that a copied folder cannot redirect reads or writes.

The runs folder itself may be a link: that is its owner's choice. Pipes are refused too, because opening one blocks.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from lossbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def refuse(paths: Iterable[Path]) -> None:
    """Check that each path is a regular file, a folder, or missing.

    Raises:
        UsageError: A path is a link, a pipe or a device.
    """
    for path in paths:
        if kind := _wrong(path):
            raise UsageError(
                f"{path}: expected a file or a folder, got a {kind}; nothing is written through it: remove it, "
                "or choose another `runs_dir`",
                mentions=("runs_dir",),
            )


def within(folder: Path) -> Iterator[Path]:
    """Yield a folder and everything in it, without entering links to folders."""
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
