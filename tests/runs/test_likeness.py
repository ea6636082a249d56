"""The table of likeness covers every key of a configuration and agrees with what the other tables say."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from pydantic import BaseModel

from lossbench.config.identity import ADDED
from lossbench.config.schema import Experiment
from lossbench.losses.registry import signatures
from lossbench.runs import grouping
from lossbench.runs.likeness import HEAD_LOSSES, IGNORED, LATER, LIKENESS, likeness, unlike_keys

if TYPE_CHECKING:
    from collections.abc import Iterator


def sections(annotation: object) -> Iterator[type[BaseModel]]:
    """Every section that a key may hold, through unions and annotations."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from sections(part)


def keys() -> Iterator[str]:
    """Every key of a configuration: the sections' own, and those at the top level that hold no section."""
    for name, field in Experiment.model_fields.items():
        inner = {key for section in sections(field.annotation) for key in section.model_fields}
        yield from (f"{name}.{key}" for key in inner) if inner and name != "sweep" else [name]


@pytest.mark.parametrize("key", sorted(keys()))
def test_every_key_is_classified(key: str) -> None:
    """A new key needs an entry: may losses that are compared differ in it, or is their comparison unfair then?"""
    parents = {key, key.partition(".")[0]}
    assert parents & LIKENESS.keys(), f"{key} has no entry in LIKENESS in lossbench/runs/likeness.py; add one"


def test_no_entry_is_left_over() -> None:
    """Every entry is a key of a configuration, but for the digest of the data and the files that a file extends."""
    assert {key for key in LIKENESS if key not in {"data.sha256", "extends"}} <= {
        name for key in keys() for name in (key, key.partition(".")[0])
    }


def test_what_is_ignored_is_no_part_of_an_identity() -> None:
    """No number depends on an ignored key, so a run's identity leaves it out too."""
    assert set(IGNORED) - {"extends"} == {
        "name", "seed", "log", "sweep", "data.path", "train.threads", "train.save_weights",
    }  # fmt: skip


def test_the_losses_that_need_a_head() -> None:
    """The table names exactly the built-in losses whose signature asks for the cosine head's scale."""
    built_in = {name: each for name, each in signatures().items() if not each.plugin}
    assert {name for name, each in built_in.items() if "head_scale" in each.context} == HEAD_LOSSES


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("data.label_noise.rate", "alike"), ("data.normalize.mean", "alike"), ("model.initializer.bias", "alike"),
        ("optimizer.schedule.end", "noted"), ("log.tensorboard", "ignored"), ("train.of_a_later_version", "alike"),
        ("data.later", "alike"), ("optimizer.later", "noted"), ("loss.gamma", "noted"), ("model.head.scale", "head"),
    ],
)  # fmt: skip
def test_keys_without_an_entry_of_their_own(key: str, expected: str) -> None:
    """The closest entry above decides; a new key of data, model or training must agree."""
    assert likeness(key) == expected


def test_a_key_that_is_off_is_one_that_is_absent() -> None:
    """Runs of a version without a key are like runs that have it switched off; true is something else."""
    assert unlike_keys(["train.deterministic"], {}, {"train.deterministic": False}) == ()
    assert unlike_keys(["train.deterministic"], {}, {"train.deterministic": True}) == (
        ("train.deterministic", None, True),
    )


def test_keys_that_were_added_later() -> None:
    """They are those that an identity leaves out at their defaults, at which runs with and without them are alike."""
    assert LATER == ADDED
    rows = [{"loss": "focal", "seed": 0}, {"loss": "focal", "seed": 1, **LATER}]
    now, _ = grouping.group_runs(rows, by=("loss",))
    assert now.varying == ()
    assert unlike_keys(list(LATER), *rows) == ()
