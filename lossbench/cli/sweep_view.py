"""Views of a running sweep: a live screen on a terminal, one line per trial elsewhere, or one JSON event per line."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lossbench.cli import console
from lossbench.sweep import verdicts
from lossbench.sweep.journal import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Group, RenderableType
    from rich.table import Table
    from rich.text import Text

    from lossbench.sweep.status import SweepStatus

LEADERS, RUNNING, VERDICTS = 3, 16, 12
"""Maximum number of losses per condition, of running trials and of verdicts on the screen."""

ACCURACIES = {"accuracy": "test", "validation_accuracy": "validation"}
"""The accuracies in an event, and the images that each is of; a trial that tunes has none of test images."""

REFRESH_SECONDS = 0.25
"""Minimum time between two refreshes of the screen."""


class SilentView:
    """Shows nothing; the base of the other views."""

    def __init__(self, status: SweepStatus) -> None:
        self._status, self._began = status, time.monotonic()
        self._stdout, self._stderr = sys.stdout, sys.stderr  # RayExecutor redirects sys.stdout and sys.stderr

    def handle(self, event: Mapping[str, Any]) -> None:
        """Handle an event of the sweep."""

    def close(self) -> None:
        """Release the terminal."""

    def _left(self) -> str:
        seconds = self._status.seconds_left(time.monotonic() - self._began)
        return "" if seconds is None else f"{'≤ ' * bool(self._status.decision)}{clock(seconds)}"


class JsonView(SilentView):
    """Prints one JSON event per line to stdout."""

    def handle(self, event: Mapping[str, Any]) -> None:
        """Handle an event of the sweep."""
        if event["event"] != "progress":
            console.result(json.dumps(event, ensure_ascii=False), to=self._stdout)


class LineView(SilentView):
    """Prints one line to stderr per trial that has ended or is dispatched again."""

    def handle(self, event: Mapping[str, Any]) -> None:
        """Handle an event of the sweep."""
        if EVENTS[event["event"]].is_logged:
            console.note(self._line(event), to=self._stderr)

    def _line(self, event: Mapping[str, Any]) -> str:
        """Return e.g. `12/90  focal-s0-c2886e2d8fae  test 97.62 %  3.1 s  left 2:41`."""
        if event["event"] == "look":
            return verdicts.look_line(event, self._status.name_condition)
        of = len(self._status.trials)
        parts = [f"{self._status.finished:>{len(str(of))}}/{of}", event["trial"]]
        parts += [f"{word} {100 * event[key]:.2f} %" for key, word in ACCURACIES.items() if key in event]
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
    """Shows counts, time left, running trials and the best losses so far, refreshed as the sweep advances."""

    def __init__(self, status: SweepStatus) -> None:
        from rich.console import Console
        from rich.live import Live

        super().__init__(status)
        self._last_refresh = 0.0
        self._live = Live(console=Console(file=self._stderr), auto_refresh=False, transient=True)
        self._live.start()

    def handle(self, event: Mapping[str, Any]) -> None:
        """Refresh the screen, and print a problem above it."""
        if time.monotonic() - self._last_refresh > REFRESH_SECONDS:
            self._live.update(self.screen(), refresh=True)
            self._last_refresh = time.monotonic()
        if EVENTS[event["event"]].is_problem:
            self._live.console.print(console.plain(self._line(event)), markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Remove the screen."""
        self._live.stop()

    def screen(self) -> Group:
        """Return the screen: counts, running trials, best losses so far."""
        from rich.console import Group

        return Group(self._header(), "", *self._running(), *self._verdicts(), *self._best())

    def _verdicts(self) -> Iterator[RenderableType]:
        """Yield the verdicts of a sweep that adds seeds until it is decided, with the seeds of each loss so far."""
        from rich.text import Text

        decision = self._status.decision
        if decision is None:
            return
        rows, saved = verdicts.verdict_rows(decision, self._status.name_condition), self._status.counts["dropped"]
        look = f" · next look at {decision.pending.seeds} seeds" if decision.pending else ""
        decided = sum(row.verdict != "undecided" for row in rows)
        yield Text(f"\n{decided} of {len(rows)} decided{look} · {saved} trainings saved", style="cyan")
        table = _grid()
        for row in rows[:VERDICTS]:
            name = f"{row.loss} · {row.condition}" if row.condition else row.loss
            table.add_row(_cut(name), row.verdict, f"n {row.seeds}" if row.seeds else "")
        yield table
        if len(rows) > VERDICTS:
            yield Text(f"and {len(rows) - VERDICTS} more")

    def _header(self) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        status, counts = self._status, self._status.counts
        done, failed, running = counts["completed"] + counts["diverged"], counts["failed"], len(status.running)
        of = len(status.trials) - counts["dropped"]
        left = self._left()
        text = f"{done} done · {running} running · {failed} failed · {of - done - failed - running} left"
        row = Table.grid(padding=(0, 2, 0, 0))
        bar = ProgressBar(total=of, completed=done + failed, width=20)
        row.add_row(bar, Text(text), Text(f"{left} left" if left else "", style="bold"))
        return row

    def _best(self) -> Iterator[RenderableType]:
        """Yield a table of the losses with the best validation accuracy per condition, with the number of seeds."""
        from rich.text import Text

        leaders = self._status.leaders()
        for condition in dict.fromkeys(each.condition for each in leaders):
            table = _grid()
            for each in [leader for leader in leaders if leader.condition == condition][:LEADERS]:
                spread = "" if each.sd is None else f" ± {100 * each.sd:.2f}"
                table.add_row(_cut(each.loss), f"{100 * each.mean:.2f}{spread} %", f"n {each.n}")
            named = ", ± standard deviation" * any(each.sd is not None for each in leaders)
            yield Text(f"\nbest so far by validation{f' · {condition}' if condition else ''}{named}", style="cyan")
            yield table

    def _running(self) -> Iterator[RenderableType]:
        from rich.text import Text

        running = dict(sorted(self._status.running.items()))
        table = _grid()
        for number, progress in list(running.items())[:RUNNING]:
            folder = self._status.trials[number].trial.folder
            if progress is None:
                table.add_row(_cut(folder), "starts", "")
                continue
            epoch = min(int(progress.done) + 1, progress.epochs)
            accuracy = "" if progress.accuracy is None else f"accuracy {progress.accuracy:.4f}"
            table.add_row(_cut(folder), f"epoch {epoch}/{progress.epochs}", accuracy)
        yield Text("running", style="cyan")
        yield table
        if len(running) > RUNNING:
            yield Text(f"and {len(running) - RUNNING} more")


def _grid() -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    return table


def _cut(name: str) -> Text:
    """Return a name that ends in an ellipsis where it has no room, so that the numbers beside it stay complete."""
    from rich.text import Text

    return Text(name, no_wrap=True, overflow="ellipsis")


def clock(seconds: float) -> str:
    """Return seconds as `0:07`, `2:41` or `1:03:20`.

    Example:
        >>> clock(161.4)
        '2:41'
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def view(status: SweepStatus, *, quiet: bool, as_json: bool) -> Iterator[SilentView]:
    """Yield the view: JSON, nothing if quiet, a screen on a terminal, lines elsewhere."""
    kind = JsonView if as_json else SilentView if quiet else ScreenView if console.is_terminal(sys.stderr) else LineView
    shown = kind(status)
    try:
        yield shown
    finally:
        shown.close()
