"""Which value holds: defaults, then what is extended, then the file, then the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lossbench.config.dump import changes, dump
from lossbench.config.resolve import from_mapping, load, name_from
from lossbench.errors import ConfigError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(text: str, *overrides: str, **others: str) -> dict[str, Any]:
    """Write `text` and other files, load it, and return what differs from the defaults."""
    for name, content in {"file": text, **others}.items():
        Path(f"{name}.yaml").write_text(content, encoding="utf-8")
    return {key: value for key, value in changes(load(Path("file.yaml"), overrides)).items() if key != "name"}


DEFAULTS = {
    "name": "defaults",
    "seed": 0,
    "loss": {"name": "categorical_crossentropy", "label_smoothing": 0.0},
    "data": {
        "name": "mnist",
        "path": None,
        "classes": None,
        "transpose": False,
        "train_size": None,
        "validation_size": 5000,
        "normalize": "unit",
        "label_noise": None,
        "imbalance": None,
    },
    "model": {
        "name": "mlp",
        "hidden": [256],
        "dropout": 0.2,
        "features": None,
        "head": {"name": "linear"},
        "initializer": None,
        "batch_norm": {"momentum": 0.9, "epsilon": 1e-5},
    },
    "optimizer": {
        "name": "adam",
        "learning_rate": 0.001,
        "schedule": {"name": "constant"},
        "weight_decay": 0,
        "decoupled": True,
        "exclude_bias": True,
        "clip_norm": None,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-7,
    },
    "regularization": {"l1": 0, "l2": 0, "include_bias": False},
    "train": {
        "epochs": 5,
        "batch_size": 64,
        "drop_remainder": False,
        "precision": "float32",
        "early_stopping": None,
        "threads": None,
        "deterministic": False,
        "save_weights": False,
    },
    "log": {"tensorboard": False},
    "sweep": None,
}


def test_an_empty_mapping_has_every_default() -> None:
    """What is left out is as the documentation says."""
    assert dump(from_mapping({}, name="defaults")) == DEFAULTS


SHORT_FORMS = [
    ("model: cnn", "model: {name: cnn}"),
    ("data: fashion_mnist", "data: {name: fashion_mnist}"),
    ("optimizer: {name: sgd, schedule: cosine}", "optimizer: {name: sgd, schedule: {name: cosine}}"),
    ("model: {initializer: he_normal}", "model: {initializer: {name: he_normal}}"),
    ("model: {initializer: {dense: orthogonal}}", "model: {initializer: {dense: {name: orthogonal}}}"),
    ("data: {imbalance: {counts: [5, 6]}}", "data: {imbalance: {type: counts, counts: [5, 6]}}"),
    ("data: {label_noise: {rate: 0.2}}", "data: {label_noise: {type: symmetric, rate: 0.2}}"),
    ("loss: ce", "loss: [{name: categorical_crossentropy, weight: 1}]"),
    ("train: {epochs: 0x10}", "train: {epochs: 16}"),
    ("optimizer: {learning_rate: 1}", "optimizer: {learning_rate: 1.0}"),
]


@pytest.mark.parametrize(("short", "long"), SHORT_FORMS)
def test_short_forms_mean_the_long_ones(short: str, long: str) -> None:
    """A bare string is a name, and what can be left out has one meaning."""
    assert loaded(short) == loaded(long)


MERGES: list[tuple[str, str, tuple[str, ...], dict[str, Any]]] = [
    ("train: {epochs: 2, batch_size: 8}", "train: {epochs: 3}", (), {"train": {"epochs": 3, "batch_size": 8}}),
    ("model: {hidden: [8, 8]}", "model: {hidden: [4]}", (), {"model": {"name": "mlp", "hidden": [4]}}),
    ("model: {hidden: [8]}", "model: mlp", (), {"model": {"name": "mlp", "hidden": [8]}}),
    ("model: {hidden: [8], head: cosine}", "model: cnn", (), {"model": {"name": "cnn"}}),
    ("optimizer: {learning_rate: 1}", "optimizer: sgd", (), {"optimizer": {"name": "sgd"}}),
    (
        "data: {label_noise: {rate: 0.2}}",
        "data: fashion_mnist",
        (),
        {"data": {"name": "fashion_mnist", "label_noise": {"rate": 0.2}}},
    ),
    ("data: {label_noise: {rate: 0.2}}", "data: {label_noise: null}", (), {}),
    (
        "data: {imbalance: {type: step, ratio: 9}}",
        "data: {imbalance: {counts: [1, 2]}}",
        (),
        {"data": {"imbalance": {"type": "counts", "counts": [1, 2]}}},
    ),
    (
        "model: {initializer: he_normal}",
        "model: {initializer: {dense: orthogonal}}",
        (),
        {"model": {"name": "mlp", "initializer": {"dense": {"name": "orthogonal"}}}},
    ),
    (
        "model: {initializer: {name: random_normal}}",
        "model: {initializer: {stddev: 1}}",
        (),
        {"model": {"name": "mlp", "initializer": {"name": "random_normal", "stddev": 1.0}}},
    ),
    ("seed: 1", "seed: 2", ("seed=4",), {"seed": 4}),
    ("{}", "model: cnn", ("model.dropout=0.1",), {"model": {"name": "cnn", "dropout": 0.1}}),
    (
        "{}",
        "{}",
        ("optimizer={name: sgd, momentum: 0.5}", "optimizer.nesterov=true"),
        {"optimizer": {"name": "sgd", "momentum": 0.5, "nesterov": True}},
    ),
    ("{}", "{}", ("data.label_noise.rate=1e-1",), {"data": {"label_noise": {"rate": 0.1}}}),
    ("{}", "{}", ("train.early_stopping.patience=7",), {"train": {"early_stopping": {"patience": 7}}}),
    ("{}", "train: {threads: 2}", ("train.threads=",), {}),
]


@pytest.mark.parametrize(("base", "text", "overrides", "expected"), MERGES)
def test_later_values_lie_on_top(base: str, text: str, overrides: tuple[str, ...], expected: dict[str, Any]) -> None:
    """Mappings merge by key, lists replace, another name replaces the whole choice."""
    text = "extends: base.yaml" if text == "{}" else f"extends: base.yaml\n{text}"
    assert loaded(text, *overrides, base=base) == expected


def test_a_hyperparameter_is_set_on_the_loss_that_the_file_names() -> None:
    """`loss.gamma=5` works on `loss: focal`."""
    assert loaded("loss: focal", "loss.gamma=5")["loss"]["gamma"] == 5


def test_of_several_extended_files_the_later_wins() -> None:
    """A list is read in its order, each file with what it extends itself."""
    actual = loaded(
        "extends: [a.yaml, b.yaml]", a="seed: 1\ntrain: {epochs: 1}", b="extends: c.yaml\nseed: 2", c="seed: 3"
    )
    assert actual == {"seed": 2, "train": {"epochs": 1}}


def test_a_file_may_be_extended_along_two_ways() -> None:
    """A diamond is no circle."""
    assert loaded("extends: [a.yaml, b.yaml]", a="extends: c.yaml", b="extends: c.yaml", c="seed: 3") == {"seed": 3}


def test_a_tower_of_doubled_extends_is_read_in_no_time() -> None:
    """Each file is read once, however many ways lead to it."""
    tower = {f"f{level}": f"extends: [f{level + 1}.yaml, f{level + 1}.yaml]" for level in range(40)}
    assert loaded("extends: f0.yaml", **tower, f40="seed: 3") == {"seed": 3}


def test_a_circle_of_extends_is_refused() -> None:
    """The message names the file that closes it."""
    with pytest.raises(ConfigError) as caught:
        loaded("extends: a.yaml", a="extends: b.yaml", b="extends: a.yaml")
    assert str(caught.value) == "b.yaml:1:1: extends: a circle; 'a.yaml' leads back to itself"


def test_paths_are_relative_to_the_file_that_has_them(folder: Path) -> None:
    """In an extended file to that file, on the command line to the working folder."""
    (folder / "sub").mkdir()
    (folder / "sub" / "base.yaml").write_text("data: {name: idx, path: images}", encoding="utf-8")
    assert loaded("extends: sub/base.yaml")["data"]["path"] == str(folder / "sub" / "images")
    assert loaded("extends: sub/base.yaml", "data.path=here")["data"]["path"] == str(folder / "here")


def test_an_absolute_path_stays() -> None:
    """Only relative paths are taken from the file's folder."""
    assert loaded("data: {name: idx, path: /data/x}")["data"]["path"] == "/data/x"


