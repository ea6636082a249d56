"""Interface through which a run reports its progress; the command line shows it as bars or lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Progress(Protocol):
    """Receiver of the progress of a run."""

    def begin(self, run: Path, *, epochs: int, done: int) -> None:
        """Start training, or continue it after `done` epochs."""

    def steps(self, epoch: int, *, share: float, loss: float, accuracy: float) -> None:
        """Report the share of the epoch's batches that is done, with loss and accuracy so far."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Report a finished epoch: its row of `metrics.csv`."""

    def note(self, sentence: str) -> None:
        """Report a sentence for the user."""


class Silent:
    """Receiver that ignores everything."""

    def begin(self, run: Path, *, epochs: int, done: int) -> None:
        """Ignore it."""

    def steps(self, epoch: int, *, share: float, loss: float, accuracy: float) -> None:
        """Ignore it."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Ignore it."""

    def note(self, sentence: str) -> None:
        """Ignore it."""
