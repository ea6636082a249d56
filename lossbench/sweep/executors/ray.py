"""Executor with tasks on a Ray cluster: the same trials, folders and numbers as with local workers.

A node that shares the runs folder claims and writes the run folder itself, as a local worker does. Otherwise the run
folder is copied to the node and back and then replaced as a whole, and this process claims it meanwhile. Retries, time
limits and failures are the scheduler's task; Ray only places tasks and reports lost ones.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
import time
from contextlib import ExitStack, redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossbench import __version__, files
from lossbench.errors import LossbenchError, MachineError, TakenRunError
from lossbench.runs import lock, paths, transfer
from lossbench.sweep.executors import ray_cluster, worker
from lossbench.sweep.executors.messages import (
    Fault,
    Job,
    Message,
    Send,
    TrialEnded,
    TrialLost,
    WorkerSettings,
    decode,
    encode,
)
from lossbench.training import run_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AHEAD = 8
"""Number of tasks submitted beyond the cluster's capacity, so that no CPU waits for the next task."""


class UnsharedError(LossbenchError):
    """A node does not share the runs folder."""


class RayExecutor:
    """Tasks on a Ray cluster, which is started on this machine or joined."""

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        folder: Path,
        address: str | None = None,
        jobs: int | None = None,
        cpus: float = 1,
        gpus: float = 0,
    ) -> None:
        """Start a cluster, or join the one at `address`.

        Args:
            settings: Settings of the workers.
            folder: The sweep's folder.
            address: `auto` or `host:port`; None: start a cluster on this machine.
            jobs: Maximum number of trials at a time; None: as many as fit.
            cpus: CPUs per trial.
            gpus: GPUs per trial; a fraction shares a GPU.

        Raises:
            UsageError: Ray is not installed.
            MachineError: No cluster answers.
        """
        ray = self._ray = ray_cluster.ray()
        ray_cluster.connect(ray, address, jobs)
        # Ray prints pages about a lost node; the scheduler reports lost trials as events.
        self._muted = ExitStack()
        nowhere = self._muted.enter_context(Path(os.devnull).open("w"))  # noqa: SIM115 - the stack closes it
        self._muted.enter_context(redirect_stdout(nowhere))
        self._muted.enter_context(redirect_stderr(nowhere))
        room = ray.cluster_resources()
        fitting = [room.get("CPU", 0) / cpus if cpus else 0, room.get("GPU", 0) / gpus if gpus else 0]
        self._capacity = jobs or int(max(1, *fitting))
        self._most = jobs or self._capacity + AHEAD
        self._settings = replace(settings, runs_dir=str(Path(settings.runs_dir).absolute()))
        self._token = folder / paths.LOCKS / f".ray-{secrets.token_hex(8)}"
        files.make_folder(self._token.parent)
        files.write_text(self._token, "Nodes that see this file share the runs folder.\n")
        self._shared = True
        self._mailbox = _mailbox(ray)
        self._task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(task)
        self._jobs: dict[Any, Job] = {}
        self._claims: dict[int, ExitStack] = {}
        self._reasons: dict[int, str] = {}
        self._ready: list[Message] = []

    def free(self) -> int:
        """Return how many more jobs can be submitted now."""
        return self._most - len(self._jobs)

    def idle(self) -> int:
        """Return how many more jobs would start now."""
        return self._capacity - len(self._jobs)

    def submit(self, job: Job) -> None:
        """Submit a job to Ray, with a copy of its run folder if the nodes do not share it."""
        if self._shared:
            return self._send(job, None)
        claim = ExitStack()
        run = self._run(job)
        try:
            claim.enter_context(lock.claim(run))
        except TakenRunError:
            if job.wait:
                time.sleep(1)
            return self._ready.append(TrialEnded(job.number, "taken"))
        self._claims[job.number] = claim
        return self._send(job, transfer.read_files(run))

    def messages(self, timeout: float) -> Iterator[Message]:
        """Yield the messages that have arrived; wait at most `timeout` seconds for a task to end."""
        try:
            ended = self._ray.wait(list(self._jobs), timeout=0 if self._ready else timeout)[0] if self._jobs else []
            lines = self._ray.get(self._mailbox.take.remote())
        except self._ray.exceptions.RayError:
            self._jobs.clear()  # so that `stop` has nothing to cancel
            yield Fault("the Ray cluster is gone; what is done stays, and the same command continues on another one")
            return
        yield from map(decode, lines)
        ready, self._ready = self._ready, []
        yield from ready
        for reference in ended:
            yield from self._result(reference, self._jobs.pop(reference))

    def kill(self, number: int, reason: str) -> None:
        """Kill the process that trains a trial."""
        self._reasons[number] = reason
        for reference, job in self._jobs.items():
            if job.number == number:
                self._ray.cancel(reference, force=True)

    def stop(self) -> None:
        """Ask the tasks to write checkpoints and end."""
        for reference in self._jobs:
            self._ray.cancel(reference)
        if self._jobs:
            self._ray.wait(list(self._jobs), num_returns=len(self._jobs), timeout=worker.STOP_SECONDS)

    def close(self) -> None:
        """Leave the cluster, which kills the remaining tasks."""
        self._ray.shutdown()
        self._muted.close()
        for claim in self._claims.values():
            claim.close()
        with suppress(OSError):
            self._token.unlink(missing_ok=True)

    def _send(self, job: Job, contents: Mapping[str, bytes] | None) -> None:
        settings = json.dumps(asdict(self._settings))
        reference = self._task.remote(settings, __version__, job.to_wire(), str(self._token), contents, self._mailbox)
        self._jobs[reference] = job

    def _result(self, reference: Any, job: Job) -> Iterator[Message]:
        """Yield the last message of a task, and write the run folder that it has returned."""
        with self._claims.pop(job.number, ExitStack()):
            try:
                line, contents = self._ray.get(reference)
                if contents:
                    transfer.write_files(self._run(job), contents)
                yield decode(line)
            except UnsharedError:
                self._shared = False
                self.submit(job)
            except MachineError as error:
                yield Fault(str(error))
            except LossbenchError as error:
                yield TrialEnded(job.number, "failed", str(error))
            except self._ray.exceptions.RayError as error:
                yield TrialLost(
                    job.number, self._reasons.pop(job.number, ray_cluster.first_sentence(error)), str(error)
                )

    def _run(self, job: Job) -> Path:
        return run_folder(job.trial, Path(self._settings.runs_dir))


