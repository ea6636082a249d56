"""The same trial has the same folder; anything that can change a number gives another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench.config.dump import dump
from lossbench.config.identity import slug, trial
from lossbench.config.resolve import from_mapping

if TYPE_CHECKING:
    from random import Random

DATA = "0" * 64


def identity(mapping: dict[str, object], data: str = DATA, **plugins: str) -> str:
    """Return the digest of an experiment."""
    return trial(from_mapping(mapping), data_sha256=data, plugins=plugins).identity


SAME = [
    ({"loss": "ce"}, {"loss": "categorical_crossentropy"}),
    ({"loss": "ce"}, {"loss": {"name": "ce", "label_smoothing": 0}}),
    ({"loss": "ce"}, {"loss": [{"name": "ce", "weight": 1}]}),
    ({"loss": {"name": "focal", "gamma": 2}}, {"loss": {"gamma": 2.0, "name": "focal"}}),
    ({"optimizer": {"learning_rate": 1}}, {"optimizer": {"learning_rate": 1.0}}),
    ({}, {"train": {"epochs": 5, "batch_size": 64}, "model": "mlp"}),
    ({"seed": 1, "model": "cnn"}, {"model": {"name": "cnn"}, "seed": 1}),
    ({}, {"name": "other"}),
    ({}, {"seed": 5}),
    ({}, {"log": {"tensorboard": True}}),
    ({}, {"train": {"threads": 2}}),
    ({}, {"train": {"save_weights": True}}),
    ({"data": {"name": "idx", "path": "a"}}, {"data": {"name": "idx", "path": "b"}}),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=str)
def test_two_ways_to_say_the_same_are_one_trial(one: dict[str, object], other: dict[str, object]) -> None:
    """Aliases, key order, written-out defaults, 2 and 2.0, names and threads do not matter."""
    assert identity(one) == identity(other)


OTHER: list[dict[str, object]] = [
    {"loss": "focal"},
    {"loss": {"name": "focal", "gamma": 3}},
    {"loss": {"name": "ce", "label_smoothing": 0.1}},
    {"loss": [{"name": "ce", "weight": 2}]},
    {"loss": ["ce", "mae"]},
    {"model": "cnn"},
    {"model": {"hidden": [128]}},
    {"model": {"features": 256}},
    {"model": {"initializer": "he_normal"}},
    {"model": {"head": "cosine"}},
    {"model": {"head": {"name": "adaptive", "cutoffs": [4]}}},
    {"optimizer": "sgd"},
    {"optimizer": {"learning_rate": 0.01}},
    {"optimizer": {"schedule": "cosine"}},
    {"regularization": {"l2": 1e-4}},
    {"train": {"epochs": 6}},
    {"train": {"batch_size": 128}},
    {"train": {"drop_remainder": True}},
    {"train": {"precision": "mixed_bfloat16"}},
    {"train": {"early_stopping": {}}},
    {"train": {"deterministic": True}},
    {"data": "fashion_mnist"},
    {"data": {"validation_size": 0}},
    {"data": {"train_size": 100}},
    {"data": {"classes": [3, 8]}},
    {"data": {"normalize": "standard"}},
    {"data": {"label_noise": {"rate": 0.2}}},
    {"data": {"label_noise": {"rate": 0.2, "seed": 0}}},
    {"data": {"imbalance": {"type": "step", "ratio": 10}}},
]


def test_everything_that_can_change_a_number_is_another_trial() -> None:
    """No two of these are the same, nor the defaults."""
    digests = [identity({}), identity({}, data="1" * 64), *(identity(mapping) for mapping in OTHER)]
    assert len(set(digests)) == len(digests)


def test_a_plugin_counts_only_where_its_loss_is_used() -> None:
    """Another file named on the command line does not make another trial."""
    assert identity({}, focal="a" * 64) == identity({})
    assert identity({"loss": "focal"}, focal="a" * 64) != identity({"loss": "focal"}, focal="b" * 64)
    assert identity({"loss": "focal"}, focal="a" * 64) != identity({"loss": "focal"})


def test_runs_of_users_losses_by_an_earlier_calling_are_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the values of a user's loss changed, its runs are trained again; those of built-in losses are kept."""
    own, built_in = {"loss": "focal"}, {"loss": "ce"}
    before = identity(own, focal="a" * 64), identity(built_in, focal="a" * 64)
    monkeypatch.setattr("lossbench.config.identity.CALLING", 1)
    after = identity(own, focal="a" * 64), identity(built_in, focal="a" * 64)
    assert (before[0] == after[0], before[1] == after[1]) == (False, True)


def test_the_plugin_of_a_trial_is_recorded() -> None:
    """Its hash, or that of all where there are several; none without."""
    experiment = from_mapping({"loss": ["focal", "mae"]})
    one = trial(experiment, data_sha256=DATA, plugins={"focal": "a" * 64})
    assert one.plugin_sha256 == "a" * 64
    both = trial(experiment, data_sha256=DATA, plugins={"focal": "a" * 64, "mean_absolute_error": "b" * 64})
    assert both.plugin_sha256 not in {None, "a" * 64, "b" * 64}
    assert trial(experiment, data_sha256=DATA).plugin_sha256 is None


def test_the_folder_says_loss_seed_and_digest() -> None:
    """The first twelve digits stand for all."""
    found = trial(from_mapping({"loss": {"name": "focal", "gamma": 5}, "seed": 3}), data_sha256=DATA)
    assert found.folder == f"focal-gamma-5-s3-{found.identity[:12]}"
    assert re.fullmatch(r"[0-9a-f]{64}", found.identity)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("focal gamma=0.5", "focal-gamma-0.5"),
        ("1 normalized_crossentropy + 10 reverse_crossentropy", "1-normalized_crossentropy-10-reverse_crossentropy"),
        ("../../x", "x"),
        ("β", "loss"),
        ("", "loss"),
        ("a" * 200, "a" * 60),
        ("Mine", "mine"),
    ],
)
def test_a_label_becomes_a_folder_name(label: str, expected: str) -> None:
    """Whatever a loss is called, its folder is a plain name."""
    assert slug(label) == expected


def shuffled(value: Any, random: Random) -> Any:
    """Return `value` with the keys of every mapping in another order."""
    if not isinstance(value, dict):
        return value
    items = [(key, shuffled(item, random)) for key, item in value.items()]
    random.shuffle(items)
    return dict(items)


@given(st.sampled_from(OTHER), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(mapping: dict[str, object], random: Random) -> None:
    """Nor whether the defaults are written out."""
    whole = dump(from_mapping(mapping))
    assert identity(shuffled(whole, random)) == identity(mapping)
