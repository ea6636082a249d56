"""Figures of the loss cards, drawn by all cores; those that are newer than the code of the losses are kept."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import lossbench
from lossbench.losses import registry


def draw(folder: Path) -> None:
    """Draw `NAME.png` for every loss of the catalogue."""
    folder.mkdir(parents=True, exist_ok=True)
    newest = max(path.stat().st_mtime for path in Path(lossbench.__file__).parent.glob("losses/**/*.py"))
    old = [name for name in registry.built_in() if not _is_newer(folder / f"{name}.png", newest)]
    if old:
        spawn = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
        with ProcessPoolExecutor(min(os.cpu_count() or 1, len(old)), mp_context=spawn) as pool:
            list(pool.map(partial(_draw, folder), old))


def _is_newer(file: Path, newest: float) -> bool:
    return file.is_file() and file.stat().st_mtime > newest


def _draw(folder: Path, name: str) -> None:
    """Draw one figure, as `lossbench losses NAME --plot` does."""
    from lossbench import ops
    from lossbench.training.runtime import tensorflow

    ops.claim_process()
    tensorflow()  # with its messages off, before anything else imports it
    from lossbench.losses.expression import parse
    from lossbench.losses.lab.plot import save

    save({name: parse(name)}, folder / f"{name}.png")
