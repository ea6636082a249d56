"""Settings of a command line: each key once, in any order, none without an effect."""

import itertools
from pathlib import Path
from typing import get_args

import pytest

from lossbench.config.data import Imbalance, LabelNoise
from lossbench.config.merge import TYPES_OF_KEYS
from lossbench.config.overrides import check_whole
from lossbench.config.resolve import load
from lossbench.errors import ConfigError
from lossbench.sweep import plan

SECTIONS_OF = {("data", "label_noise"): LabelNoise, ("data", "imbalance"): Imbalance}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration of the defaults."""
    path = tmp_path / "a.yaml"
    path.write_text("train: {epochs: 1}\n")
    return path


AXIS = "; in a sweep, several values are one axis: "
TWICE = [
    (["loss=ce", "loss=gce"], "loss is set twice: loss=ce and loss=gce" + AXIS + "loss=ce,gce"),
    (["loss=ce", "loss.name=gce"], "loss is set twice: loss=ce and loss.name=gce" + AXIS + "loss=ce,gce"),
    (
        ["train.epochs=3", "loss=ce", "train.epochs = 4"],
        "train.epochs is set twice: train.epochs=3 and train.epochs = 4" + AXIS + "train.epochs=3,4",
    ),
    (["loss=ce,gce", "loss=focal"], "loss is set twice: loss=ce,gce and loss=focal" + AXIS + "loss=ce,gce,focal"),
    (["model=mlp", "model=mlp"], "model is set twice: model=mlp and model=mlp; remove one"),
    (["seed=1", "seed=2"], "seed is set twice: seed=1 and seed=2; remove one"),
]


@pytest.mark.parametrize("read", [load, plan.load])
@pytest.mark.parametrize(("overrides", "message"), TWICE)
def test_a_key_that_is_set_twice_is_refused(read, overrides: list[str], message: str, file: Path) -> None:
    """The last setting never wins silently."""
    with pytest.raises(ConfigError) as caught:
        read(file, overrides)
    assert str(caught.value) == f"command line: {message}"


REPLACED = [
    ["data.imbalance.type=step", "data.imbalance.counts=[9, 8, 7, 6, 5, 4, 3, 2, 1, 1]"],
    ["data.imbalance={type: step, ratio: 10}", "data.imbalance.counts=[9, 8, 7, 6, 5, 4, 3, 2, 1, 1]"],
    ["model.initializer=he_normal", "model.initializer.dense=orthogonal"],
    ["data.normalize=standard", "data.normalize.mean=0.1"],
]


@pytest.mark.parametrize("read", [load, plan.load])
@pytest.mark.parametrize("overrides", REPLACED)
def test_a_setting_that_another_would_replace_is_refused(read, overrides: list[str], file: Path) -> None:
    """In any order; a key in a section may still differ from what the section says."""
    for each in itertools.permutations(overrides):
        with pytest.raises(ConfigError) as caught:
            read(file, each)
        assert str(caught.value) == f"command line: '{overrides[0]}': '{overrides[1]}' replaces it; remove one"
    section, key = "loss={name: gce, q: 0.3}", "loss.q=0.6"
    assert load(file, [section, key, "train.epochs=2"]) == load(file, ["loss=gce", key, "train.epochs=2"])


SECTIONS = [
    ["loss=focal", "loss.gamma=7"],
    ["optimizer=sgd", "optimizer.learning_rate=0.1", "optimizer.momentum=0.5"],
    ["optimizer=sgd", "optimizer.schedule=cosine"],
    ["data.label_noise.type=symmetric", "data.label_noise.rate=0.4"],
    ["model=cnn", "model.dropout=0.5"],
]


@pytest.mark.parametrize("overrides", SECTIONS)
def test_the_order_of_the_settings_has_no_effect(overrides: list[str], file: Path) -> None:
    """A section that is named after a key in it leaves the key as it was set."""
    expected = load(file, overrides)
    for each in itertools.permutations(overrides):
        assert load(file, each) == expected
        assert [trial.experiment for trial in plan.load(file, each)] == [expected]


TYPES = [
    (path, type_) for path in TYPES_OF_KEYS for type_ in get_args(SECTIONS_OF[path].model_fields["type"].annotation)
]
KEYS = {"rate": "0.4", "include_self": "true", "matrix": "[[0.5, 0.5], [0.5, 0.5]]", "ratio": "100"} | {
    "minority_classes": "[1]", "counts": "[3, 4]", "seed": "3", "clean_validation": "true"
}  # fmt: skip


def values(path, type_):
    """Values for all keys of a section that a type takes."""
    keys = [key for key in SECTIONS_OF[path].model_fields if key != "type"]
    return {key: KEYS[key] for key in keys if type_ in TYPES_OF_KEYS[path].get(key, (type_,))}


def written(file, path, keys):
    """Return a file with the keys of a section."""
    body = ", ".join(f"{key}: {value}" for key, value in keys.items())
    file.write_text(f"{path[0]}: {{{path[1]}: {{{body}}}}}\n")
    return file


@pytest.mark.parametrize(("path", "type_"), TYPES)
def test_every_type_takes_the_keys_that_its_table_says(path, type_: str, file: Path) -> None:
    """All at once; each other one is refused by name."""
    taken = {"type": type_, **values(path, type_)}
    load(written(file, path, taken))
    for key in SECTIONS_OF[path].model_fields.keys() - taken:
        with pytest.raises(ConfigError, match=rf"{'.'.join(path)}.{key}: "):
            load(written(file, path, taken | {key: KEYS[key]}))


@pytest.mark.parametrize(("path", "before"), TYPES)
def test_another_type_keeps_the_keys_that_it_takes(path, before: str, file: Path) -> None:
    """Written in the file; what it needs beside them is missing, or given on the command line."""
    section, key = path
    of_file = values(path, before)
    first = getattr(load(written(file, path, {"type": before, **of_file})).data, key)
    for after in (type_ for where, type_ in TYPES if where == path):
        taken = values(path, after)
        added = [f"{section}.{key}.{name}={value}" for name, value in taken.items() if name not in of_file]
        found = getattr(load(file, [f"{section}.{key}.type={after}", *added]).data, key)
        assert found.type == after
        for name in of_file.keys() & taken:
            assert getattr(found, name) == getattr(first, name)


AXES = [
    (["optimizer=sgd,adam", "optimizer.learning_rate=0.1"], lambda each: each.optimizer.learning_rate == 0.1),
    (["loss=gce,truncated_gce", "loss.q=0.3"], lambda each: each.loss[0].hyperparameters["q"] == 0.3),
    (["model=mlp,cnn", "model.dropout=0.5,0.2"], lambda each: each.model.dropout in (0.5, 0.2)),
]


@pytest.mark.parametrize(("overrides", "holds"), AXES)
@pytest.mark.parametrize("order", [1, -1])
def test_a_key_of_a_section_that_is_an_axis_holds_for_each_value(overrides, holds, order: int, file: Path) -> None:
    """Each value of the axis replaces the section, but not what the command line sets in it."""
    trials = list(plan.load(file, overrides[::order]))
    assert len(trials) > 1
    assert all(holds(trial.experiment) for trial in trials)


@pytest.mark.parametrize("sweep", [
    "parameters: {optimizer: [sgd, adam]}",
    "cases: [{optimizer: sgd}, {optimizer: {name: adam, learning_rate: 0.2}}]",
    "parameters: {optimizer.learning_rate: [0.2, 0.3], loss: [ce, gce]}",
    "cases: [{optimizer.learning_rate: 0.3, optimizer: sgd}, {loss: gce}]",
])  # fmt: skip
def test_a_setting_holds_for_each_trial_of_a_file_that_sweeps_its_section(sweep: str, file: Path) -> None:
    """The command line takes precedence over the sweep of the file."""
    file.write_text(f"train: {{epochs: 1}}\nsweep: {{{sweep}}}\n")
    rates = [trial.experiment.optimizer.learning_rate for trial in plan.load(file, ["optimizer.learning_rate=0.1"])]
    assert rates == [0.1, 0.1]


def test_a_seed_beside_the_seeds_of_a_sweep_is_refused(file: Path) -> None:
    """It would have no effect."""
    with pytest.raises(ConfigError, match=r"'seed=3': seed: sweep.seeds sets it already; remove one of the two"):
        plan.load(file, ["seed=3"], seeds="0-2")


@pytest.mark.parametrize(
    "whole", ["loss=ce, gce", "loss=ce, gce, focal", "loss={name: gce, q: 0.5}", "model.hidden=[3, 4]"]
)
@pytest.mark.parametrize("others", [[], ["train.epochs=3"], ["optimizer={name: sgd}", "seed=3"]])
@pytest.mark.parametrize("read", [load, plan.load])
def test_a_value_that_the_shell_split_is_quoted_in_the_answer(read, whole: str, others: list[str], file: Path) -> None:
    """Before or after other settings."""
    for split in ([*others, *whole.split(" ")], [*whole.split(" "), *others]):
        with pytest.raises(ConfigError) as caught:
            read(file, split)
        quoted = whole.removesuffix(", focal")
        assert f"the shell split a value at a space; quote it: '{quoted}" in str(caught.value)


@pytest.mark.parametrize(
    "arguments", [["loss={name: gce", "seed=3"], ["loss=ce,", "seed=3"], ["loss=[ce,gce]", "model=cnn"], ["ce,", "x"]]
)
def test_a_value_that_stands_in_one_argument_is_whole(arguments: list[str]) -> None:
    """A bracket that nothing closes, and a comma before the next setting, are other mistakes."""
    check_whole(arguments)


@pytest.mark.parametrize(("override", "remedy"), [
    ("train_size=3", "did you mean 'data.train_size'?"),
    ("data.batch_size=3", "did you mean 'train.batch_size'?"),
    ("loss=faocl", "did you mean 'focal'?"),
    ("seed=0-3", "several seeds: lossbench sweep `seeds` 0-3"),
    ("data.label_noise.rate=40%", "write 0.4"),
    ("data.label_noise.rate=40", "write 0.4"),
    ("model.dropout=12.5%", "write 0.125"),
    ("train.epochs='5'", "remove the quotes"),
])  # fmt: skip
def test_a_setting_in_another_form_is_answered_with_the_right_one(override: str, remedy: str, file: Path) -> None:
    """Keys of another section, letters that changed places, ranges of seeds and percentages."""
    with pytest.raises(ConfigError) as caught:
        load(file, [override])
    assert remedy in str(caught.value)


@pytest.mark.parametrize("value", ["1..3", "0.1.2", "1e", "e5"])
def test_text_that_is_no_number_has_no_quotes_to_remove(value: str, file: Path) -> None:
    """The message ends with what was given."""
    with pytest.raises(ConfigError) as caught:
        load(file, [f"train.epochs={value}"])
    assert str(caught.value).endswith(f"got '{value}'")
