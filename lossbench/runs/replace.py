"""Where a run is trained anew: beside the old one, which is lost only when the new one is complete."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lossbench import files
from lossbench.errors import MachineError

if TYPE_CHECKING:
    from pathlib import Path


def rerun_folder(run: Path) -> Path:
    """The hidden folder beside a run in which it is trained anew."""
    return run.with_name(f".rerun-{run.name}")


def candidate_folders(run: Path) -> tuple[Path, Path, Path]:
    """Every folder that a run may be in: its own, that in which it is trained anew, that of the old one."""
    return run, rerun_folder(run), _old(run)


def promote(run: Path) -> None:
    """Put the complete new run in the place of the old one. An end halfway through is mended by `recover`."""
    try:
        if run.exists():
            run.rename(_old(run))
        rerun_folder(run).rename(run)
        files.sync(run.parent)
    except OSError as error:
        raise MachineError(f"{run}: the new run cannot take its place: {error.strerror}") from error
    recover(run)


def recover(run: Path) -> None:
    """Finish an exchange that ended halfway: the old run is moved aside only once the new one is complete.

    Where there is no new one, the user has taken it away, and the old one goes back to its place.
    """
    if not _old(run).exists():
        return
    try:
        if not run.exists():
            (rerun_folder(run) if rerun_folder(run).exists() else _old(run)).rename(run)
            files.sync(run.parent)
    except OSError as error:
        raise MachineError(f"{run}: the run beside it cannot take its place: {error.strerror}") from error
    shutil.rmtree(_old(run), ignore_errors=True)


def _old(run: Path) -> Path:
    return run.with_name(f".old-{run.name}")
