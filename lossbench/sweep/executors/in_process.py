"""Executor that trains in this process, one trial after the other: for losses in memory, which no other process has."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from lossbench.errors import InterruptedRunError, PluginError, UsageError
from lossbench.losses.code_digest import digest
from lossbench.sweep.executors.messages import TrialEnded
from lossbench.sweep.executors.worker import run_job
from lossbench.training.gpus import parse_device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lossbench.losses.plugin import PluginLoaded
    from lossbench.sweep.executors.messages import Job, Message, WorkerSettings
    from lossbench.sweep.status import SweepStatus


def prepare(
    settings: WorkerSettings,
    plugins: Sequence[PluginLoaded],
    status: SweepStatus,
    *,
    jobs: int | None,
    trial_timeout: float | None,
) -> Callable[[], InProcessExecutor]:
    """Return the function that starts the executor; trials with a loss in memory count as new from now on.

    Raises:
        UsageError: An option needs worker processes, or there is no such device.
    """
    parse_device(settings.device)
    for option, given in (("jobs", jobs if jobs != 1 else None), ("trial_timeout", trial_timeout)):
        if given is not None:
            raise UsageError(
                "needs worker processes, which cannot get a loss in memory; leave it out, or put the loss into a file "
                "and name that in `plugins`",
                parameter=option,
                mentions=("plugins",),
            )
    _forget(status, plugins)
    return lambda: InProcessExecutor(settings, plugins)


def _forget(status: SweepStatus, plugins: Sequence[PluginLoaded]) -> None:
    """Count trials with a loss in memory as new, because such a run is never found done."""
    names = {name for each in plugins if each.in_memory is not None for name in each.names}
    for number, each in enumerate(status.trials):
        if names.intersection(term.name for term in each.trial.experiment.loss):
            status.set_status(number, "new")
            status.accuracies.pop(number, None)
            status.failures.pop(number, None)


class InProcessExecutor:
    """Trains each submitted job when its messages are asked for."""

    def __init__(self, settings: WorkerSettings, plugins: Sequence[PluginLoaded]) -> None:
        self._settings, self._plugins = settings, list(plugins)
        self._job: Job | None = None

    def free(self) -> int:
        """Return how many more jobs can be submitted now."""
        return int(self._job is None)

    def idle(self) -> int:
        """Return how many more jobs would start now."""
        return self.free()

    def submit(self, job: Job) -> None:
        """Keep a job."""
        self._job = job

    def messages(self, timeout: float) -> Iterator[Message]:  # noqa: ARG002 - the interface's
        """Train the job and yield its messages.

        Raises:
            InterruptedRunError: A signal stopped the run.
            PluginError: A trial has changed a loss, so that the next one would not start from its beginning.
        """
        if self._job is None:
            return
        self._refuse_changes()
        job, self._job = self._job, None
        sent: list[Message] = []
        sent.append(run_job(job.to_wire(), sent.append, self._settings, self._plugins))
        last = sent[-1]
        if isinstance(last, TrialEnded) and last.status == "interrupted":
            raise InterruptedRunError(str(last.reason), signal.SIGINT)
        yield from sent

    def _refuse_changes(self) -> None:
        for each in self._plugins:
            if each.in_memory is not None and digest(each.in_memory) != each.sha256:
                raise PluginError(
                    f"{each.names[0]}: an earlier trial has changed the loss, so another one would depend on it: keep "
                    "state in a parameter with the mark State, or put the loss into a file, which every trial executes"
                )

    def kill(self, number: int, reason: str) -> None:
        """Do nothing: no trial runs between two calls."""

    def stop(self) -> None:
        """Forget the job."""
        self._job = None

    def close(self) -> None:
        """Do nothing: there is no process to end."""
