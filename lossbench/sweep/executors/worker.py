"""Worker process: reads jobs from stdin, one per line, and writes messages to stdout.

It starts TensorFlow once, and prepares data once for the trials that share them. When its parent is gone, the current
run writes a checkpoint and the process exits.
"""

from __future__ import annotations

import faulthandler
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from lossbench import ops
from lossbench.errors import InterruptedRunError, LossbenchError, MachineError, TakenRunError, UnfinishedRunError
from lossbench.losses import plugin
from lossbench.runs import lock
from lossbench.sweep.executors.messages import (
    Fault,
    Job,
    Message,
    Send,
    TrialEnded,
    TrialLost,
    TrialProgress,
    TrialStarted,
    WorkerSettings,
    encode,
)
from lossbench.training import fail, run_folder, train
from lossbench.training.runtime import start_for_many_trials

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lossbench.sweep.executors.messages import EndStatus
    from lossbench.training import TrainResult

JobRunner: TypeAlias = "Callable[[dict[str, Any], Send], Message]"

STOP_SECONDS = 4.0
"""Seconds that a run has to write its checkpoint after a request to stop."""


def start_runner(settings: WorkerSettings) -> JobRunner:
    """Load the plugins, claim the device, and return the function that does a job.

    Raises:
        LossbenchError: A plugin cannot be loaded, or the device is missing, so that no job can be done.
    """
    ops.claim_process()
    plugins = [plugin.load(Path(path)) for path in settings.plugins]
    start_for_many_trials(device=settings.device, threads=settings.threads, memory_share=settings.memory_share)
    return lambda wire, send: run_job(wire, send, settings, plugins)


def run_job(wire: dict[str, Any], send: Send, settings: WorkerSettings, plugins: list[plugin.PluginLoaded]) -> Message:
    """Claim the trial of a job and train it; record a failure in its run folder.

    Args:
        wire: The job as plain data.
        send: Called with the messages before the last one.
        settings: The worker's settings.
        plugins: The loaded plugins.

    Returns:
        The last message.
    """
    number = int(wire["number"])
    try:
        job = Job.from_wire(wire, plugins)
        run = run_folder(job.trial, Path(settings.runs_dir))
        with lock.claim(run, wait=job.wait):
            send(TrialStarted(number))
            try:
                outcome = train(
                    job.trial,
                    runs_dir=Path(settings.runs_dir),
                    device=settings.device,
                    claimed=True,
                    plugins=plugins,
                    argv=settings.argv,
                    progress=_Reporter(number, send),
                )
            except Exception as error:
                if _is_memory(error) or _is_memory(error.__cause__):
                    return TrialLost(number, "out of memory")  # the process must end: TensorFlow does not recover
                if not isinstance(error, MachineError | InterruptedRunError | UnfinishedRunError):
                    fail(run, job.trial, _reason(error), traceback.format_exc())
                raise
            return _end_message(number, outcome)
    except TakenRunError:
        return TrialEnded(number, "taken")
    except InterruptedRunError as error:
        return TrialEnded(number, "interrupted", str(error))
    except MachineError as error:
        return Fault(str(error))
    except Exception as error:  # noqa: BLE001 - a trial's error must not stop the others
        return TrialEnded(number, "failed", _reason(error))


def _is_memory(error: BaseException | None) -> bool:
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def _reason(error: Exception) -> str:
    """Return an error on one line, with its type unless it is one of lossbench's own."""
    text = str(error) if isinstance(error, LossbenchError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _end_message(number: int, result: TrainResult) -> TrialEnded:
    summary = result.summary
    return TrialEnded(
        number,
        cast("EndStatus", result.status),
        summary["reason"],
        accuracy=summary["metrics"].get("test.last.accuracy"),
        seconds=summary["seconds"]["total"],
        was_done=result.was_done,
        validation_accuracy=summary["metrics"].get("val.last.accuracy"),
    )


class _Reporter:
    """Sends a run's progress as messages."""

    def __init__(self, number: int, send: Send) -> None:
        self._number, self._send, self._epochs = number, send, 0

    def begin(self, run: Path, *, epochs: int, done: int) -> None:  # noqa: ARG002 - the interface's
        """Send the epoch at which the run starts."""
        self._epochs = epochs
        self._send(TrialProgress(self._number, done, epochs))

    def steps(self, epoch: int, *, share: float, loss: float, accuracy: float) -> None:  # noqa: ARG002 - likewise
        """Send the progress within the epoch."""
        self._send(TrialProgress(self._number, epoch + share, self._epochs, accuracy))

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Do nothing: `steps` has sent it."""

    def note(self, sentence: str) -> None:
        """Do nothing: the run's log has it."""


def serve(start: Callable[[WorkerSettings], JobRunner]) -> None:
    """Do the jobs from stdin one at a time until it is closed.

    Args:
        start: Returns the function that does a job, given the settings in the first line of stdin.
    """
    faulthandler.enable()
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # output of libraries and plugins is not a message

    def send(message: Message) -> None:
        with suppress(BrokenPipeError):  # the parent is gone; `_listen` is about to stop the run
            out.write(f"{encode(message)}\n")

    settings = WorkerSettings(**json.loads(sys.stdin.readline()))
    jobs: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=[jobs], daemon=True).start()
    try:
        run = start(settings)
    except LossbenchError as error:
        send(Fault(str(error), error.exit_code))
        return
    while (job := jobs.get()) is not None:
        message = run(job, send)
        send(message)
        if isinstance(message, TrialLost):
            return


def _listen(jobs: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    """Queue the jobs; once stdin is closed, stop the current run, and exit if it takes too long."""
    for line in sys.stdin:
        jobs.put(json.loads(line))
    jobs.put(None)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    serve(start_runner)
