"""Choice of an executor by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never

from lossbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lossbench.sweep.executors.messages import Executor, WorkerSettings
    from lossbench.sweep.plan import PlannedTrial

ExecutorName: TypeAlias = Literal["local", "ray"]

MAX_PER_TRIAL = 1024
"""CPUs or GPUs; more than any node has."""


def choose(
    name: ExecutorName | None,
    settings: WorkerSettings,
    trials: Sequence[PlannedTrial],
    *,
    folder: Path,
    finished: bool = False,
    jobs: int | None = None,
    ray_address: str | None = None,
    cpus_per_trial: float | None = None,
    gpus_per_trial: float | None = None,
) -> Callable[[], Executor]:
    """Check the options of an executor and return the function that starts it.

    Args:
        name: The executor; None: Ray if there is an address, else local.
        settings: Settings of the workers.
        trials: The trials; local workers have as many cores as the most demanding one.
        folder: The sweep's folder.
        finished: Whether nothing is left to train, so that no worker will check the device.
        jobs: Trials at a time; None: as many as possible.
        ray_address: `auto` or `host:port` of a running cluster; None: start one on this machine.
        cpus_per_trial: CPUs per trial on Ray; None: 1.
        gpus_per_trial: GPUs per trial on Ray; None: 0. A fraction shares a GPU.

    Raises:
        UsageError: An option is out of range, or belongs to another executor.
        DeviceError: The device has another form, or is missing where nothing is left to train.
    """
    from lossbench.training import runtime
    from lossbench.training.gpus import parse_device

    settings = replace(settings, device=parse_device(settings.device))
    chosen = name or ("local" if ray_address is None else "ray")
    match chosen:
        case "local":
            options = {"ray_address": ray_address, "cpus_per_trial": cpus_per_trial, "gpus_per_trial": gpus_per_trial}
            for option, value in options.items():
                if value is not None:
                    raise UsageError(
                        "this is for `executor` ray; local workers take one core each, see `jobs`",
                        parameter=option,
                        mentions=("executor", "jobs"),
                    )
            if finished:
                runtime.check_device(settings.device)
            from lossbench.sweep.executors.local import LocalExecutor

            threads = max((each.trial.experiment.train.threads or 1 for each in trials), default=1)
            return lambda: LocalExecutor.here(settings, jobs=jobs, threads=threads)
        case "ray":
            for option, number in (("cpus_per_trial", cpus_per_trial), ("gpus_per_trial", gpus_per_trial)):
                if number is not None and not 0 <= number <= MAX_PER_TRIAL:
                    raise UsageError(f"expected a number ≥ 0, e.g. 1 or 0.25, got {number:g}", parameter=option)
            from lossbench.sweep.executors.ray import RayExecutor

            cpus, gpus = 1 if cpus_per_trial is None else cpus_per_trial, gpus_per_trial or 0
            device = ("gpu" if gpus else "cpu") if settings.device == "auto" else settings.device
            shared = replace(settings, device=device, memory_share=gpus if 0 < gpus < 1 else None)
            return lambda: RayExecutor(shared, folder=folder, address=ray_address, jobs=jobs, cpus=cpus, gpus=gpus)
        case _:
            assert_never(chosen)
