"""Progress of a run on stderr: a bar on a terminal, one line per epoch elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lossbench.cli import console

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Lines:
    """Prints one line per epoch."""

    def __init__(self) -> None:
        self._epochs = 0

    def begin(self, run: Path, *, epochs: int, done: int) -> None:
        """Print the run folder, and the epoch after which the run continues."""
        self._epochs = epochs
        plural = "s" if epochs > 1 else ""
        self.note(f"{run}: continues after epoch {done} of {epochs}" if done else f"{run}: {epochs} epoch{plural}")

    def steps(self, epoch: int, *, share: float, loss: float, accuracy: float) -> None:
        """Do nothing: one line per epoch is enough."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Print the row of an epoch."""
        from lossbench.training.epochs import line

        self.note(line(row, self._epochs))

    def note(self, sentence: str) -> None:
        """Print a remark."""
        console.note(sentence)

    def close(self) -> None:
        """Release the terminal."""


class Bars(Lines):
    """Shows one bar for the run with loss, accuracy and time left; finished epochs scroll above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        super().__init__()
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=24),
            TextColumn("loss {task.fields[loss]:.4f}  accuracy {task.fields[accuracy]:.4f}  left"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: Any = None

    def begin(self, run: Path, *, epochs: int, done: int) -> None:
        """Show the bar."""
        console.clear_status()
        super().begin(run, epochs=epochs, done=done)
        self._task = self._bar.add_task(
            "", total=epochs, completed=done, epoch=f"{done + 1}/{epochs}", loss=0.0, accuracy=0.0
        )
        self._bar.start()

    def steps(self, epoch: int, *, share: float, loss: float, accuracy: float) -> None:
        """Advance the bar."""
        where = f"{epoch + 1}/{self._epochs}"
        self._bar.update(self._task, completed=epoch + share, epoch=where, loss=loss, accuracy=accuracy)

    def note(self, sentence: str) -> None:
        """Print a remark above the bar, without markup or wrapping."""
        console.clear_status()
        self._bar.console.print(console.plain(sentence), markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Remove the bar."""
        self._bar.stop()


@contextmanager
def progress(*, quiet: bool) -> Iterator[Lines | None]:
    """Yield the listener of a run's progress: None if quiet, a bar on a terminal, lines elsewhere.

    Until the run begins, a terminal shows a status line.
    """
    if quiet:
        yield None
        return
    listener = Bars() if console.is_terminal(sys.stderr) else Lines()
    try:
        with console.status("reading the data, loading TensorFlow, building the model"):
            yield listener
    finally:
        listener.close()
