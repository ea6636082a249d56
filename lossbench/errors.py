"""Error hierarchy and exit codes.

    LossbenchError              1   any error that is none of the errors below
    ├── UsageError              2   a wrong option or argument, or a wrong file that it names
    │   ├── ConfigError         2   a configuration; carries every problem at once
    │   ├── DataError           2   a data folder or a file in it
    │   ├── PluginError         2   a user's own loss
    │   └── DeviceError         2   a device that this machine does not have
    ├── MachineError            1   disk full, no permission, damaged installation
    ├── TakenRunError           1   another process is training this run
    ├── GateFailedError         3   a loss violates a threshold, evidence is missing, or a run cannot be reproduced
    ├── UnfinishedRunError      4   a run failed or diverged
    ├── NothingMatchedError     5   no run matches the selection
    ├── UndecidedError          6   the gate is undecided, under `--strict`
    └── InterruptedRunError   128+n stopped by signal n; the same command continues

A message is one sentence, or one line per problem: where, what was expected, what was found, what to do.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class LossbenchError(Exception):
    """An internal error or a fault of the machine; every other error is a subclass.

    The command line prints an error as `error: message`, without a traceback.

    Attributes:
        exit_code: Exit status of a command that ends with this error.
        parameter: The Python parameter that the message is about, which then begins with its name; None if there is
            none. The command line prints the option of that name instead.
        mentions: Other Python parameters, which the message names in backquotes. The command line prints their options.
    """

    exit_code = 1

    def __init__(self, message: str = "", *, parameter: str | None = None, mentions: tuple[str, ...] = ()) -> None:
        super().__init__(f"{parameter}: {message}" if parameter else message)
        self.parameter = parameter
        self.mentions = mentions


class UsageError(LossbenchError):
    """A wrong option or argument, or something wrong in a file that it names."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """A mistake in a configuration.

    Attributes:
        path: The keys that lead to it.
        message: The sentence to print.
        unknown_loss: The name of a loss that does not exist, if that is the mistake.
    """

    path: tuple[str | int, ...]
    message: str
    unknown_loss: str = ""


class ConfigError(UsageError):
    """An invalid configuration; `problems` holds every mistake, the message has one line per mistake."""

    def __init__(self, lines: list[str], problems: list[Problem] | None = None) -> None:
        super().__init__("\n".join(lines), mentions=("plugins", "device", "runs_dir", "seeds"))
        self.problems = problems or []


class DataError(UsageError):
    """A data folder, or a file in it, that cannot be used."""


class PluginError(UsageError):
    """A user's own loss that cannot be imported or used."""


class DeviceError(UsageError):
    """A device that this machine does not have."""


class MachineError(LossbenchError):
    """A fault of the machine or the installation: disk full, no permission, damaged files."""


class TakenRunError(LossbenchError):
    """A run that another process is training."""


class GateFailedError(LossbenchError):
    """A loss that violates a threshold of the gate, evidence that it lacks, or a run that cannot be reproduced."""

    exit_code = 3


class UnfinishedRunError(LossbenchError):
    """A run that failed or diverged; its folder keeps the files written so far."""

    exit_code = 4


class NothingMatchedError(LossbenchError):
    """No run that matches the selection."""

    exit_code = 5


class UndecidedError(LossbenchError):
    """An undecided gate under `--strict`: the interval contains the threshold, or there are too few seeds."""

    exit_code = 6


class InterruptedRunError(LossbenchError):
    """A run stopped by a signal; the same command continues it."""

    def __init__(self, message: str, signum: int) -> None:
        super().__init__(message)
        self.signal = signal.Signals(signum)
        self.exit_code = 128 + signum


LONGEST_WORD = 200
"""Longer words are no typing errors, and comparing them takes seconds."""


def first_few(texts: Sequence[str], separator: str = ", ") -> str:
    """Return the first three texts, then the number of the others: `a, b, c and 2 more`."""
    few = 3
    return separator.join(texts[:few]) + f" and {len(texts) - few} more" * (len(texts) > few)


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return a suggestion for an unknown word, `; did you mean 'gamma'?`; empty if no known word is similar.

    A known word that ends with the unknown one after a dot is preferred to one that contains it, and that to one that
    only resembles it. Case is ignored.
    """
    from difflib import get_close_matches

    if len(str(word)) > LONGEST_WORD:
        return ""
    text, names = str(word).lower(), {name.lower(): name for name in known}
    if ends := sorted(names[name] for name in names if text and name.endswith(f".{text}"))[:3]:
        return f"; did you mean {' or '.join(map(repr, ends))}?"
    inside = [name for name in names if len(text) > 1 and text in name]
    near = get_close_matches(text, inside, n=1, cutoff=0) or get_close_matches(text, names, n=1)
    return f"; did you mean {names[near[0]]!r}?" if near else ""
