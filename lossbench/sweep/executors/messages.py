"""What goes between the scheduler and those who train: jobs one way, messages the other, as lines of JSON.

TrialStarted        the trial's run folder is claimed, it trains now
TrialProgress   so many of its epochs are done
TrialEnded        completed, diverged, failed or interrupted; or taken: another process trains it
TrialLost         whoever trained it is gone: killed, crashed, out of memory, stopped for being late
Fault        something is wrong that would stop every trial
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from lossbench.config import resolve
from lossbench.config.dump import dump
from lossbench.errors import LossbenchError
from lossbench.training import identify
from lossbench.training.runtime import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lossbench.config.identity import Trial
    from lossbench.losses.plugin import PluginLoaded


@dataclass(frozen=True)
class WorkerSettings:
    """What all trials of a sweep have in common for those who train.

    Attributes:
        runs_dir: The runs go to `runs_dir/<name>/<folder>`.
        device: `cpu`, `auto`, `gpu` or `gpu:N`.
        threads: CPU threads of a process.
        memory_share: The part of a GPU's memory that one process may take; None: what it comes to need.
        plugins: The files of the user's own losses.
        argv: The command line, for `run.json`.
    """

    runs_dir: str
    device: str = "auto"
    threads: Threads = field(default_factory=Threads)
    memory_share: float | None = None
    plugins: Sequence[str] = ()
    argv: Sequence[str] = ()


@dataclass(frozen=True)
class Job:
    """A trial to be trained.

    Attributes:
        number: Its place among the trials.
        trial: What to train.
        threads: CPU threads.
        attempt: From 1.
        wait: Wait for whoever else trains it, rather than report it taken.
    """

    number: int
    trial: Trial
    threads: int = 1
    attempt: int = 1
    wait: bool = False

    def to_wire(self) -> dict[str, Any]:
        """The job as plain data."""
        return {
            "number": self.number,
            "config": dump(self.trial.experiment),
            "identity": self.trial.identity,
            "folder": self.trial.folder,
            "threads": self.threads,
            "attempt": self.attempt,
            "wait": self.wait,
        }

    @classmethod
    def from_wire(cls, wire: dict[str, Any], plugins: Sequence[PluginLoaded]) -> Job:
        """The job that `to_wire` made plain data of.

        Raises:
            LossbenchError: Data, plugin or lossbench are not the same here as where the job comes from.
        """
        facts = {key: value for key, value in wire.items() if key != "folder"}
        trial = identify(resolve.from_mapping(facts.pop("config")), plugins)
        if trial.identity != facts.pop("identity"):
            same = "data, plugins and lossbench must be the same everywhere"
            raise LossbenchError(f"{trial.folder}: this is another trial where it should be trained; {same}")
        return cls(trial=trial, **facts)


@dataclass(frozen=True)
class TrialStarted:
    """The trial's run folder is claimed; it trains now."""

    number: int


@dataclass(frozen=True)
class TrialProgress:
    """So many epochs of a trial are done, a started one in part; its training accuracy so far."""

    number: int
    done: float
    epochs: int
    accuracy: float | None = None


@dataclass(frozen=True)
class TrialEnded:
    """A trial is over, for now.

    Attributes:
        number: Which.
        status: `completed`, `diverged`, `failed`, `interrupted` or `taken`.
        reason: Why, if it is not completed.
        accuracy: On the test set, at the last epoch.
        seconds: That it has taken, all its parts together.
        was_done: It was found done.
    """

    number: int
    status: str
    reason: str | None = None
    accuracy: float | None = None
    seconds: float | None = None
    was_done: bool = False


@dataclass(frozen=True)
class TrialLost:
    """Whoever trained a trial is gone; `log` is what it said at last."""

    number: int
    reason: str
    log: str = ""


@dataclass(frozen=True)
class Fault:
    """Something is wrong that would stop every trial: a disk that is full, a device that is not there."""

    reason: str
    exit_code: int = 1


Message: TypeAlias = TrialStarted | TrialProgress | TrialEnded | TrialLost | Fault
Send: TypeAlias = "Callable[[Message], None]"
KINDS = {kind.__name__: kind for kind in (TrialStarted, TrialProgress, TrialEnded, TrialLost, Fault)}


def encode(message: Message) -> str:
    """A message as one line of JSON."""
    return json.dumps({"kind": type(message).__name__, **asdict(message)})


def decode(line: str) -> Message:
    """The message that `encode` made a line of."""
    facts = json.loads(line)
    message: Message = KINDS[facts.pop("kind")](**facts)
    return message


class Executor(Protocol):
    """Where trials are trained."""

    def free(self) -> int:
        """How many more jobs it takes now."""

    def submit(self, job: Job) -> None:
        """Take a job."""

    def messages(self, timeout: float) -> Iterable[Message]:
        """What has been heard; at most `timeout` seconds are spent waiting for the first."""

    def kill(self, number: int, reason: str) -> None:
        """End the process that trains a trial, which is then lost for this reason."""

    def stop(self) -> None:
        """Ask all to write a checkpoint and stop; those that are still there after a moment are ended."""

    def close(self) -> None:
        """End what is left."""
