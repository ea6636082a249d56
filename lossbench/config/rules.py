"""Rules between keys; each problem names the key to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.config import decide, tune
from lossbench.config.datasets import DATASETS, OWN_FILES
from lossbench.errors import Problem
from lossbench.losses.expression import needs_head
from lossbench.losses.labels import label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossbench.config.data import Data, Imbalance, LabelNoise
    from lossbench.config.optimizer import Optimizer
    from lossbench.config.schema import Experiment
    from lossbench.config.sweep import Sweep

ROW_SUM_TOLERANCE = 1e-6


def contradictions(experiment: Experiment) -> list[Problem]:
    """Return every contradiction between keys that are valid on their own."""
    problems = [*_data(experiment.data), *_head(experiment), *_optimizer(experiment.optimizer)]
    if noise := experiment.data.label_noise:
        problems += _label_noise(noise)
    if imbalance := experiment.data.imbalance:
        problems += _imbalance(imbalance)
    if experiment.train.early_stopping and not experiment.data.validation_size:
        reason = "needs validation images, but data.validation_size is 0; set it, or early_stopping to null"
        problems.append(Problem(("train", "early_stopping"), reason))
    if experiment.sweep and experiment.sweep.decide:
        problems += decide.contradictions(experiment.sweep.decide, experiment.sweep.seeds)
    if experiment.sweep and experiment.sweep.tune:
        problems += tune.contradictions(experiment.sweep.tune, _seeds(experiment, experiment.sweep))
    return problems


def _seeds(experiment: Experiment, sweep: Sweep) -> Sequence[int]:
    """Return the seeds that a sweep may train."""
    planned = range(decide.planned_looks(sweep.decide, None)[-1]) if sweep.decide else (experiment.seed,)
    return sweep.seeds or planned


def _data(data: Data) -> Iterator[Problem]:
    if data.name == OWN_FILES and not data.path:
        yield Problem(("data", "path"), f"missing; data.name: {OWN_FILES} needs a folder of four IDX files")
    if data.transpose and data.name != OWN_FILES:
        reason = f"the images of {data.name} are upright; only files of your own take it, data.name: {OWN_FILES}"
        yield Problem(("data", "transpose"), reason)
    if data.path and data.name != OWN_FILES and DATASETS[data.name].base_url is None:
        reason = f"{data.name} is embedded and takes no path; for files of your own write data.name: {OWN_FILES}"
        yield Problem(("data", "path"), reason)


def _head(experiment: Experiment) -> Iterator[Problem]:
    needed, head = needs_head(experiment.loss), experiment.model.head.name
    if needed and head != needed:
        reason = (
            f"the loss {label(experiment.loss)} needs the {needed} head, this is {head}; write model.head: {needed}"
        )
        yield Problem(("model", "head"), reason)


def _label_noise(noise: LabelNoise) -> Iterator[Problem]:
    here = ("data", "label_noise")
    if noise.type == "matrix":
        if noise.matrix is None:
            yield Problem((*here, "matrix"), "missing; type matrix needs a list of rows, P(label j | true class i)")
        if noise.rate is not None:
            yield Problem((*here, "rate"), "a matrix already defines how often labels change; remove the rate")
    else:
        if noise.rate is None:
            yield Problem((*here, "rate"), "missing; expected a number ≥ 0 and ≤ 1")
        if noise.matrix is not None:
            yield Problem(
                (*here, "matrix"), f"only type matrix takes a matrix, this is {noise.type}; change one of them"
            )
    if noise.include_self and noise.type != "symmetric":
        yield Problem(
            (*here, "include_self"), f"only type symmetric takes include_self, this is {noise.type}; remove it"
        )
    for index, row in enumerate(noise.matrix or ()):
        if len(row) != len(noise.matrix or ()):
            yield Problem(
                (*here, "matrix", index), f"expected {len(noise.matrix or ())} numbers, as many as rows, got {len(row)}"
            )
        elif abs(sum(row) - 1) > ROW_SUM_TOLERANCE:
            yield Problem((*here, "matrix", index), f"expected numbers that sum to 1, got {sum(row):g}")


def _imbalance(imbalance: Imbalance) -> Iterator[Problem]:
    here = ("data", "imbalance")
    by_counts = imbalance.type == "counts"
    if by_counts and imbalance.counts is None:
        yield Problem((*here, "counts"), "missing; type counts needs the training images of each class, as a list")
    if not by_counts and imbalance.counts is not None:
        yield Problem((*here, "counts"), f"type {imbalance.type} takes no counts; remove them, or the type")
    if by_counts and imbalance.ratio is not None:
        yield Problem((*here, "ratio"), "counts already define the number of images; remove the ratio")
    if not by_counts and imbalance.ratio is None:
        yield Problem((*here, "ratio"), "missing; expected a number ≥ 1")
    if imbalance.minority_classes is not None and imbalance.type != "step":
        reason = f"only type step takes minority_classes, this is {imbalance.type}; remove them"
        yield Problem((*here, "minority_classes"), reason)


def _optimizer(optimizer: Optimizer) -> Iterator[Problem]:
    if optimizer.name == "sgd" and optimizer.nesterov and not optimizer.momentum:
        yield Problem(("optimizer", "nesterov"), "needs momentum > 0; set optimizer.momentum, e.g. 0.9")
    if optimizer.schedule.name == "cosine" and optimizer.schedule.end > optimizer.learning_rate:
        reason = f"expected a number ≤ learning_rate, {optimizer.learning_rate:g}, got {optimizer.schedule.end:g}"
        yield Problem(("optimizer", "schedule", "end"), reason)
