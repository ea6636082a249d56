"""Checkpoints: everything that a run needs to go on as if nothing had happened, in one file that is whole or absent.

A checkpoint belongs to one trial. It holds the loop's variables, the weights of the best epoch so far, and as JSON the
epoch rows written, the batches done in the current epoch and the seconds spent.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench.runs import paths, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FILE = "state.npz"
SECONDS_BETWEEN = 10.0


@dataclass
class Position:
    """How far a run is: the rows of the finished epochs, the batches done in the next one, the seconds by phase."""

    history: list[dict[str, float | int | None]] = field(default_factory=list)
    batches: int = 0
    epoch_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """A position with the arrays that belong to it."""

    position: Position
    variables: Sequence[NDArray[Any]]
    best_weights: Sequence[NDArray[Any]]


def save(run: Path, identity: str, checkpoint: Checkpoint) -> None:
    """Write the checkpoint of a run folder in place of the one before."""
    write.folder(run / paths.CHECKPOINT)
    header = json.dumps({"identity": identity, **asdict(checkpoint.position)}).encode()
    arrays = {"header": np.frombuffer(header, np.uint8)}
    arrays |= {f"variable {number}": array for number, array in enumerate(checkpoint.variables)}
    arrays |= {f"best {number}": array for number, array in enumerate(checkpoint.best_weights)}
    write.arrays(run / paths.CHECKPOINT / FILE, arrays)


def load(run: Path, identity: str) -> Checkpoint | None:
    """The checkpoint of a run folder; None where there is none, or it is damaged or another trial's."""
    try:
        with (run / paths.CHECKPOINT / FILE).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            header = json.loads(file["header"].tobytes())
            if header.pop("identity") != identity:
                return None
            groups = {
                kind: [file[name] for name in sorted(file.files, key=_number) if name.startswith(kind)]
                for kind in ("variable", "best")
            }
        return Checkpoint(Position(**header), groups["variable"], groups["best"])
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def remove(run: Path) -> None:
    """Take the checkpoint away: the run is complete."""
    shutil.rmtree(run / paths.CHECKPOINT, ignore_errors=True)


def _number(name: str) -> int:
    return int(name.partition(" ")[2] or -1)