def task(
    settings: str, version: str, wire: dict[str, Any], token: str, contents: Mapping[str, bytes] | None, mailbox: Any
) -> tuple[str, dict[str, bytes] | None]:
    """Do a job on a node.

    Args:
        settings: `WorkerSettings` as JSON.
        version: The scheduler's version of lossbench.
        wire: The job as plain data.
        token: A file that nodes see if they share the runs folder.
        contents: A copy of the run folder; None: the node must share the runs folder.
        mailbox: Receives messages.

    Returns:
        The last message, and the files of the run folder if the node was given a copy.

    Raises:
        LossbenchError: The node has another version of lossbench.
        UnsharedError: The node does not share the runs folder and was given no copy.
    """
    if version != __version__:
        raise LossbenchError(f"a node has lossbench {__version__}, this is {version}; install the same on all nodes")

    def send(message: Message) -> None:
        mailbox.put.remote(encode(message))

    common = WorkerSettings(**json.loads(settings))
    if contents is not None:
        return _run_copy(common, wire, Path(token).name, contents, send)
    if not Path(token).exists():
        raise UnsharedError
    return encode(_job_runner(settings)(wire, send)), None


def _run_copy(
    settings: WorkerSettings, wire: dict[str, Any], token: str, contents: Mapping[str, bytes], send: Send
) -> tuple[str, dict[str, bytes]]:
    """Do a job in a temporary folder, and return the last message and the files of the run folder."""
    runs_dir = Path(tempfile.gettempdir()) / f"lossbench{token}"
    run = paths.run_folder(runs_dir, wire["config"]["name"], wire["folder"])
    if contents:
        transfer.write_files(run, contents)
    message = _job_runner(json.dumps(asdict(replace(settings, runs_dir=str(runs_dir)))))(wire, send)
    try:
        return encode(message), transfer.read_files(run)
    finally:
        shutil.rmtree(run, ignore_errors=True)
        with suppress(OSError):  # other tasks may use the folders
            lock.lock_file(run).unlink(missing_ok=True)
            for folder in (lock.lock_file(run).parent, run.parent, runs_dir):
                folder.rmdir()


@lru_cache(maxsize=1)
def _job_runner(settings: str) -> worker.JobRunner:
    """Return the function that does a job; each of Ray's processes starts TensorFlow once."""
    return worker.start_runner(WorkerSettings(**json.loads(settings)))


class Mailbox:
    """An actor that holds the messages of tasks until the scheduler takes them."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def put(self, line: str) -> None:
        """Add a message."""
        self._lines.append(line)

    def take(self) -> list[str]:
        """Return the messages since the last call."""
        lines, self._lines = self._lines, []
        return lines


def _mailbox(ray: Any) -> Any:
    """Return a mailbox on this node, so that the loss of another node does not affect it."""
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    return ray.remote(num_cpus=0, scheduling_strategy=here)(Mailbox).remote()
