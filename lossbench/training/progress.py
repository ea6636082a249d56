"""What a run tells while it goes on; the command line turns it into bars or lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Progress(Protocol):
    """Listens to a run."""

    def begin(self, run: Path, *, epochs: int, done: int) -> None:
        """Training starts, or continues after `done` epochs."""

    def steps(self, epoch: int, *, share: float, loss: float, accuracy: float) -> None:
        """A share of an epoch's batches is done, with its loss and accuracy so far."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        """An epoch is done: its row of `metrics.csv`."""

    def note(self, sentence: str) -> None:
        """Something that the user may want to know."""


class Silent:
    """Tells nothing."""

    def begin(self, run: Path, *, epochs: int, done: int) -> None:
        """Nothing."""

    def steps(self, epoch: int, *, share: float, loss: float, accuracy: float) -> None:
        """Nothing."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Nothing."""

    def note(self, sentence: str) -> None:
        """Nothing."""
