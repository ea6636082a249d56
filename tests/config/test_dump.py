"""What is written is the same experiment when it is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml as pyyaml

from lossbench.config.dump import dump, scalar, to_yaml
from lossbench.config.resolve import from_mapping, load
from lossbench.config.starter import starter

if TYPE_CHECKING:
    from pathlib import Path

EXPERIMENTS = [
    {},
    {"loss": "focal", "seed": 7},
    {"loss": [{"name": "ce", "weight": 0.5}, "mae"]},
    {"loss": {"name": "focal", "alpha": [0.1] * 10}},
    {"model": {"name": "cnn", "initializer": {"convolution": "he_uniform", "dense": "glorot_uniform"}}},
    {"model": {"head": {"name": "adaptive", "cutoffs": [4, 7]}}},
    {"model": {"head": {"name": "cosine", "scale": 16}, "initializer": {"name": "truncated_normal", "limit": 0.1}}},
    {"optimizer": {"name": "sgd", "schedule": {"name": "piecewise", "boundaries": [3, 4], "per": "step"}}},
    {"optimizer": {"learning_rate": 1e-5, "schedule": {"name": "cosine", "end": 1e-9, "warmup": 2}}},
    {"data": {"name": "idx", "path": "no", "label_noise": {"type": "matrix", "matrix": [[1, 0], [0.25, 0.75]]}}},
    {"data": {"normalize": {"mean": 0.1307, "std": 0.3081}, "imbalance": {"counts": [5, 6]}, "classes": [3, 8]}},
    {"train": {"early_stopping": {"patience": 2}, "threads": 2}},
]


@pytest.mark.parametrize("mapping", EXPERIMENTS, ids=str)
@pytest.mark.parametrize(
    "how", [{}, {"mark": True}, {"changed_only": True}, {"changed_only": True, "mark": True}], ids=str
)
def test_what_is_written_reads_back_the_same(mapping: dict[str, object], how: dict[str, bool], tmp_path: Path) -> None:
    """In every style, comments included."""
    experiment = from_mapping(mapping, name="written")
    path = tmp_path / "written.yaml"
    path.write_text(to_yaml(experiment, **how), encoding="utf-8")
    assert load(path) == experiment


@pytest.mark.parametrize("mapping", EXPERIMENTS, ids=str)
def test_yaml_1_1_readers_read_the_same(mapping: dict[str, object]) -> None:
    """A run folder's config.yaml means the same to a reader that knows no YAML 1.2."""
    experiment = from_mapping(mapping)
    assert pyyaml.safe_load(to_yaml(experiment)) == dump(experiment)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("no", "'no'"),
        ("0o17", "'0o17'"),
        ("1e-3", "'1e-3'"),
        ("010", "'010'"),
        ("12:30", "'12:30'"),
        ("2024-01-01", "'2024-01-01'"),
        ("plain text", "plain text"),
        ("é", "é"),
        (1e-5, "1.0e-05"),
        (None, "null"),
        ([1, {"a": "b"}], "[1, {a: b}]"),
    ],
)
def test_text_that_any_reader_could_take_for_something_else_is_quoted(value: object, expected: str) -> None:
    """Of YAML 1.1 or 1.2."""
    assert scalar(value) == expected


def test_what_differs_from_the_defaults_is_marked() -> None:
    """With the default beside it; another choice is compared with its own defaults."""
    experiment = from_mapping(
        {
            "seed": 3,
            "loss": {"name": "focal", "gamma": 5},
            "model": {"name": "cnn", "dropout": 0.3},
            "data": {"label_noise": {"rate": 0.2}},
        }
    )
    marked = [" ".join(line.split()) for line in to_yaml(experiment, mark=True).splitlines() if "#" in line]
    assert marked == [
        "seed: 3 # default: 0",
        "name: focal # default: categorical_crossentropy",
        "gamma: 5.0 # default: 2.0",
        "label_noise: # default: null",
        "rate: 0.2 # default: null",
        "name: cnn # default: mlp",
        "dropout: 0.3 # default: 0.5",
    ]


def test_a_weighted_list_is_marked_as_a_whole() -> None:
    """One mark for the loss, a line for each of its parts."""
    lines = to_yaml(from_mapping({"loss": ["ce", "mae"]}), mark=True).splitlines()
    assert lines[2:5] == [
        f"{'loss:':<31} # default: categorical_crossentropy",
        "  - {name: categorical_crossentropy, weight: 1.0, label_smoothing: 0.0}",
        "  - {name: mean_absolute_error, weight: 1.0}",
    ]


def test_defaults_have_no_mark() -> None:
    """A comment always means a difference."""
    assert "#" not in to_yaml(from_mapping({}), mark=True)


def test_the_starter_is_the_defaults(tmp_path: Path) -> None:
    """What the starter writes out is what would hold without it."""
    path = tmp_path / "experiment.yaml"
    path.write_text(starter(), encoding="utf-8")
    assert load(path) == from_mapping({}, name="experiment")


def test_the_starter_explains_every_key() -> None:
    """Only a choice's name goes without words: the line above it has them."""
    silent = {line.split(":")[0].strip() for line in starter().splitlines() if "#" not in line}
    assert silent == {"name"}


def test_the_starter_fits_a_screen() -> None:
    """No line is longer than 100 characters."""
    assert [line for line in starter().splitlines() if len(line) > 100] == []
