"""Replacement of a run: the new run is trained in a hidden folder, and the old one is kept until it is complete."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lossbench import files
from lossbench.errors import MachineError

if TYPE_CHECKING:
    from pathlib import Path


def rerun_folder(run: Path) -> Path:
    """Return the hidden folder in which a run is trained again."""
    return run.with_name(f".rerun-{run.name}")


def candidate_folders(run: Path) -> tuple[Path, Path, Path]:
    """Return every folder that may hold the run: its own, that of its rerun, and that of the replaced run."""
    return run, rerun_folder(run), _old(run)


def promote(run: Path) -> None:
    """Replace a run by its complete rerun; if the process ends in between, `recover` finishes the replacement.

    Raises:
        MachineError: A folder cannot be renamed.
    """
    try:
        if run.exists():
            run.rename(_old(run))
        rerun_folder(run).rename(run)
        files.sync(run.parent)
    except OSError as error:
        raise MachineError(f"{run}: cannot be replaced by its rerun: {error.strerror}") from error
    recover(run)


def recover(run: Path) -> None:
    """Finish a replacement that was interrupted: the old run is moved aside only after the new one is complete.

    If the user removed the new run meanwhile, the old one is moved back.

    Raises:
        MachineError: A folder cannot be renamed.
    """
    if not _old(run).exists():
        return
    try:
        if not run.exists():
            (rerun_folder(run) if rerun_folder(run).exists() else _old(run)).rename(run)
            files.sync(run.parent)
    except OSError as error:
        raise MachineError(f"{run}: its interrupted replacement cannot be finished: {error.strerror}") from error
    shutil.rmtree(_old(run), ignore_errors=True)


def _old(run: Path) -> Path:
    return run.with_name(f".old-{run.name}")
