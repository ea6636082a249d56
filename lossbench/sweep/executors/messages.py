"""Jobs for workers, the messages that workers send back as lines of JSON, and the interface of executors."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from lossbench.config import resolve, yaml
from lossbench.config.dump import dump, scalar
from lossbench.errors import LossbenchError
from lossbench.training import identify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lossbench.config.identity import Trial
    from lossbench.config.schema import Experiment
    from lossbench.losses.plugin import PluginLoaded

EndStatus: TypeAlias = Literal["completed", "diverged", "failed", "interrupted", "taken"]


@dataclass(frozen=True)
class WorkerSettings:
    """Settings of a worker that all its trials share.

    Attributes:
        runs_dir: The runs folder; runs go to `runs_dir/<name>/<folder>`.
        device: `cpu`, `auto`, `gpu` or `gpu:N`.
        threads: CPU threads of the process.
        memory_share: Share of a GPU's memory that the process may allocate; None: as much as it needs.
        plugins: Plugin files with the user's losses.
        argv: The command line, for `run.json`.
    """

    runs_dir: str
    device: str = "auto"
    threads: int = 1
    memory_share: float | None = None
    plugins: Sequence[str] = ()
    argv: Sequence[str] = ()


def to_plain(experiment: Experiment) -> dict[str, Any]:
    """Return a configuration as plain data for JSON; the loss is YAML, since JSON makes every key text."""
    config = dump(experiment)
    return config | {"loss": scalar(config["loss"])}


def from_plain(config: Mapping[str, Any]) -> Experiment:
    """Return the configuration that `to_plain` converted to plain data."""
    loss = yaml.parse_value(config["loss"], yaml.Position("the job"), ("loss",)).plain()
    return resolve.from_mapping({**config, "loss": loss})


@dataclass(frozen=True)
class Job:
    """A trial to train.

    Attributes:
        number: The trial's index in the sweep.
        trial: The trial.
        threads: CPU threads.
        attempt: The attempt, from 1.
        wait: If another process trains the trial, wait for it instead of answering `taken`.
    """

    number: int
    trial: Trial
    threads: int = 1
    attempt: int = 1
    wait: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Return the job as plain data for `from_wire`."""
        return {
            "number": self.number,
            "config": to_plain(self.trial.experiment),
            "identity": self.trial.identity,
            "folder": self.trial.folder,
            "threads": self.threads,
            "attempt": self.attempt,
            "wait": self.wait,
        }

    @classmethod
    def from_wire(cls, wire: dict[str, Any], plugins: Sequence[PluginLoaded]) -> Job:
        """Return the job that `to_wire` converted to plain data.

        Raises:
            LossbenchError: Data, plugins or lossbench differ between this machine and the scheduler's.
        """
        fields = {key: value for key, value in wire.items() if key != "folder"}
        trial = identify(from_plain(fields.pop("config")), plugins)
        if trial.identity != fields.pop("identity"):
            raise LossbenchError(
                f"{trial.folder}: the worker's identity of this trial differs from the scheduler's; "
                "use the same data, plugins and lossbench everywhere"
            )
        return cls(trial=trial, **fields)


@dataclass(frozen=True)
class TrialStarted:
    """A worker has claimed the trial's run folder and trains it."""

    number: int


@dataclass(frozen=True)
class TrialProgress:
    """A trial has advanced.

    Attributes:
        number: The trial's index in the sweep.
        done: Epochs done, including the fraction of the current one.
        epochs: Epochs in total.
        accuracy: Training accuracy in the current epoch so far.
    """

    number: int
    done: float
    epochs: int
    accuracy: float | None = None


@dataclass(frozen=True)
class TrialEnded:
    """A worker has finished its work on a trial.

    Attributes:
        number: The trial's index in the sweep.
        status: How the trial ended; `taken`: another process trains it.
        reason: The reason if it is not completed.
        accuracy: Test accuracy after the last epoch.
        seconds: Total training time of the trial.
        was_done: The run was already complete.
        validation_accuracy: Validation accuracy after the last epoch; None without validation images.
    """

    number: int
    status: EndStatus
    reason: str | None = None
    accuracy: float | None = None
    seconds: float | None = None
    was_done: bool = False
    validation_accuracy: float | None = None


@dataclass(frozen=True)
class TrialLost:
    """The worker that trained a trial is gone; `log` is the end of its output."""

    number: int
    reason: str
    log: str = ""


@dataclass(frozen=True)
class Fault:
    """A fault that would stop every trial, e.g. a full disk or a missing device."""

    reason: str
    exit_code: int = 1


Message: TypeAlias = TrialStarted | TrialProgress | TrialEnded | TrialLost | Fault
Send: TypeAlias = "Callable[[Message], None]"
KINDS = {kind.__name__: kind for kind in (TrialStarted, TrialProgress, TrialEnded, TrialLost, Fault)}


def encode(message: Message) -> str:
    """Return a message as one line of JSON."""
    return json.dumps({"kind": type(message).__name__, **asdict(message)})


def decode(line: str) -> Message:
    """Return the message in a line that `encode` wrote."""
    fields = json.loads(line)
    message: Message = KINDS[fields.pop("kind")](**fields)
    return message


class Executor(Protocol):
    """The interface between the scheduler and the processes that train."""

    def free(self) -> int:
        """Return how many more jobs can be submitted now."""

    def idle(self) -> int:
        """Return how many more jobs would start now instead of being queued; not above 0 if none."""

    def submit(self, job: Job) -> None:
        """Start a job, or queue it."""

    def messages(self, timeout: float) -> Iterable[Message]:
        """Return the messages that have arrived; wait at most `timeout` seconds for the first."""

    def kill(self, number: int, reason: str) -> None:
        """Kill the process that trains a trial; `TrialLost` with this reason follows."""

    def stop(self) -> None:
        """Ask all processes to write checkpoints and exit; kill those that take too long."""

    def close(self) -> None:
        """Kill all processes and release resources."""
