"""Trials trained as tasks on a Ray cluster: the same trials, the same folders, the same numbers.

A node that sees the runs folder claims and writes the run folder itself, as a local worker does. Where nodes do not
see it, the run folder, if there is one, is carried to the node and back and put in its place as a whole; its claim is
held here.
Retries, time limits and failures are the scheduler's, as for local workers; Ray places tasks and tells what is lost.
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
"""How many tasks more than there is room for are handed to Ray, so that no CPU waits for the next one."""


class UnsharedError(LossbenchError):
    """A node does not see the runs folder."""


class RayExecutor:
    """A Ray cluster, this machine's own or a running one."""

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
            settings: What all trials have in common.
            folder: Where this sweep's run folders go.
            address: `auto` or `host:port`; None: a cluster of this machine alone.
            jobs: At most so many trials at a time.
            cpus: CPUs that a trial takes.
            gpus: GPUs that a trial takes; a fraction shares one.

        Raises:
            UsageError: Ray is not installed.
            MachineError: No cluster answers.
        """
        ray = self._ray = ray_cluster.ray()
        ray_cluster.connect(ray, address, jobs)
        # Ray prints pages about a node that is gone; what it means for a trial is told as an event.
        self._muted = ExitStack()
        nowhere = self._muted.enter_context(Path(os.devnull).open("w"))  # noqa: SIM115 - the stack closes it
        self._muted.enter_context(redirect_stdout(nowhere))
        self._muted.enter_context(redirect_stderr(nowhere))
        room = ray.cluster_resources()
        fitting = [room.get("CPU", 0) / cpus if cpus else 0, room.get("GPU", 0) / gpus if gpus else 0]
        self._most = jobs or int(max(1, *fitting)) + AHEAD
        self._settings = replace(settings, runs_dir=str(Path(settings.runs_dir).absolute()))
        self._token = folder / paths.LOCKS / f".ray-{secrets.token_hex(8)}"
        files.make_folder(self._token.parent)
        files.write_text(self._token, "the nodes that see this file write their run folders themselves\n")
        self._shared = True
        self._mailbox = _mailbox(ray)
        self._task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(task)
        self._jobs: dict[Any, Job] = {}
        self._claims: dict[int, ExitStack] = {}
        self._reasons: dict[int, str] = {}
        self._ready: list[Message] = []

    def free(self) -> int:
        """How many more jobs it takes now."""
        return self._most - len(self._jobs)

    def submit(self, job: Job) -> None:
        """Give a job to Ray; with its run folder, if the nodes do not see it."""
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
        """What the tasks have told; at most `timeout` seconds are spent waiting for one to end."""
        try:
            ended = self._ray.wait(list(self._jobs), timeout=0 if self._ready else timeout)[0] if self._jobs else []
            lines = self._ray.get(self._mailbox.take.remote())
        except self._ray.exceptions.RayError:
            self._jobs.clear()  # there is nobody left to be asked to stop
            yield Fault("the Ray cluster is gone; what is done stays, and the same command continues on another one")
            return
        yield from map(decode, lines)
        ready, self._ready = self._ready, []
        yield from ready
        for reference in ended:
            yield from self._result(reference, self._jobs.pop(reference))

    def kill(self, number: int, reason: str) -> None:
        """End the process that trains a trial."""
        self._reasons[number] = reason
        for reference, job in self._jobs.items():
            if job.number == number:
                self._ray.cancel(reference, force=True)

    def stop(self) -> None:
        """Ask the tasks to write their checkpoints and end."""
        for reference in self._jobs:
            self._ray.cancel(reference)
        if self._jobs:
            self._ray.wait(list(self._jobs), num_returns=len(self._jobs), timeout=worker.STOP_SECONDS)

    def close(self) -> None:
        """Leave the cluster; what still runs there is ended."""
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
        """What a task has returned: its last message, and the files that it could not write itself."""
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

    Returns:
        The last message, and the run folder's files if the node was handed some, be it none.

    Raises:
        UnsharedError: The node does not see the runs folder, and was handed no files.
    """
    if version != __version__:
        raise LossbenchError(f"a node has lossbench {__version__}, this is {version}; install the same on all nodes")

    def send(message: Message) -> None:
        mailbox.put.remote(encode(message))

    common = WorkerSettings(**json.loads(settings))
    if contents is not None:
        return _carried(common, wire, Path(token).name, contents, send)
    if not Path(token).exists():
        raise UnsharedError
    return encode(_job_runner(settings)(wire, send)), None


def _carried(
    settings: WorkerSettings, wire: dict[str, Any], token: str, contents: Mapping[str, bytes], send: Send
) -> tuple[str, dict[str, bytes]]:
    """Do a job in a temporary folder, from the files that came with it to those that go back."""
    runs_dir = Path(tempfile.gettempdir()) / f"lossbench{token}"
    run = paths.run_folder(runs_dir, wire["config"]["name"], wire["folder"])
    if contents:
        transfer.write_files(run, contents)
    message = _job_runner(json.dumps(asdict(replace(settings, runs_dir=str(runs_dir)))))(wire, send)
    try:
        return encode(message), transfer.read_files(run)
    finally:
        shutil.rmtree(run, ignore_errors=True)
        with suppress(OSError):  # the folders go with the last run in them
            lock.lock_file(run).unlink(missing_ok=True)
            for folder in (lock.lock_file(run).parent, run.parent, runs_dir):
                folder.rmdir()


@lru_cache(maxsize=1)
def _job_runner(settings: str) -> worker.JobRunner:
    """TensorFlow is started once in each of Ray's processes."""
    return worker.start_runner(WorkerSettings(**json.loads(settings)))


class Mailbox:
    """Holds what tasks tell until the scheduler takes it."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def put(self, line: str) -> None:
        """Add a message."""
        self._lines.append(line)

    def take(self) -> list[str]:
        """All messages since the last time."""
        lines, self._lines = self._lines, []
        return lines


def _mailbox(ray: Any) -> Any:
    """A mailbox on this node, so that it does not go with another one."""
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    return ray.remote(num_cpus=0, scheduling_strategy=here)(Mailbox).remote()
