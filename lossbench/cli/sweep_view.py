"""How a sweep shows itself: a live screen on a terminal, a line a trial elsewhere, a line an event as JSON."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lossbench.cli import console

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Group, RenderableType
    from rich.table import Table

    from lossbench.sweep.status import SweepStatus

LEADERS, RUNNING = 3, 16
"""At most so many losses of a condition, and so many running trials, are shown."""

REFRESH_SECONDS = 0.25
"""Two drawings of the screen."""

LOGGED_EVENTS = ("completed", "diverged", "failed", "retried", "interrupted")


class SilentView:
    """Shows nothing."""

    def __init__(self, status: SweepStatus) -> None:
        self._status, self._began = status, time.monotonic()
        self._stdout, self._stderr = sys.stdout, sys.stderr  # Ray is kept off them meanwhile

    def handle(self, event: Mapping[str, Any]) -> None:
        """Take note of an event."""

    def close(self) -> None:
        """Nothing is open."""

    def _left(self) -> str:
        seconds = self._status.seconds_left(time.monotonic() - self._began)
        return "" if seconds is None else clock(seconds)


class JsonView(SilentView):
    """One line an event on stdout."""

    def handle(self, event: Mapping[str, Any]) -> None:
        """Print it."""
        if event["event"] != "progress":
            console.result(json.dumps(event, ensure_ascii=False), to=self._stdout)


class LineView(SilentView):
    """One line for each trial that is over, or has to be begun anew."""

    def handle(self, event: Mapping[str, Any]) -> None:
        """Print it."""
        if event["event"] in LOGGED_EVENTS:
            console.note(self._line(event), to=self._stderr)

    def _line(self, event: Mapping[str, Any]) -> str:
        """`12/90  focal-s0-c2886e2d8fae  97.62 %  3.1 s  left 2:41`."""
        of = len(self._status.trials)
        parts = [f"{self._status.finished:>{len(str(of))}}/{of}", event["trial"]]
        if "accuracy" in event:
            parts.append(f"{event['accuracy']:.2%}")
        if event["event"] in {"failed", "retried"}:
            parts.append(f"{event['event']}: {event['reason']}")
        elif event["event"] != "completed":
            parts.append(event["event"])
        if "elsewhere" in event:
            parts.append("trained by another sweep")
        elif "seconds" in event:
            parts.append(f"{event['seconds']:.1f} s")
        left = self._left()
        return "  ".join([*parts, f"left {left}"] if left and self._status.finished < of else parts)


class ScreenView(LineView):
    """Counts, time left, the best losses so far, and a line for each running trial, redrawn as it moves."""

    def __init__(self, status: SweepStatus) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(status)
        self._last_refresh = 0.0
        self._live = Live(console=Console(file=self._stderr), auto_refresh=False, transient=True)
        self._live.start()

    def handle(self, event: Mapping[str, Any]) -> None:
        """Print above the screen what went wrong; the rest is on it."""
        if time.monotonic() - self._last_refresh > REFRESH_SECONDS:
            self._live.update(self._screen(), refresh=True)
            self._last_refresh = time.monotonic()
        if event["event"] in {"failed", "retried", "diverged"}:
            self._live.console.print(console.plain(self._line(event)), markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the screen away."""
        self._live.stop()

    def _screen(self) -> Group:
        from rich.console import Group

        return Group(self._head(), "", *self._running(), *self._best())

    def _head(self) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        status, counts = self._status, self._status.counts
        done, failed, running = counts["completed"] + counts["diverged"], counts["failed"], len(status.running)
        of = len(status.trials)
        left = self._left()
        text = f"{done} done · {running} running · {failed} failed · {of - done - failed - running} left"
        row = Table.grid(padding=(0, 2, 0, 0))
        bar = ProgressBar(total=of, completed=done + failed, width=20)
        row.add_row(bar, Text(text), Text(f"{left} to go" if left else "", style="bold"))
        return row

    def _best(self) -> Iterator[RenderableType]:
        """The most accurate losses of each condition, with the number of seeds that this rests on."""
        from rich.text import Text

        leaders = self._status.leaders()
        for condition in dict.fromkeys(each.condition for each in leaders):
            table = _grid(Text(f"best so far{f' · {condition}' if condition else ''}", style="cyan"))
            for each in [leader for leader in leaders if leader.condition == condition][:LEADERS]:
                spread = "" if each.sd is None else f" ± {100 * each.sd:.2f}"
                table.add_row(Text(each.loss), f"{100 * each.mean:.2f}{spread} %", f"n {each.n}")
            yield ""
            yield table

    def _running(self) -> Iterator[RenderableType]:
        from rich.text import Text

        running = dict(sorted(self._status.running.items()))
        table = _grid(Text("running", style="cyan"))
        for number, progress in list(running.items())[:RUNNING]:
            folder = self._status.trials[number].trial.folder
            if progress is None:
                table.add_row(Text(folder), "starts", "")
                continue
            epoch = min(int(progress.done) + 1, progress.epochs)
            accuracy = "" if progress.accuracy is None else f"accuracy {progress.accuracy:.4f}"
            table.add_row(Text(folder), f"epoch {epoch}/{progress.epochs}", accuracy)
        yield table
        if len(running) > RUNNING:
            yield Text(f"and {len(running) - RUNNING} more")


def _grid(title: RenderableType) -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_row(title)
    return table


def clock(seconds: float) -> str:
    """A time as one reads it: `0:07`, `2:41`, `1:03:20`.

    Example:
        >>> clock(161.4)
        '2:41'
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def view(status: SweepStatus, *, quiet: bool, as_json: bool) -> Iterator[SilentView]:
    """What suits the place: nothing if quiet, JSON if asked for, a screen on a terminal, lines elsewhere."""
    kind = JsonView if as_json else SilentView if quiet else ScreenView if sys.stderr.isatty() else LineView
    shown = kind(status)
    try:
        yield shown
    finally:
        shown.close()
