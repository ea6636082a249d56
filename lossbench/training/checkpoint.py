"""Checkpoints: the complete state of an interrupted run, in one file that is complete or absent.

A checkpoint belongs to one trial. It contains the variables of the loop, the weights of the best epoch so far and, as
JSON, the rows of finished epochs, the number of finished batches of the current epoch and the seconds spent.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench import __version__, files
from lossbench.metrics import BEST_EPOCH, VALIDATION_COLUMNS
from lossbench.runs import arrays, paths, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FILE = "state.npz"
SECONDS_BETWEEN = 10.0
BEST_COLUMNS = tuple(f"val_{name}" for name in BEST_EPOCH)
REQUIRED = tuple(name for name in paths.METRICS_COLUMNS if name not in {"memorized", "recovered", *VALIDATION_COLUMNS})
"""Columns that every epoch has; with validation images it also has `BEST_COLUMNS`.

Other validation columns may be missing: a metric that was added to lossbench after the epoch was trained, or the
`val_loss` of a loss that has none.
"""
NUMBER_BYTES = 8
BEFORE_VERSIONS = "0.1.0"
"""The version whose checkpoints do not name theirs."""

LARGEST_HEADER_BYTES = 64 << 20
"""Enough for a hundred thousand epochs."""


@dataclass
class Position:
    """Progress of a run: rows of finished epochs, finished batches of the next one, seconds by phase."""

    history: list[dict[str, float | int | None]] = field(default_factory=list)
    batches: int = 0
    epoch_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """A position, the variables of the loop there, and the weights of the best epoch before it.

    Attributes:
        lossbench: The version that trained so far.
    """

    position: Position
    variables: Sequence[NDArray[Any]]
    best_weights: Sequence[NDArray[Any]]
    lossbench: str = __version__


def save(run: Path, identity: str, checkpoint: Checkpoint) -> None:
    """Write the checkpoint of a run folder; it replaces the previous one."""
    files.make_folder(run / paths.CHECKPOINT)
    facts = {"identity": identity, "lossbench": checkpoint.lossbench, **asdict(checkpoint.position)}
    header = json.dumps(facts).encode()
    named = {"header": np.frombuffer(header, np.uint8)}
    named |= {f"variable {number}": array for number, array in enumerate(checkpoint.variables)}
    named |= {f"best {number}": array for number, array in enumerate(checkpoint.best_weights)}
    write.arrays(run / paths.CHECKPOINT / FILE, named)


def load(run: Path, identity: str, *, numbers: int) -> Checkpoint | None:
    """Return the checkpoint of a run folder; None if it is missing, damaged or of another trial.

    Args:
        run: The run folder.
        identity: Identity of the trial.
        numbers: Total size of the loop's variables; a file that is far larger is not read.
    """
    try:
        found = arrays.load(run / paths.CHECKPOINT / FILE, max_bytes=LARGEST_HEADER_BYTES + 2 * numbers * NUMBER_BYTES)
        header = json.loads(found["header"].tobytes())
        if header.pop("identity") != identity:
            return None
        version = str(header.pop("lossbench", BEFORE_VERSIONS))
        groups = {
            kind: [found[name] for name in sorted(found, key=_number) if name.startswith(kind)]
            for kind in ("variable", "best")
        }
        return Checkpoint(_position(**header), groups["variable"], groups["best"], version)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def remove(run: Path) -> None:
    """Remove the checkpoint of a run, if there is one."""
    shutil.rmtree(run / paths.CHECKPOINT, ignore_errors=True)


def _position(
    history: list[dict[str, float | int | None]], batches: int, epoch_seconds: float, seconds: dict[str, float]
) -> Position:
    """Return the position in a checkpoint's header.

    Raises:
        ValueError: Training cannot have written it.
    """
    for epoch, row in enumerate(history):
        required = REQUIRED if history[0][BEST_COLUMNS[0]] is None else (*REQUIRED, *BEST_COLUMNS)
        if row["epoch"] != epoch or not all(
            _is_number(row.get(name)) or (row.get(name) is None and name not in required)
            for name in paths.METRICS_COLUMNS
        ):
            raise ValueError(f"epoch {epoch}")
    if type(batches) is not int or batches < 0 or not all(map(_is_number, (epoch_seconds, *seconds.values()))):
        raise ValueError("batches or seconds")
    return Position(history, batches, epoch_seconds, seconds)


def _is_number(value: object) -> bool:
    return type(value) in {int, float}


def _number(name: str) -> int:
    return int(name.partition(" ")[2] or -1)
