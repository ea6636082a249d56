"""Provenance of a run: time, versions, commits of lossbench and of the working folder."""

from __future__ import annotations

import datetime as dt
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from typing import Any

from lossbench import __version__, release


def now() -> str:
    """Return the time in UTC as ISO 8601, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


@cache
def versions() -> dict[str, str]:
    """Return the versions of lossbench, Python and the libraries that numbers depend on."""
    packages = ("tensorflow", "keras", "numpy")
    return {"lossbench": __version__, "python": platform.python_version(), **{name: version(name) for name in packages}}


@cache
def lossbench_commit() -> str | None:
    """Return the commit of lossbench, with `, modified` if its files differ; None if it is not known."""
    return release.commit() or None


@cache
def git() -> dict[str, Any] | None:
    """Return the commit of the working folder and whether it has changes; None outside a repository.

    The first call in a process decides.
    """
    commit = _git("rev-parse", "HEAD")
    return commit and {"commit": commit, "dirty": bool(_git("status", "--porcelain", "--untracked-files=no"))}


def _git(*arguments: str) -> Any:
    command = ["git", *arguments]
    try:
        # The command is constant; git is looked up on the user's own PATH.
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