NAMES = [
    ("focal.yaml", "focal"),
    ("configs/my loss.yaml", "my-loss"),
    ("é.yaml", "experiment"),
    (".hidden.yaml", "hidden"),
    ("nul.yaml", "run-nul"),
    ("x" * 90 + ".yaml", "x" * 64),
]


@pytest.mark.parametrize(("path", "expected"), NAMES)
def test_the_name_is_the_files_stem_made_valid(path: str, expected: str) -> None:
    """Any file can be trained without naming the experiment."""
    assert name_from(Path(path)) == expected


def test_a_null_name_is_the_files_stem() -> None:
    """The documented default may be written out."""
    Path("focal.yaml").write_text("name: null", encoding="utf-8")
    assert load(Path("focal.yaml")).name == "focal"


def test_files_of_windows_are_read() -> None:
    """A byte order mark and carriage returns change nothing."""
    Path("file.yaml").write_bytes(b"\xef\xbb\xbfseed: 3\r\ntrain:\r\n  epochs: 2\r\n")
    experiment = load(Path("file.yaml"))
    assert (experiment.seed, experiment.train.epochs) == (3, 2)


def test_records_are_frozen() -> None:
    """What was validated cannot change afterwards."""
    with pytest.raises(ValueError, match="frozen"):
        from_mapping({}).train.epochs = 3


def test_python_mappings_may_have_tuples_and_paths(folder: Path) -> None:
    """Plain Python values do as well as those of YAML."""
    experiment = from_mapping({"data": {"name": "idx", "path": Path("x"), "classes": (3, 8)}})
    assert (experiment.data.path, experiment.data.classes) == (folder / "x", (3, 8))


def test_a_python_mapping_that_holds_itself_is_refused() -> None:
    """There is an end to nesting."""
    mapping: dict[str, Any] = {}
    mapping["train"] = mapping
    with pytest.raises(ConfigError, match=r"^nested deeper than 20 levels$"):
        from_mapping(mapping)
