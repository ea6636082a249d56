"""Trials trained by long-lived worker processes on this machine, one TensorFlow thread each.

A worker is a process group of its own, so that Ctrl-C reaches only the sweep, which then asks its workers to stop. What
a worker prints besides its messages is kept: its last words go to the log of the trial that it was lost with.
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
from lossbench.training.runtime import Threads, cores, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossbench.training.gpus import Gpu

WORKER = (sys.executable, "-P", "-m", "lossbench.sweep.executors.worker")
LAST_WORDS = 4000
"""Bytes of what a lost worker printed that are kept."""

GPU_MIB = 2048
"""What a worker needs of a GPU's memory: TensorFlow's own, the images, a model of this kind, its activations."""

GPU_USED = 0.9
"""The part of a GPU's free memory that is shared out; the rest is for the driver's and the libraries' own."""


@dataclass(frozen=True)
class DeviceSlot:
    """Where a worker trains: a device, and the part of its memory that it may take."""

    device: str
    memory_share: float | None = None


def device_slots(gpus: Sequence[Gpu], wanted: int | None, threads: int, device: str) -> list[DeviceSlot]:
    """Where workers can train, one place each: as many as cores, on GPUs as many as fit into their memory.

    Args:
        gpus: Those that are used; none for the CPU.
        wanted: How many workers there should be; None: as many as there can.
        threads: The CPU threads of one worker.
        device: What the user calls the device.
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
    """A process, where it trains, what it prints, the job that it has, and why it is ended if it is."""

    process: subprocess.Popen[str]
    slot: int
    threads: Threads
    printed: IO[bytes]
    listener: threading.Thread | None = None
    job: Job | None = None
    printed_before: int = 0
    reason: str | None = None


class LocalExecutor:
    """Workers, started when there is something to do, replaced when they are lost."""

    def __init__(self, settings: WorkerSettings, slots: Sequence[DeviceSlot], command: Sequence[str] = WORKER) -> None:
        self._settings, self._slots, self._command = settings, slots, command
        self._workers: list[Worker] = []
        self._heard: queue.SimpleQueue[tuple[Worker, str | None]] = queue.SimpleQueue()

    @classmethod
    def here(cls, settings: WorkerSettings, *, jobs: int | None, threads: int) -> LocalExecutor:
        """Workers on this machine's CPU or GPUs: as many as `jobs` says, or as there is room for."""
        gpus = () if settings.device == "cpu" else installed()
        if ":" in settings.device:
            number = settings.device.partition(":")[2]
            gpus = gpus[int(number) :][:1] if number.isdecimal() else ()
        return cls(settings, device_slots(gpus, jobs, threads, settings.device))

    def free(self) -> int:
        """How many more jobs it takes now."""
        return len(self._slots) - sum(worker.job is not None for worker in self._workers)

    def submit(self, job: Job) -> None:
        """Give a job to an idle worker with as many threads as it needs, or to a new one."""
        for worker in [each for each in self._workers if each.job is None and each.process.poll() is not None]:
            self._dismiss(worker)
        idle = [worker for worker in self._workers if worker.job is None]
        threads = share(job.threads, job.trial.experiment)
        suited = [worker for worker in idle if worker.threads == threads]
        if not suited and len(self._workers) == len(self._slots):
            self._dismiss(idle[0])
        worker = suited[0] if suited else self._start(threads)
        worker.job, worker.printed_before = job, os.fstat(worker.printed.fileno()).st_size
        _write(worker, job.to_wire())

    def messages(self, timeout: float) -> Iterator[Message]:
        """What the workers have told; at most `timeout` seconds are spent waiting for the first."""
        try:
            heard = self._heard.get(timeout=timeout)
            while True:
                yield from self._understood(*heard)
                heard = self._heard.get_nowait()
        except queue.Empty:
            return

    def kill(self, number: int, reason: str) -> None:
        """End the worker that has this job."""
        for worker in self._workers:
            if worker.job and worker.job.number == number:
                worker.reason = reason
                worker.process.kill()

    def stop(self) -> None:
        """Ask the workers to write their checkpoints and end; end those that take too long."""
        for worker in self._workers:
            worker.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self._workers:
            with suppress(subprocess.TimeoutExpired):
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            worker.process.kill()

    def close(self) -> None:
        """End all workers."""
        while self._workers:
            self._dismiss(self._workers[0])

    def _start(self, threads: Threads) -> Worker:
        slot = min(set(range(len(self._slots))) - {worker.slot for worker in self._workers})
        printed = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as its worker
        # The command is lossbench's own module; what differs between trials goes through stdin.
        process = subprocess.Popen(  # noqa: S603
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=printed,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            process_group=0,
        )
        worker = Worker(process, slot, threads, printed)
        where = self._slots[slot]
        settings = replace(self._settings, device=where.device, threads=threads, memory_share=where.memory_share)
        _write(worker, asdict(settings))
        worker.listener = threading.Thread(target=self._listen, args=[worker], daemon=True)
        worker.listener.start()
        self._workers.append(worker)
        return worker

    def _listen(self, worker: Worker) -> None:
        for line in worker.process.stdout or ():
            self._heard.put((worker, line))
        worker.process.wait()
        self._heard.put((worker, None))

    def _understood(self, worker: Worker, line: str | None) -> Iterator[Message]:
        """A worker's message; where it has ended, what that means for its job."""
        if line is not None:
            message = decode(line)
            if isinstance(message, TrialLost):
                worker.reason = message.reason  # it ends by itself; it is lost when it has ended
                return
            if isinstance(message, TrialEnded | Fault):
                worker.job = None
            yield message
            return
        if worker in self._workers:
            if job := worker.job:
                yield TrialLost(
                    job.number, worker.reason or _how_it_ended(worker.process.returncode), _last_words(worker)
                )
            self._dismiss(worker)

    def _dismiss(self, worker: Worker) -> None:
        """End a worker, and all that was opened for it."""
        self._workers.remove(worker)
        worker.process.kill()
        if worker.listener:
            worker.listener.join()
        for file in (worker.process.stdout, worker.printed):
            if file:
                file.close()
        with suppress(BrokenPipeError):  # what it has not read is lost with it
            if worker.process.stdin:
                worker.process.stdin.close()


def _write(worker: Worker, value: object) -> None:
    """Hand a line to a worker; if it is gone, its end will be heard of."""
    with suppress(BrokenPipeError):
        assert worker.process.stdin is not None  # noqa: S101 - it was opened as a pipe
        worker.process.stdin.write(f"{json.dumps(value)}\n")
        worker.process.stdin.flush()


def _how_it_ended(returncode: int) -> str:
    if returncode >= 0:
        return f"its worker ended with exit code {returncode}"
    why = "; the system does that to what needs more memory than there is" if returncode == -signal.SIGKILL else ""
    return f"its worker was ended by signal {-returncode}{why}"


def _last_words(worker: Worker) -> str:
    worker.printed.seek(max(worker.printed_before, os.fstat(worker.printed.fileno()).st_size - LAST_WORDS))
    return worker.printed.read().decode(errors="replace")
