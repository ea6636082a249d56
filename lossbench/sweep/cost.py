"""Expected cost of a trial, and shards of equal cost.

The cost is a rough time on one core of a server of 2023, counted from the model's multiplications per image. Only its
proportions matter: it balances shards and estimates the time left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.config.datasets import DATASETS, IMAGE_SHAPE, OWN_FILES
from lossbench.models.shapes import multiplications

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.config.data import Data
    from lossbench.config.datasets import Source
    from lossbench.config.schema import Experiment
    from lossbench.sweep.plan import PlannedTrial

SET_UP, STEP, MULTIPLICATION = 1.0, 1e-4, 5e-11
"""Seconds per trial (model and compilation), per step (fixed part), per multiplication (forward and backward)."""

FORWARD = 1 / 3
"""Cost of evaluating an image, as a share of the cost of training on it."""


def cost(experiment: Experiment) -> float:
    """Return roughly how many seconds a trial takes on one core."""
    data, train, source = experiment.data, experiment.train, _source(experiment.data)
    images = _training_images(data)
    trained, steps = train.epochs * images, train.epochs * -(-images // train.batch_size)
    evaluated = (train.epochs + 1) * data.validation_size + source.test_images
    multiplied = multiplications(experiment.model, image_shape=IMAGE_SHAPE, classes=source.classes)
    return SET_UP + STEP * steps + MULTIPLICATION * multiplied * (trained + FORWARD * evaluated)


def shard(planned: Sequence[PlannedTrial], number: int, of: int) -> list[PlannedTrial]:
    """Return the trials of one shard, in the order of the plan.

    Trials are assigned by descending cost, each to the shard with the least work so far.

    Args:
        planned: All trials, finished or not, so that the shards do not depend on progress.
        number: The shard's number, from 1.
        of: The number of shards.
    """
    costs = [cost(each.trial.experiment) for each in planned]
    loads = [0.0] * of
    chosen = []
    for index in sorted(range(len(planned)), key=lambda index: -costs[index]):
        least = loads.index(min(loads))
        loads[least] += costs[index]
        if least == number - 1:
            chosen.append(index)
    return [planned[index] for index in sorted(chosen)]


def _source(data: Data) -> Source:
    """Return the sizes of a data set; a folder of the user's counts as MNIST."""
    return DATASETS["mnist" if data.name == OWN_FILES else data.name]


def _training_images(data: Data) -> int:
    """Return about how many images are left by subset and imbalance."""
    source = _source(data)
    share = len(data.classes) / source.classes if data.classes else 1
    images = data.train_size or max(1, int(source.train_images * share) - data.validation_size)
    imbalance = data.imbalance
    if imbalance is None:
        return images
    if imbalance.counts is not None:
        return sum(imbalance.counts)
    return max(1, images // 2) if (imbalance.ratio or 1) > 1 else images
