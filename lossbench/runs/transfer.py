"""A run folder as bytes, to be carried to where no shared folder reaches, and back."""

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
    """Every file of a run folder by its name in it; none if there is no such folder."""
    found = (path for path in sorted(run.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in found}


def write_files(run: Path, contents: Mapping[str, bytes]) -> None:
    """Put a packed folder in the place of a run folder, as a whole.

    Raises:
        LossbenchError: A name could lead out of the folder; nothing is written.
        MachineError: It cannot be written.
    """
    for name in contents:
        if not _NAME.fullmatch(name):
            raise LossbenchError(f"{run}: a file that came back is called {name[:80]!r}; it is not written")
    beside = replace.rerun_folder(run)
    files.make_folder(run.parent)
    shutil.rmtree(beside, ignore_errors=True)
    for name, content in contents.items():
        files.make_folder((beside / name).parent)
        files.write_bytes(beside / name, content)
    replace.promote(run)
