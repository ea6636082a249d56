"""One who trains: a process that takes jobs from stdin, line by line, and tells on stdout how they go.

TensorFlow is started once, and the data of trials that share them are prepared once. When the process that gives the
jobs is gone, however it went, the run writes a checkpoint and this process ends.
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
from typing import TYPE_CHECKING, Any, TypeAlias

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
from lossbench.training.runtime import Threads, hold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lossbench.training import Outcome

JobRunner: TypeAlias = "Callable[[dict[str, Any], Send], Message]"

STOP_SECONDS = 4.0
"""How long a run may take to write its checkpoint and end when it is asked to."""


class OutOfMemoryError(LossbenchError):
    """A trial needs more memory than there is; its process had better end."""


def start_runner(settings: WorkerSettings) -> JobRunner:
    """What is done with a job: train its trial.

    Raises:
        LossbenchError: A plugin cannot be loaded, a device is not there: no job can be done.
    """
    ops.own_process = True
    plugins = [plugin.load(Path(path)) for path in settings.plugins]
    hold(device=settings.device, threads=Threads(*settings.threads), memory_share=settings.memory_share)
    return lambda wire, send: run_job(wire, send, settings, plugins)


def run_job(wire: dict[str, Any], send: Send, settings: WorkerSettings, plugins: list[plugin.PluginLoaded]) -> Message:
    """Claim a job's trial, train it, and say how it ended; a failed one is left as such in its run folder."""
    number = int(wire["number"])
    try:
        job = Job.from_wire(wire, plugins)
        run = run_folder(job.trial, Path(settings.runs_dir))
        with lock.claim(run, wait=job.wait):
            send(TrialStarted(number))
            try:
                return _ended(number, _train(job, send, settings, plugins))
            except (MachineError, InterruptedRunError, OutOfMemoryError, UnfinishedRunError):
                raise
            except Exception as error:
                fail(run, job.trial, _reason(error), traceback.format_exc())
                raise
    except TakenRunError:
        return TrialEnded(number, "taken")
    except InterruptedRunError as error:
        return TrialEnded(number, "interrupted", str(error))
    except OutOfMemoryError as error:
        return TrialLost(number, str(error))
    except MachineError as error:
        return Fault(str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this trial's and must not stop the others
        return TrialEnded(number, "failed", _reason(error))


def _train(job: Job, send: Send, settings: WorkerSettings, plugins: list[plugin.PluginLoaded]) -> Outcome:
    try:
        return train(
            job.trial,
            runs_dir=Path(settings.runs_dir),
            device=settings.device,
            claimed=True,
            plugins=plugins,
            argv=settings.argv,
            progress=_Reporter(job.number, send),
        )
    except Exception as error:
        if any(_is_memory(each) for each in (error, error.__cause__)):
            raise OutOfMemoryError("out of memory") from error
        raise


def _is_memory(error: BaseException | None) -> bool:
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def _reason(error: Exception) -> str:
    """An error on one line, with its type unless it is one of lossbench's own."""
    text = str(error) if isinstance(error, LossbenchError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _ended(number: int, outcome: Outcome) -> TrialEnded:
    summary = outcome.summary
    return TrialEnded(
        number,
        outcome.status,
        summary["reason"],
        accuracy=summary["metrics"].get("test.last.accuracy"),
        seconds=summary["seconds"]["total"],
        was_done=outcome.was_done,
    )


class _Reporter:
    """Passes a run's progress on."""

    def __init__(self, number: int, send: Send) -> None:
        self._number, self._send, self._epochs = number, send, 0

    def begin(self, run: Path, *, epochs: int, done: int) -> None:  # noqa: ARG002 - the interface's
        """Where the run begins."""
        self._epochs = epochs
        self._send(TrialProgress(self._number, done, epochs))

    def steps(self, epoch: int, *, share: float, loss: float, accuracy: float) -> None:  # noqa: ARG002 - likewise
        """How far it is."""
        self._send(TrialProgress(self._number, epoch + share, self._epochs, accuracy))

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Nothing that the steps have not told."""

    def note(self, sentence: str) -> None:
        """Nothing; a run's own log has it."""


def serve(begin: Callable[[WorkerSettings], JobRunner]) -> None:
    """Do the jobs that come on stdin, one at a time, until there are no more.

    Args:
        begin: Makes, of the sweep's settings, the function that does a job.
    """
    faulthandler.enable()
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever else is printed, by libraries or plugins, is not a message

    def send(message: Message) -> None:
        with suppress(BrokenPipeError):  # whoever gave the jobs is gone; the run is about to be stopped for it
            out.write(f"{encode(message)}\n")

    settings = WorkerSettings(**json.loads(sys.stdin.readline()))
    jobs: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=[jobs], daemon=True).start()
    try:
        do = begin(settings)
    except LossbenchError as error:
        send(Fault(str(error), error.exit_code))
        return
    while (job := jobs.get()) is not None:
        message = do(job, send)
        send(message)
        if isinstance(message, TrialLost):
            return


def _listen(jobs: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    """Queue the jobs; when there can be no more, let the current one stop, and end the process if it does not."""
    for line in sys.stdin:
        jobs.put(json.loads(line))
    jobs.put(None)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    serve(start_runner)
