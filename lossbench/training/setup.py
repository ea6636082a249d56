"""Set-up of a trial: data, device, model and loop. It reports every mismatch before anything is written."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench.config.dump import dump
from lossbench.config.model import AdaptiveHead
from lossbench.data import prepare
from lossbench.losses import binding, expression, labels, registry
from lossbench.losses.user_code import report_user_errors
from lossbench.models import build
from lossbench.training import checks, runtime, user_loss, user_loss_check
from lossbench.training.layers import layers
from lossbench.training.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lossbench.config.identity import Trial
    from lossbench.config.schema import Experiment
    from lossbench.data import Dataset


MOST_GRAPHS = 32
"""Compiled loops that a process keeps, for sweeps of many losses; each takes about 10 MiB (MLP, TensorFlow 2.21)."""


class Stopwatch:
    """Seconds per phase of a run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent inside to a phase."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - began)

    def add(self, name: str, seconds: float) -> None:
        """Add seconds to a phase."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


@dataclass(frozen=True)
class Setup:
    """A trial that is ready for training.

    Attributes:
        stopwatch: Contains the seconds that the set-up took.
        notes: Sentences for the user.
    """

    trial: Trial
    machine: runtime.Runtime
    dataset: Dataset
    model: Any
    loop: Loop
    stopwatch: Stopwatch
    notes: tuple[str, ...] = ()


def set_up(trial: Trial, *, device: str, threads: int | None) -> Setup:
    """Read the data while TensorFlow starts, and build the model and the loop.

    Args:
        trial: The trial.
        device: `auto`, `cpu`, `gpu` or `gpu:N`.
        threads: CPU threads of the interrupted run that is continued; None: as configured, or chosen for the model.

    Raises:
        UsageError: Configuration, data, loss or device do not fit together.
    """
    experiment, stopwatch = trial.experiment, Stopwatch()
    with ThreadPoolExecutor(1) as reader:
        with stopwatch.phase("startup"):
            checks.check(experiment)
            data = reader.submit(prepare, experiment)
            machine = runtime.start(
                device=device,
                threads=threads or experiment.train.threads or runtime.default_threads(experiment),
                precision=experiment.train.precision,
                deterministic=experiment.train.deterministic,
            )
        with stopwatch.phase("data"):
            dataset = data.result()
    with stopwatch.phase("build"), runtime.on(machine), user_loss.isolated():
        context = checks.context(experiment, dataset)
        use_xla = machine.kind == "cpu" and runtime.is_worth_compiling(experiment, len(dataset.train.labels))
        user_loss_check.try_loss(experiment.loss, dataset.classes, context, experiment.seed)
        model = build(
            experiment.model,
            class_counts=dataset.class_counts,
            image_shape=dataset.image_shape,
            seed=experiment.seed,
            precision=experiment.train.precision,
            layer_classes=layers(),
        )
        notes: tuple[str, ...] = ()
        if user_loss.is_users(experiment.loss):
            loop, notes = _compile_users_loss(experiment, dataset, model, context, use_xla=use_xla)
        else:
            loop = Loop(experiment, dataset, model, binding.bind(experiment.loss, **context), use_xla=use_xla)
            loop, is_new = _reuse_compiled(loop, _graph(experiment, dataset, context, loop))
            if is_new and use_xla:
                steps, images = divmod(len(dataset.train.labels), experiment.train.batch_size)
                loop.compile_all(steps, rest=images > 0 and not experiment.train.drop_remainder)
    return Setup(trial, machine, dataset, loop.model, loop, stopwatch, notes)


def _compile_users_loss(
    experiment: Experiment, dataset: Dataset, model: Any, context: Mapping[str, Any], *, use_xla: bool
) -> tuple[Loop, tuple[str, ...]]:
    """Return a loop of its own for a user's loss, as it may have state, and a note if XLA cannot compile it."""
    loop = _trace_users_loss(experiment, dataset, model, context, use_xla=use_xla)
    batches = len(dataset.train.labels) // experiment.train.batch_size
    obstacle = loop.find_obstacle(batches) if use_xla else None
    if not obstacle:
        return loop, ()
    note = f"loss {labels.label(experiment.loss)}: {obstacle}; the training runs without XLA, which is slower"
    return _trace_users_loss(experiment, dataset, model, context, use_xla=False), (note,)


def _trace_users_loss(
    experiment: Experiment, dataset: Dataset, model: Any, context: Mapping[str, Any], *, use_xla: bool
) -> Loop:
    """Return a loop whose loss has never been called."""
    variables = user_loss.Variables()
    with variables.recorded():
        user_loss.renew(experiment.loss, experiment.seed)
        loss = binding.bind(experiment.loss, **context)
    loop = Loop(experiment, dataset, model, loss, use_xla=use_xla, loss_variables=variables.list)
    files = [execution.file for term in experiment.loss if (execution := registry.find(term.name).execution)]
    with variables.recorded(), report_user_errors(files[0]):
        loop.trace()
    return loop


def _reuse_compiled(loop: Loop, graph: str) -> tuple[Loop, bool]:
    """Return a loop that this process compiled for the same graph, in the state of `loop`; otherwise `loop` itself.

    Returns:
        The loop, and whether it is new.
    """
    cached = compiled(graph)
    if not cached:
        cached.append(loop)
        return loop, True
    cached[0].take_over(loop)
    return cached[0], False


@lru_cache(maxsize=MOST_GRAPHS)
def compiled(graph: str) -> list[Loop]:  # noqa: ARG001 - the cache's key
    """Return the cache slot for the compiled loop of this graph; empty until the first trial fills it."""
    return []


def _graph(experiment: Experiment, dataset: Dataset, context: Mapping[str, Any], loop: Loop) -> str:
    """Return everything that is compiled into the functions; learning rates, seeds and images are their inputs."""
    config = dump(experiment)
    sections = [config["model"], config["regularization"], expression.identity(experiment.loss)]
    inputs = {"learning_rate": None, "schedule": None}
    used = {name for term in experiment.loss for name in registry.find(term.name).context}
    if isinstance(experiment.model.head, AdaptiveHead):
        used.add("class_counts")
    given = {name: np.asarray(value).tolist() for name, value in context.items() if name in used}
    variables = [tuple(variable.shape) for variable in loop.variables]
    train = experiment.train
    shapes = (dataset.image_shape, variables, dataset.classes, train.precision, train.batch_size)
    return json.dumps([sections, config["optimizer"] | inputs, given, shapes], sort_keys=True)
