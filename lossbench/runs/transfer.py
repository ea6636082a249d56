"""Copies of a run folder in memory, for machines that do not share a file system."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from lossbench import files
from lossbench.errors import LossbenchError
from lossbench.runs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}){0,3}", re.ASCII)


def read_files(run: Path) -> dict[str, bytes]:
    """Return the contents of a run folder's files by relative path, hidden files left out; empty if it is missing."""
    found = (path for path in sorted(run.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in found}


def write_files(run: Path, contents: Mapping[str, bytes]) -> None:
    """Replace a run folder as a whole by copied files.

    Args:
        run: The run folder.
        contents: The files by relative path, as `read_files` returns them.

    Raises:
        LossbenchError: A name could lead out of the folder; nothing is written.
        MachineError: A file cannot be written.
    """
    for name in contents:
        if not _NAME.fullmatch(name):
            raise LossbenchError(f"{run}: a copied file has the name {name[:80]!r}; it is not written")
    rerun = replace.rerun_folder(run)
    files.make_folder(run.parent)
    shutil.rmtree(rerun, ignore_errors=True)
    for name, content in contents.items():
        files.make_folder((rerun / name).parent)
        files.write_bytes(rerun / name, content)
    replace.promote(run)
