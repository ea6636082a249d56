"""The scheduler: hands trials out, one after the other, until each is over. State is the run folders, and nothing else.

A trial that another process trains is put behind all others; what is then left of those is waited for. A trial whose
worker is lost is handed out again, from its checkpoint on, as often as `retries` says.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lossbench import __version__
from lossbench.errors import DeviceError, InterruptedRunError, MachineError, TakenRunError
from lossbench.runs import lock, read
from lossbench.sweep.executors.messages import (
    Executor,
    Fault,
    Job,
    Message,
    TrialEnded,
    TrialLost,
    TrialProgress,
    TrialStarted,
)
from lossbench.sweep.journal import Journal, event
from lossbench.sweep.status import SweepStatus
from lossbench.training import fail, run_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lossbench.config.identity import Trial
    from lossbench.sweep.plan import PlannedTrial
    from lossbench.training.signals import StopRequest

TICK = 0.2
"""Seconds after which the scheduler looks up when nothing is told: a signal, a trial that is late."""


@dataclass(frozen=True)
class Rules:
    """What happens when something goes wrong.

    Attributes:
        retries: How often a trial is handed out again when its worker is lost.
        retry_failed: Hand out trials that an earlier call has left failed.
        timeout: Seconds after which a trial's worker is ended; None: never.
        fail_fast: Stop at the first failed trial.
        max_consecutive_failures: Stop when so many trials fail in a row; 0: never.
    """

    retries: int = 1
    retry_failed: bool = False
    timeout: float | None = None
    fail_fast: bool = False
    max_consecutive_failures: int = 3


def read_status(planned: Sequence[PlannedTrial], runs_dir: Path) -> SweepStatus:
    """What is there of each trial before anything is done."""
    status = SweepStatus(planned)
    for number, each in enumerate(planned):
        summary = _summary(each.trial, runs_dir)
        status.set_status(number, summary.get("status", "new"))
        status.threads.append(_threads(each.trial, summary))
        if status.statuses[number] == "failed":
            status.failures[number] = str(summary.get("reason"))
        accuracy = summary.get("metrics", {}).get("test.last.accuracy")
        if status.statuses[number] == "completed" and accuracy is not None:
            status.accuracies[number] = accuracy
    return status


def run(
    status: SweepStatus,
    begin: Callable[[], Executor],
    *,
    runs_dir: Path,
    journal: Journal,
    stop: StopRequest,
    rules: Rules = Rules(),
    on_event: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> None:
    """Train all trials that are not over yet; `status` then says how each of them ended.

    Args:
        status: What `read_status` has found.
        begin: Makes what trains; not called if there is nothing to train.
        runs_dir: Where the run folders are.
        journal: Gets every event.
        stop: Whether a signal has asked to stop.
        rules: What happens when something goes wrong.
        on_event: Hears every event, and a `progress` whenever something has moved.

    Raises:
        InterruptedRunError: A signal stopped it; the same call continues.
        MachineError: A folder cannot be written.
        DeviceError: The device is not there.
    """
    waiting = deque(_jobs(status, retry_failed=rules.retry_failed))
    if not waiting:
        return

    def send(entry: Mapping[str, Any]) -> None:
        journal.add(entry)
        on_event(entry)

    send(event("sweep", trials=len(status.trials), waiting=len(waiting), argv=sys.argv, lossbench=__version__))
    executor = begin()
    try:
        _Scheduler(status, executor, runs_dir, send, on_event, rules, waiting).run(stop)
    finally:
        executor.close()
        send(event("end", **+status.counts))


@dataclass
class _Scheduler:
    status: SweepStatus
    executor: Executor
    runs_dir: Path
    send: Callable[[Mapping[str, Any]], None]
    on_event: Callable[[Mapping[str, Any]], None]
    rules: Rules
    waiting: deque[Job]
    begun: dict[int, float] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    failed_in_a_row: int = 0

    def run(self, stop: StopRequest) -> None:
        waiting = self.waiting
        while (waiting and not self.status.stop_reason) or self.jobs:
            while waiting and not self.status.stop_reason and self.executor.free() > 0:
                self._hand_out(waiting.popleft())
            for message in self.executor.messages(TICK):
                self._understand(message)
            self._end_the_late()
            self.on_event({"event": "progress"})
            if stop.signum is not None:
                self._interrupted(stop.signum)
            if self.status.stop_reason and self.jobs:
                self._stop_the_rest()

    def _hand_out(self, job: Job) -> None:
        self.jobs[job.number] = job
        self.executor.submit(job)

    def _understand(self, message: Message) -> None:
        if isinstance(message, Fault):
            self.status.stop_reason = message.reason
            self.executor.stop()
            raise (DeviceError if message.exit_code == DeviceError.exit_code else MachineError)(message.reason)
        job = self.jobs.get(message.number)
        if job is None:
            return
        match message:
            case TrialStarted():
                self.begun[job.number] = time.monotonic()
                self.status.running[job.number] = None
            case TrialProgress():
                if self.status.running.get(job.number) is None:
                    self._started(job, message)
                self.status.running[job.number] = message
            case TrialEnded():
                self._ended(job, message)
            case TrialLost():
                self._lost(job, message)

    def _started(self, job: Job, where: TrialProgress) -> None:
        self.status.set_status(job.number, "running")
        attempt = job.attempt if job.attempt > 1 else None
        self._send_event("started", job, epoch=int(where.done) or None, attempt=attempt)

    def _ended(self, job: Job, ended: TrialEnded) -> None:
        self._over(job)
        match ended.status:
            case "taken":
                self.waiting.append(replace(job, wait=True))
            case "interrupted" if self.status.stop_reason is None:
                self._lost(job, TrialLost(job.number, "its worker was asked to stop"))
            case "failed":
                self._failed(job, str(ended.reason))
            case status:
                self._finished(job, ended, status)

    def _finished(self, job: Job, ended: TrialEnded, status: str) -> None:
        """Completed, diverged, or interrupted together with the sweep."""
        self.status.set_status(job.number, status)
        if status != "interrupted":
            self.failed_in_a_row = 0
            self.status.failures.pop(job.number, None)
        if status == "completed" and ended.accuracy is not None:
            self.status.accuracies[job.number] = ended.accuracy
        if not ended.was_done:
            self.status.trained += self.status.costs[job.number]
        self._send_event(
            status,
            job,
            reason=ended.reason,
            accuracy=ended.accuracy,
            seconds=ended.seconds,
            elsewhere=True if ended.was_done else None,
        )

    def _lost(self, job: Job, lost: TrialLost) -> None:
        """Hand the trial out again if it may be, else leave it failed in its run folder."""
        self._over(job)
        if self.status.stop_reason is not None:
            if self.status.statuses[job.number] == "running":
                self.status.set_status(job.number, "interrupted")
                self._send_event("interrupted", job)
        elif job.attempt <= self.rules.retries:
            self._send_event("retried", job, reason=lost.reason)
            self.waiting.appendleft(replace(job, attempt=job.attempt + 1))
        else:
            reason = f"{lost.reason}{f', {job.attempt} times' if job.attempt > 1 else ''}"
            run = run_folder(job.trial, self.runs_dir)
            try:
                with lock.claim(run):
                    fail(run, job.trial, reason, lost.log)
            except TakenRunError:  # another sweep has taken it over meanwhile
                self.waiting.append(replace(job, wait=True))
            else:
                self._failed(job, reason)

    def _failed(self, job: Job, reason: str) -> None:
        self.status.set_status(job.number, "failed")
        self.status.failures[job.number] = reason
        self.failed_in_a_row += 1
        self._send_event("failed", job, reason=reason)
        most = self.rules.max_consecutive_failures
        if self.rules.fail_fast:
            self.status.stop_reason = f"{job.trial.folder} failed: {reason}"
        elif most and self.failed_in_a_row >= most:
            self.status.stop_reason = f"{most} trials in a row failed, the last one because: {reason}"

    def _over(self, job: Job) -> None:
        self.jobs.pop(job.number, None)
        self.begun.pop(job.number, None)
        self.status.running.pop(job.number, None)

    def _end_the_late(self) -> None:
        timeout, now = self.rules.timeout, time.monotonic()
        for number, since in list(self.begun.items()):
            if timeout is not None and now - since > timeout:
                del self.begun[number]
                self.executor.kill(number, f"it ran longer than {timeout:g} s")

    def _stop_the_rest(self) -> None:
        """Let the running trials write their checkpoints and end, and hear how far they came."""
        self.executor.stop()
        while self.jobs:
            heard = list(self.executor.messages(TICK))
            for message in heard:
                self._understand(message)
            if not heard:
                break

    def _interrupted(self, signum: int) -> None:
        self.status.stop_reason = f"stopped by signal {signum}"
        self._stop_the_rest()
        raise InterruptedRunError(self.status.stop_reason, signum)

    def _send_event(self, kind: str, job: Job, **facts: Any) -> None:
        self.send(event(kind, trial=job.trial.folder, **facts))


def _jobs(status: SweepStatus, *, retry_failed: bool) -> list[Job]:
    """What is to be done, in order: new trials, those that were interrupted, failed ones if that is asked for."""
    over = {"completed", "diverged"} | (set() if retry_failed else {"failed"})
    return [
        Job(number, each.trial, status.threads[number])
        for number, each in enumerate(status.trials)
        if status.statuses[number] not in over
    ]


def _summary(trial: Trial, runs_dir: Path) -> Mapping[str, Any]:
    """What `run.json` says of a trial; nothing where there is none that can be read and is this trial's."""
    try:
        summary = read.read_summary(run_folder(trial, runs_dir))
    except read.BrokenRunError:
        return {}
    return summary if summary["hashes"]["identity"] == trial.identity else {}


def _threads(trial: Trial, summary: Mapping[str, Any]) -> int:
    """As an interrupted run was begun with, or as configured, or one."""
    begun = summary.get("threads")
    return begun if type(begun) is int and begun > 0 else trial.experiment.train.threads or 1
