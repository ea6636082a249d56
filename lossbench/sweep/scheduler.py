"""The scheduler: dispatches trials to an executor until all are finished. The run folders are its only state.

A trial that another process trains moves to the end of the queue, where the executor waits for that process. A trial
whose worker is lost is dispatched again and continues from its checkpoint, up to `Rules.retries` times.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, assert_never

from lossbench import __version__
from lossbench.errors import DeviceError, InterruptedRunError, MachineError, TakenRunError
from lossbench.runs import lock
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
from lossbench.training import fail, run_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lossbench.sweep.decide import Decider
    from lossbench.sweep.status import SweepStatus
    from lossbench.training.signals import StopRequest

TICK = 0.2
"""Seconds to wait for messages before signals and time limits are checked."""


@dataclass(frozen=True)
class Rules:
    """Handling of lost workers and failed trials.

    Attributes:
        retries: Dispatch a trial at most this many times more when its worker is lost.
        retry_failed: Dispatch trials that an earlier call left failed.
        timeout: Kill a trial's worker after this many seconds; None: never.
        fail_fast: Stop at the first failed trial.
        max_consecutive_failures: Stop after this many failed trials in a row; 0: never.
    """

    retries: int = 1
    retry_failed: bool = False
    timeout: float | None = None
    fail_fast: bool = False
    max_consecutive_failures: int = 3


def run(
    status: SweepStatus,
    start_executor: Callable[[], Executor],
    *,
    runs_dir: Path,
    journal: Journal,
    stop: StopRequest,
    rules: Rules = Rules(),
    on_event: Callable[[Mapping[str, Any]], None] = lambda _: None,
    decider: Decider | None = None,
) -> None:
    """Train all trials that are not finished, and keep `status` up to date.

    Args:
        status: The trials, as `read_status` returns them.
        start_executor: Returns the executor; not called if there is nothing to train.
        runs_dir: The runs folder.
        journal: Records every event.
        stop: Set by a signal that asks the sweep to stop.
        rules: Handling of lost workers and failed trials.
        on_event: Called with every event, and with a `progress` event at least every `TICK` seconds.
        decider: Chooses the next trial and makes the looks; None: all trials are trained in order.

    Raises:
        InterruptedRunError: A signal stopped the sweep; the same call continues it.
        MachineError: A folder cannot be written.
        DeviceError: The device is missing.
    """

    def send(entry: Mapping[str, Any]) -> None:
        journal.add(entry)
        on_event(entry)

    if decider:
        decider.begin()
    numbers = [] if decider else status.unfinished(retry_failed=rules.retry_failed)
    for number in numbers:
        if status.statuses[number] == "failed":
            status.set_status(number, "new")
    scheduler = _Scheduler(status, runs_dir, send, on_event, rules, decider)
    scheduler.queue.extend(map(scheduler.job, numbers))
    scheduler.refill()
    if not scheduler.queue:
        return
    waiting = len(status.unfinished(retry_failed=rules.retry_failed))
    send(event("sweep", trials=len(status.trials), waiting=waiting, argv=sys.argv, lossbench=__version__))
    executor = start_executor()
    try:
        scheduler.run(executor, stop)
    finally:
        executor.close()
        send(event("end", **+status.counts))


@dataclass
class _Scheduler:
    status: SweepStatus
    runs_dir: Path
    send: Callable[[Mapping[str, Any]], None]
    on_event: Callable[[Mapping[str, Any]], None]
    rules: Rules
    decider: Decider | None = None
    executor: Executor = field(init=False)
    queue: deque[Job] = field(default_factory=deque)
    start_times: dict[int, float] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    failed_in_a_row: int = 0

    def job(self, number: int) -> Job:
        return Job(number, self.status.trials[number].trial, self.status.threads[number])

    def refill(self, *, ahead: bool = False) -> None:
        """Put the decider's next trial before those that other processes train, if no other trial is queued."""
        if self.decider and not self.status.stop_reason and all(job.wait for job in self.queue):
            number = self.decider.next_trial(self.send, ahead=ahead)
            if number is not None:
                self.queue.appendleft(self.job(number))

    def _refill_if_free(self) -> None:
        """Choose no trial before it can start, as a look in between may drop it."""
        if self.decider and self.executor.free() > 0:
            self.refill(ahead=self.executor.idle() > 0)

    def run(self, executor: Executor, stop: StopRequest) -> None:
        self.executor = executor
        while (self.queue and not self.status.stop_reason) or self.jobs:
            while self.queue and not self.status.stop_reason and self.executor.free() > 0:
                self._dispatch(self.queue.popleft())
                self._refill_if_free()
            for message in self.executor.messages(TICK):
                self._receive(message)
            self._refill_if_free()
            self._kill_overdue()
            self.on_event({"event": "progress"})
            if stop.signum is not None:
                self._interrupt(stop.signum)
            if self.status.stop_reason and self.jobs:
                self._stop_running()

    def _dispatch(self, job: Job) -> None:
        self.jobs[job.number] = job
        self.executor.submit(job)

    def _receive(self, message: Message) -> None:
        if isinstance(message, Fault):
            self.status.stop_reason = message.reason
            self.executor.stop()
            raise (DeviceError if message.exit_code == DeviceError.exit_code else MachineError)(message.reason)
        job = self.jobs.get(message.number)
        if job is None:  # of a trial that has been dispatched again
            return
        match message:
            case TrialStarted():
                self.start_times[job.number] = time.monotonic()
                self.status.running[job.number] = None
            case TrialProgress():
                if self.status.running.get(job.number) is None:
                    self._record_start(job, message)
                self.status.advance(message)
            case TrialEnded():
                self._handle_end(job, message)
            case TrialLost():
                self._handle_loss(job, message)
            case _:
                assert_never(message)

    def _record_start(self, job: Job, progress: TrialProgress) -> None:
        self.status.set_status(job.number, "running")
        attempt = job.attempt if job.attempt > 1 else None
        self._record("started", job, epoch=int(progress.done) or None, attempt=attempt)

    def _handle_end(self, job: Job, ended: TrialEnded) -> None:
        if ended.status in {"completed", "diverged"} and not ended.was_done:
            self.status.count_rest(job.number)
        self._release(job)
        match ended.status:
            case "taken":
                self.queue.append(replace(job, wait=True))
            case "interrupted" if self.status.stop_reason is None:
                self._handle_loss(job, TrialLost(job.number, "its worker was stopped"))
            case "failed":
                self._record_failure(job, str(ended.reason))
            case "completed" | "diverged" | "interrupted":
                self._record_end(job, ended)
            case _:
                assert_never(ended.status)

    def _record_end(self, job: Job, ended: TrialEnded) -> None:
        """Record a trial that is completed, diverged, or interrupted together with the sweep."""
        status = ended.status
        self.status.set_status(job.number, status)
        if status != "interrupted":
            self.failed_in_a_row = 0
            self.status.failures.pop(job.number, None)
        if status == "completed" and ended.validation_accuracy is not None:
            self.status.accuracies[job.number] = ended.validation_accuracy
        is_tuning = self.status.trials[job.number].is_tuning
        self._record(
            status,
            job,
            reason=ended.reason,
            accuracy=None if is_tuning else ended.accuracy,
            validation_accuracy=ended.validation_accuracy if is_tuning else None,
            seconds=ended.seconds,
            elsewhere=True if ended.was_done else None,
        )

    def _handle_loss(self, job: Job, lost: TrialLost) -> None:
        """Dispatch the trial again if `retries` allows it; otherwise record the failure in its run folder."""
        self._release(job)
        if self.status.stop_reason is not None:
            if self.status.statuses[job.number] == "running":
                self.status.set_status(job.number, "interrupted")
                self._record("interrupted", job)
        elif job.attempt <= self.rules.retries:
            self._record("retried", job, reason=lost.reason)
            self.queue.appendleft(replace(job, attempt=job.attempt + 1))
        else:
            reason = f"{lost.reason}{f', {job.attempt} times' if job.attempt > 1 else ''}"
            run = run_folder(job.trial, self.runs_dir)
            try:
                with lock.claim(run):
                    fail(run, job.trial, reason, lost.log)
            except TakenRunError:  # another sweep trains it meanwhile
                self.queue.append(replace(job, wait=True))
            else:
                self._record_failure(job, reason)

    def _record_failure(self, job: Job, reason: str) -> None:
        self.status.set_status(job.number, "failed")
        self.status.failures[job.number] = reason
        self.failed_in_a_row += 1
        self._record("failed", job, reason=reason)
        most = self.rules.max_consecutive_failures
        if self.rules.fail_fast:
            self.status.stop_reason = f"{job.trial.folder} failed: {reason}"
        elif most and self.failed_in_a_row >= most:
            self.status.stop_reason = f"{most} trials in a row failed, the last one because: {reason}"

    def _release(self, job: Job) -> None:
        self.jobs.pop(job.number, None)
        self.start_times.pop(job.number, None)
        self.status.running.pop(job.number, None)

    def _kill_overdue(self) -> None:
        timeout, now = self.rules.timeout, time.monotonic()
        for number, since in list(self.start_times.items()):
            if timeout is not None and now - since > timeout:
                del self.start_times[number]
                self.executor.kill(number, f"it ran longer than {timeout:g} s")

    def _stop_running(self) -> None:
        """Let the running trials write their checkpoints, and receive their last messages."""
        self.executor.stop()
        while self.jobs and (messages := list(self.executor.messages(TICK))):
            for message in messages:
                self._receive(message)

    def _interrupt(self, signum: int) -> None:
        self.status.stop_reason = f"stopped by signal {signum}"
        self._stop_running()
        raise InterruptedRunError(self.status.stop_reason, signum)

    def _record(self, kind: str, job: Job, **facts: Any) -> None:
        self.send(event(kind, trial=job.trial.folder, **facts))
