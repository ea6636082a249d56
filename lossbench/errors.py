"""Every error that lossbench raises on purpose, and the exit status that each one means.

    LossbenchError              1   something went wrong that is not the user's input
    ├── UsageError              2   the command line, or anything it names, is not what was expected
    │   ├── ConfigError         2   a configuration; carries every problem at once
    │   ├── DataError           2   a data folder or a file in it
    │   ├── PluginError         2   a user's own loss
    │   └── DeviceError         2   a device that this machine does not have
    ├── MachineError            1   disk full, no permission, damaged installation
    ├── TakenRunError           1   another process trains this run
    ├── GateFailedError         3   a loss crossed a threshold of the gate, or a run does not give its numbers again
    ├── UnfinishedRunError      4   a run failed or diverged
    ├── NothingMatchedError     5   no run matched what was asked for
    ├── UndecidedError          6   the gate could not decide, and was to be strict
    └── InterruptedRunError   128+n stopped by signal n; the same command continues

A message is one sentence or one line a problem: where, what was expected, what was found, what to do.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class LossbenchError(Exception):
    """Root of the family: printed as `error: message` without a traceback.

    Attributes:
        exit_code: Exit status of a command that ends with this error.
        parameter: The Python parameter that the message is about, which then begins with its name; None if there is
            none. The command line prints the option of that name instead. So it does with every other parameter that
            a message names in backquotes.
    """

    exit_code = 1

    def __init__(self, message: str = "", *, parameter: str | None = None) -> None:
        super().__init__(f"{parameter}: {message}" if parameter else message)
        self.parameter = parameter


class UsageError(LossbenchError):
    """The command line, or something that it names, is not what was expected."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a configuration: the path of keys that leads to it, and the sentence to print."""

    path: tuple[str | int, ...]
    message: str


class ConfigError(UsageError):
    """A configuration is not valid; `problems` holds every reason, the message one line for each."""

    def __init__(self, lines: list[str], problems: list[Problem] | None = None) -> None:
        super().__init__("\n".join(lines))
        self.problems = problems or []


class DataError(UsageError):
    """A data folder, or a file in it, cannot be used."""


class PluginError(UsageError):
    """A user's own loss cannot be imported or used."""


class DeviceError(UsageError):
    """A device was asked for that is not there."""


class MachineError(LossbenchError):
    """The machine or the installation failed: disk full, no permission, damaged files."""


class TakenRunError(LossbenchError):
    """Another process trains this run."""


class GateFailedError(LossbenchError):
    """A loss lies wholly beyond a threshold of the gate, or a run is not verified; one sentence a violation."""

    exit_code = 3


class UnfinishedRunError(LossbenchError):
    """A run ended as failed or diverged; its folder holds what there is."""

    exit_code = 4


class NothingMatchedError(LossbenchError):
    """No run matched what was asked for."""

    exit_code = 5


class UndecidedError(LossbenchError):
    """A strict gate could not decide: the interval holds the threshold, or there are too few seeds."""

    exit_code = 6


class InterruptedRunError(LossbenchError):
    """A signal stopped the run; the same command continues it."""

    def __init__(self, message: str, signum: int) -> None:
        super().__init__(message)
        self.signal = signal.Signals(signum)
        self.exit_code = 128 + signum


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """What to put behind an unknown word: `; did you mean 'gamma'?`, or nothing if no known word is near.

    A known word that holds the unknown one comes before one that resembles it; case does not count.
    """
    from difflib import get_close_matches

    text, names = str(word).lower(), {name.lower(): name for name in known}
    inside = [name for name in names if len(text) > 1 and text in name]
    near = get_close_matches(text, inside, n=1, cutoff=0) or get_close_matches(text, names, n=1)
    return f"; did you mean {names[near[0]]!r}?" if near else ""
