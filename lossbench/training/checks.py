"""Checks of a configuration against its data, its losses and this installation, all before TensorFlow starts.

`train`, `sweep` and `validate` call the same function, so that they refuse the same configurations.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench.config.model import AdaptiveHead
from lossbench.config.problem_lines import line
from lossbench.data import sources
from lossbench.data.summary import summarize
from lossbench.errors import ConfigError, DataError, PluginError, Problem, UsageError
from lossbench.extras import install_command
from lossbench.losses import registry
from lossbench.losses.signature import engine_parameters
from lossbench.losses.types import State
from lossbench.models.shapes import smallest_side
from lossbench.training import runtime, tensorboard, user_loss, user_loss_check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lossbench.config.schema import Experiment
    from lossbench.data import Dataset
    from lossbench.data.summary import Summary
    from lossbench.losses.expression import LossTerm


def check(experiment: Experiment) -> None:
    """Raise a ConfigError that names everything that training would refuse."""
    if found := problems(experiment):
        raise ConfigError(list(map(line, found)), found)


def problems(experiment: Experiment) -> list[Problem]:
    """Return everything that training would refuse, each with the path of the key to change.

    The files of a data folder are read; data sets known by name are neither read nor downloaded. Losses are not called.
    """
    found = [*_monitor(experiment), *_tensorboard(experiment)]
    try:
        summary = summarize(experiment.data)
    except DataError as error:
        return [_located(error), *found]
    found = [*map(_located, summary.errors), *found]
    return [*_sizes(experiment, summary), *_losses(experiment, summary), *found]


def own_losses(experiments: Iterable[Experiment]) -> list[Experiment]:
    """Return one experiment per distinct user's loss, with its hyperparameters and the context that it gets."""
    return list({_call(each): each for each in experiments if _has_own_loss(each)}.values())


def call_own_losses(experiments: Iterable[Experiment]) -> None:
    """Call every user's loss on small batches, as training does, unless TensorFlow is not installed.

    Raises:
        PluginError: Losses fail, are unusable for training, or depend on state that cannot be saved; one line each.
    """
    refused: dict[str, None] = {}
    for experiment in own_losses(experiments) if find_spec("tensorflow") else ():
        runtime.tensorflow()
        summary = summarize(experiment.data)
        try:
            user_loss_check.try_loss(experiment.loss, summary.classes, context(experiment, summary), experiment.seed)
        except UsageError as error:
            refused[str(error)] = None
    if refused:
        raise PluginError("\n".join(refused))


def _call(experiment: Experiment) -> str:
    """Return everything that the call of a loss depends on, apart from the seed."""
    summary = summarize(experiment.data)
    names = {name for term in experiment.loss for name in registry.find(term.name).context}
    used = {name: value for name, value in context(experiment, summary).items() if name in names}
    return repr((experiment.loss, summary.classes, used))


def not_checked(experiments: Sequence[Experiment]) -> list[str]:
    """Return what only training will find out, each as a phrase."""
    reasons = {
        "TensorFlow is not installed, so your own losses were not called": any(map(_has_own_loss, experiments))
        and not find_spec("tensorflow"),
        "mixed_float16 needs a GPU": any(each.train.precision == "mixed_float16" for each in experiments),
        **{
            f"{name} will be downloaded": True
            for name in sorted({each.data.name for each in experiments if _is_remote(each)})
        },
    }
    return [reason for reason, holds in reasons.items() if holds]


def _has_own_loss(experiment: Experiment) -> bool:
    return user_loss.is_users(experiment.loss)


def _is_remote(experiment: Experiment) -> bool:
    return experiment.data.path is None and not sources.is_present(experiment.data.name)


def context(experiment: Experiment, data: Summary | Dataset) -> dict[str, Any]:
    """Return the context that losses can use; without label noise, the transition matrix is the identity."""
    matrix = data.transition_matrix
    return {
        "class_counts": data.class_counts.astype(np.float32),
        "transition_matrix": (np.eye(data.classes) if matrix is None else matrix).astype(np.float32),
        "head_scale": getattr(experiment.model.head, "scale", None),
    }


def _located(error: DataError) -> Problem:
    """Return a mistake in the data with its key; `data.path` if it is in a file."""
    found = re.fullmatch(r"(data\.[a-z_.]+): (.*)", str(error), re.DOTALL)
    return Problem(tuple(found[1].split(".")), found[2]) if found else Problem(("data", "path"), str(error))


def _sizes(experiment: Experiment, summary: Summary) -> Iterator[Problem]:
    batch, head, model = experiment.train.batch_size, experiment.model.head, experiment.model
    if batch > summary.images:
        yield Problem(("train", "batch_size"), f"expected at most the {summary.images} training images, got {batch}")
    if isinstance(head, AdaptiveHead) and head.cutoffs[-1] >= summary.classes:
        reason = f"expected numbers below {summary.classes}, the number of classes, got {head.cutoffs[-1]}"
        yield Problem(("model", "head", "cutoffs"), reason)
    least, (height, width) = smallest_side(model), summary.image_shape
    if min(height, width) < least:
        reason = (
            f"{model.name} needs images of at least {least} × {least} pixels, these have {height} × {width}; "
            "choose another model (mlp and linear take every size)"
        )
        yield Problem(("model",), reason)


def _losses(experiment: Experiment, summary: Summary) -> Iterator[Problem]:
    """Yield hyperparameters that do not fit the number of classes, and context that a loss cannot use."""
    known = context(experiment, summary)
    if summary.transition_matrix is not None:
        del known["class_counts"]  # losses get the counts after label noise, which differ by seed
    for index, term in enumerate(experiment.loss):
        path: tuple[str | int, ...] = ("loss",) if len(experiment.loss) == 1 else ("loss", index)
        yield from _lists(term, path, summary.classes)
        for name, mark in registry.find(term.name).used_context(term.hyperparameters).items():
            if known.get(name) is not None and (reason := mark.find_problem(known[name])):
                yield Problem(path, f"{term.name}: {name}: {reason}")


def _lists(term: LossTerm, path: tuple[str | int, ...], classes: int) -> Iterator[Problem]:
    """Yield lists of a catalogued loss that do not have one number per class; a user's loss may mean other lists."""
    for name, value in term.hyperparameters.items():
        if isinstance(value, tuple | list) and len(value) != classes and not registry.find(term.name).plugin:
            reason = f"expected one number or {classes}, one per class, got a list of {len(value)}"
            yield Problem((*path, name), reason)


def _monitor(experiment: Experiment) -> Iterator[Problem]:
    stopping = experiment.train.early_stopping
    if stopping and stopping.monitor == "val_loss" and any(map(_has_state_per_image, experiment.loss)):
        reason = "this loss has a state per training image and no val_loss; monitor val_accuracy or val_nll"
        yield Problem(("train", "early_stopping", "monitor"), reason)


def _has_state_per_image(term: LossTerm) -> bool:
    marks = engine_parameters(registry.find(term.name).function).values()
    return any(isinstance(mark, State) and mark.per_image for mark in marks)


def _tensorboard(experiment: Experiment) -> Iterator[Problem]:
    if experiment.log.tensorboard and not tensorboard.is_installed():
        reason = f"TensorBoard is not installed; type: {install_command('tensorboard')}"
        yield Problem(("log", "tensorboard"), reason)
