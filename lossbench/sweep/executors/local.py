"""Executor with long-lived worker processes on this machine.

Each worker is a process group of its own, so that Ctrl-C reaches only the sweep, which then stops its workers. Other
output of a worker is kept: when a worker is lost, the end of its output goes to the log of its trial.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import IO, TYPE_CHECKING

from lossbench.sweep.executors.messages import Fault, Job, Message, TrialEnded, TrialLost, WorkerSettings, decode
from lossbench.sweep.executors.worker import STOP_SECONDS
from lossbench.training.gpus import installed
from lossbench.training.runtime import cores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossbench.training.gpus import Gpu

WORKER = (sys.executable, "-P", "-m", "lossbench.sweep.executors.worker")
OUTPUT_BYTES = 4000
"""Bytes of a lost worker's output that go to the log."""

GPU_MIB = 2048
"""GPU memory per worker: TensorFlow itself, the images, a model and its activations."""

GPU_USED = 0.9
"""Share of a GPU's free memory that the workers divide; the driver and libraries need the rest."""


@dataclass(frozen=True)
class DeviceSlot:
    """A device, and the share of its memory that one worker may allocate."""

    device: str
    memory_share: float | None = None


def device_slots(gpus: Sequence[Gpu], wanted: int | None, threads: int, device: str) -> list[DeviceSlot]:
    """Return one slot per worker: as many as cores allow, and on GPUs as many as fit into their memory.

    Args:
        gpus: The GPUs to use; empty for the CPU.
        wanted: The number of workers; None: as many as possible.
        threads: CPU threads per worker.
        device: The device as the user named it.
    """
    most = max(1, cores() // threads)
    if not gpus:
        return [DeviceSlot(device)] * (wanted or most)
    fitting = sum(max(1, int(GPU_USED * gpu.free_mib) // GPU_MIB) for gpu in gpus)
    workers = wanted or min(most, fitting)
    chosen = [number % len(gpus) for number in range(workers)]
    shares = [GPU_USED * gpu.free_mib / gpu.total_mib / max(1, chosen.count(at)) for at, gpu in enumerate(gpus)]
    names = [device] if ":" in device else [f"gpu:{at}" for at in range(len(gpus))]
    return [DeviceSlot(names[at], shares[at]) for at in chosen]


@dataclass
class Worker:
    """A worker process.

    Attributes:
        process: The process.
        slot: Index of its device slot.
        threads: Its CPU threads.
        output: File that receives its stderr.
        listener: Thread that reads its messages.
        job: The current job.
        job_output_start: Size of `output` when the job was submitted.
        reason: Why it is about to end.
    """

    process: subprocess.Popen[str]
    slot: int
    threads: int
    output: IO[bytes]
    listener: threading.Thread | None = None
    job: Job | None = None
    job_output_start: int = 0
    reason: str | None = None


class LocalExecutor:
    """Worker processes, started when a job needs one and replaced when they are lost."""

    def __init__(self, settings: WorkerSettings, slots: Sequence[DeviceSlot], command: Sequence[str] = WORKER) -> None:
        self._settings, self._slots, self._command = settings, slots, command
        self._workers: list[Worker] = []
        self._lines: queue.SimpleQueue[tuple[Worker, str | None]] = queue.SimpleQueue()

    @classmethod
    def here(cls, settings: WorkerSettings, *, jobs: int | None, threads: int) -> LocalExecutor:
        """Return an executor for this machine's CPU or GPUs, with `jobs` workers or as many as possible."""
        gpus = () if settings.device == "cpu" else installed()
        if ":" in settings.device:
            number = settings.device.partition(":")[2]
            gpus = gpus[int(number) :][:1] if number.isdecimal() else ()
        return cls(settings, device_slots(gpus, jobs, threads, settings.device))

    def free(self) -> int:
        """Return how many more jobs can be submitted now."""
        return len(self._slots) - sum(worker.job is not None for worker in self._workers)

    def idle(self) -> int:
        """Return how many more jobs would start now."""
        return self.free()

    def submit(self, job: Job) -> None:
        """Send a job to an idle worker with the right number of threads, or to a new one."""
        for worker in [each for each in self._workers if each.job is None and each.process.poll() is not None]:
            self._dismiss(worker)
        idle = [worker for worker in self._workers if worker.job is None]
        suited = [worker for worker in idle if worker.threads == job.threads]
        if not suited and len(self._workers) == len(self._slots):
            self._dismiss(idle[0])
        worker = suited[0] if suited else self._start(job.threads)
        worker.job, worker.job_output_start = job, os.fstat(worker.output.fileno()).st_size
        _write(worker, job.to_wire())

    def messages(self, timeout: float) -> Iterator[Message]:
        """Yield the messages that have arrived; wait at most `timeout` seconds for the first."""
        try:
            line = self._lines.get(timeout=timeout)
            while True:
                yield from self._interpret(*line)
                line = self._lines.get_nowait()
        except queue.Empty:
            return

    def kill(self, number: int, reason: str) -> None:
        """Kill the worker that has this job."""
        for worker in self._workers:
            if worker.job and worker.job.number == number:
                worker.reason = reason
                worker.process.kill()

    def stop(self) -> None:
        """Ask the workers to write checkpoints and exit; kill those that take too long."""
        for worker in self._workers:
            worker.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self._workers:
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            worker.process.kill()

    def close(self) -> None:
        """Kill all workers."""
        while self._workers:
            self._dismiss(self._workers[0])

    def _start(self, threads: int) -> Worker:
        slot = min(set(range(len(self._slots))) - {worker.slot for worker in self._workers})
        output = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the worker
        # The command is lossbench's own module; everything else goes through stdin.
        process = subprocess.Popen(  # noqa: S603
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            env=environment(),
            process_group=0,
        )
        worker = Worker(process, slot, threads, output)
        where = self._slots[slot]
        settings = replace(self._settings, device=where.device, threads=threads, memory_share=where.memory_share)
        _write(worker, asdict(settings))
        worker.listener = threading.Thread(target=self._listen, args=[worker], daemon=True)
        worker.listener.start()
        self._workers.append(worker)
        return worker

    def _listen(self, worker: Worker) -> None:
        for line in worker.process.stdout or ():
            self._lines.put((worker, line))
        worker.process.wait()
        self._lines.put((worker, None))

    def _interpret(self, worker: Worker, line: str | None) -> Iterator[Message]:
        """Yield a worker's message; None means that it has exited, which loses its job."""
        if line is not None:
            message = decode(line)
            if isinstance(message, TrialLost):
                worker.reason = message.reason  # it is about to exit, and is lost then
                return
            if isinstance(message, TrialEnded | Fault):
                worker.job = None
            yield message
            return
        if worker in self._workers:
            if job := worker.job:
                yield TrialLost(
                    job.number, worker.reason or _describe_exit(worker.process.returncode), _last_output(worker)
                )
            self._dismiss(worker)

    def _dismiss(self, worker: Worker) -> None:
        """Kill a worker and close its files."""
        self._workers.remove(worker)
        worker.process.kill()
        if worker.listener:
            worker.listener.join()
        for file in (worker.process.stdout, worker.output):
            if file:
                file.close()
        with suppress(BrokenPipeError):  # it has exited with unread input
            if worker.process.stdin:
                worker.process.stdin.close()


def environment() -> dict[str, str]:
    """Return the environment of a new Python process that finds the modules of this one."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _write(worker: Worker, value: object) -> None:
    """Write a line to a worker; the listener reports if it has exited."""
    with suppress(BrokenPipeError):
        assert worker.process.stdin is not None  # noqa: S101 - it was opened as a pipe
        worker.process.stdin.write(f"{json.dumps(value)}\n")
        worker.process.stdin.flush()


def _describe_exit(returncode: int) -> str:
    if returncode >= 0:
        return f"its worker ended with exit code {returncode}"
    why = "; the system kills processes that need too much memory" if returncode == -signal.SIGKILL else ""
    return f"its worker was ended by signal {-returncode}{why}"


def _last_output(worker: Worker) -> str:
    worker.output.seek(max(worker.job_output_start, os.fstat(worker.output.fileno()).st_size - OUTPUT_BYTES))
    return worker.output.read().decode(errors="replace")
