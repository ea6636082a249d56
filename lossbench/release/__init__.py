"""What belongs to a release: the commit that was built, and the tested versions of all dependencies.

constraints.txt  tested versions, for `pip install -c`
commit.txt       commit that was built; only in wheels and source distributions
build_hook.py    writes commit.txt when a wheel or source distribution is built
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parent
CONSTRAINTS = FOLDER / "constraints.txt"
COMMIT = FOLDER / "commit.txt"
CHECKOUT = FOLDER.parents[1]
"""Folder of the repository, where lossbench is not installed from a wheel."""

DESCRIBE = ("git", "describe", "--always", "--abbrev=12", "--match=", "--dirty")
"""Command that prints the commit of a repository, whatever its tags, with `-dirty` if files differ from it."""

UNTRACKED = ("git", "ls-files", "--others", "--exclude-standard", "--", "lossbench", "configs")
"""Command that prints the files that a build contains and no commit has."""

MODIFIED = ", modified"


def commit() -> str:
    """Return the commit of this lossbench, and whether files were changed since; empty if it is not known."""
    if COMMIT.is_file():
        return COMMIT.read_text(encoding="utf-8").strip()
    if not (CHECKOUT / ".git").exists() or not _is_this_project(CHECKOUT / "pyproject.toml"):
        return ""
    return _git(DESCRIBE).replace("-dirty", MODIFIED)


def commit_of_build() -> str:
    """Return the commit of this lossbench; it is modified also by untracked files, which a build contains."""
    found = commit()
    untracked = _git(UNTRACKED) if found and not found.endswith(MODIFIED) else ""
    return found + MODIFIED * bool(untracked)


def _git(command: Sequence[str]) -> str:
    """Return what a command of git prints about the repository; empty if it fails."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    settings |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_CEILING_DIRECTORIES": str(CHECKOUT.parent)}
    try:
        # The command is constant; git is looked up on the user's own PATH.
        done = subprocess.run(  # noqa: S603
            command, cwd=CHECKOUT, env=settings, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _is_this_project(file: Path) -> bool:
    """Return whether a `pyproject.toml` is that of lossbench, and not of a project that contains a copy of it."""
    try:
        return 'name = "lossbench"' in file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
