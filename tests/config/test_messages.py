"""Every mistake in a configuration has one sentence: where, what was expected, what came, what to write."""

# ruff: noqa: E501 - a message stands on one line, as it is printed
from __future__ import annotations

from pathlib import Path

import pytest

from lossbench.config.datasets import DATASETS
from lossbench.config.resolve import load
from lossbench.errors import ConfigError

KEYS = "extends, name, seed, loss, data, model, optimizer, regularization, train, log, sweep"
NAMES = "expected 1 to 64 letters, digits, '.', '_' or '-', not starting with '.', got"
INITIALIZERS = (
    "glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal, orthogonal, "
    "truncated_normal, random_normal, random_uniform"
)

UNKNOWN_KEYS = [
    ("trian: {epochs: 3}", f"1:1: trian: unknown key; did you mean 'train'? The keys are {KEYS}"),
    ("epochs: 3", "1:1: epochs: unknown key here; did you mean 'train.epochs'?"),
    ("gamma: 5", "1:1: gamma: unknown key here; did you mean 'loss.gamma'?"),
    ("momentum: 0.9", "1:1: momentum: unknown key here; did you mean 'optimizer.momentum'?"),
    (
        "train:\n  learning_rate: 1",
        "2:3: train.learning_rate: unknown key here; did you mean 'optimizer.learning_rate'?",
    ),
    ("colour: red", f"1:1: colour: unknown key; the keys are {KEYS}"),
    (
        "model: {hiden: [3]}",
        "1:9: model.hiden: unknown key; did you mean 'hidden'? mlp takes name, head, initializer, batch_norm, hidden, dropout, features",
    ),
    ("regularization: {l3: 1}", "1:18: regularization.l3: unknown key; regularization takes l1, l2, include_bias"),
    ("optimizer: {momentum: 0.9}", "1:13: optimizer.momentum: unknown key for adam; sgd and rmsprop would take it"),
    ("model: {head: {scale: 9}}", "1:16: model.head.scale: unknown key for linear; cosine would take it"),
    (
        "sweep: {seedz: 3}",
        "1:9: sweep.seedz: unknown key; did you mean 'seeds'? sweep takes method, cases, parameters, seeds, decide, tune",
    ),
    ('"\\e[31m": 1', f"1:1: '\\x1b[31m': unknown key; the keys are {KEYS}"),
]

TYPES = [
    ("train: {epochs: many}", "1:9: train.epochs: expected a whole number ≥ 1 and ≤ 1000000, got 'many'"),
    (
        "train: {epochs: '5'}",
        "1:9: train.epochs: expected a whole number ≥ 1 and ≤ 1000000, got '5'; remove the quotes",
    ),
    ("train: {epochs: 5.0}", "1:9: train.epochs: expected a whole number ≥ 1 and ≤ 1000000, got 5.0; write 5"),
    ("train: {epochs: true}", "1:9: train.epochs: expected a whole number ≥ 1 and ≤ 1000000, got true"),
    ("train: {deterministic: yes}", "1:9: train.deterministic: expected true or false, got 'yes'; write true"),
    ("train: {deterministic: 1}", "1:9: train.deterministic: expected true or false, got 1"),
    ("train:\n  # epochs: 5\n", "1:1: train: expected a mapping, got null; leave the key out to have its defaults"),
    ("train: [5]", "1:1: train: expected a mapping, got [5]"),
    (
        "data: {label_noise: 0.2}",
        "1:8: data.label_noise: expected a mapping, or null, got 0.2; write e.g. {type: symmetric, rate: 0.4}",
    ),
    (
        "model: {hidden: 256}",
        "1:9: model.hidden: expected a list of whole numbers ≥ 1 and ≤ 65536, got 256; write [256]",
    ),
    ("model: {hidden: [64, x]}", "1:22: model.hidden.1: expected a whole number ≥ 1 and ≤ 65536, got 'x'"),
    ("model: 3", "1:1: model: expected one of linear, mlp, cnn, cnn_bn, lenet5, got 3"),
    ("name: 3", "1:1: name: expected text, got 3; write '3'"),
    ("data: {normalize: 3}", "1:8: data.normalize: expected one of unit, standard, none, {mean, std}, got 3"),
    ("data: {normalize: {mean: 0}}", "1:8: data.normalize.std: missing; expected a number > 0"),
]

RANGES = [
    ("train: {batch_size: 0}", "1:9: train.batch_size: expected a whole number ≥ 1 and ≤ 1000000, got 0"),
    ("train: {threads: 0}", "1:9: train.threads: expected a whole number ≥ 1 and ≤ 1024, or null, got 0"),
    ("model: {dropout: 1}", "1:9: model.dropout: expected a number ≥ 0 and < 1, got 1"),
    ("optimizer: {learning_rate: 0}", "1:13: optimizer.learning_rate: expected a number > 0, got 0"),
    ("optimizer: {learning_rate: .inf}", "1:13: optimizer.learning_rate: expected a finite number > 0, got inf"),
    ("optimizer: {learning_rate: .nan}", "1:13: optimizer.learning_rate: expected a finite number > 0, got nan"),
    ("optimizer: {learning_rate: 1e999}", "1:13: optimizer.learning_rate: expected a finite number > 0, got inf"),
    ("seed: -1", "1:1: seed: expected a whole number ≥ 0 and < 4294967296, got -1"),
    (
        "data: {label_noise: {rate: 1.2}}",
        "1:22: data.label_noise.rate: expected a number ≥ 0 and ≤ 1, or null, got 1.2",
    ),
    ("data: {validation_size: -1}", "1:8: data.validation_size: expected a whole number ≥ 0, got -1"),
    ("data: {classes: [3]}", "1:8: data.classes: expected a list of at least 2 whole numbers ≥ 0, or null, got [3]"),
    ("data: {classes: [3, 3]}", "1:8: data.classes: a number is repeated; write each once"),
    (
        "optimizer: {schedule: {name: piecewise, boundaries: [3, 2]}}",
        "1:41: optimizer.schedule.boundaries: expected increasing numbers; sort them, each once",
    ),
    (
        "model: {head: {name: adaptive, cutoffs: [4, 4]}}",
        "1:32: model.head.cutoffs: expected increasing numbers; sort them, each once",
    ),
    (
        "model: {head: {name: adaptive, cutoffs: [0, 4]}}",
        "1:42: model.head.cutoffs.0: expected a whole number ≥ 1, got 0",
    ),
]

CHOICES = [
    ("model: mpl", "1:1: model: expected one of linear, mlp, cnn, cnn_bn, lenet5, got 'mpl'; did you mean 'mlp'?"),
    (
        "model:\n  name: mpl",
        "2:3: model: expected one of linear, mlp, cnn, cnn_bn, lenet5, got 'mpl'; did you mean 'mlp'?",
    ),
    (
        "model: {head: sine}",
        "1:9: model.head: expected one of linear, cosine, adaptive, got 'sine'; did you mean 'cosine'?",
    ),
    ("model: {head: adaptive}", "1:9: model.head.cutoffs: missing; expected a list of whole numbers ≥ 1"),
    (
        "model: {initializer: glorot}",
        f"1:9: model.initializer: expected one of {INITIALIZERS}, got 'glorot'; did you mean 'glorot_normal'?",
    ),
    (
        "model: {initializer: {dense: he_norm}}",
        f"1:23: model.initializer.dense: expected one of {INITIALIZERS}, or null, got 'he_norm'; did you mean 'he_normal'?",
    ),
    (
        "model: {name: cnn, head: {scale: 2}}",
        "1:20: model.head: name is missing; expected one of linear, cosine, adaptive",
    ),
    (
        "optimizer: {name: sdg}",
        "1:13: optimizer: expected one of adam, sgd, rmsprop, adagrad, got 'sdg'; did you mean 'sgd'?",
    ),
    (
        "optimizer: {schedule: cos}",
        "1:13: optimizer.schedule: expected one of constant, cosine, exponential, piecewise, got 'cos'; did you mean 'cosine'?",
    ),
    (
        "train: {precision: float16}",
        "1:9: train.precision: expected one of float32, mixed_bfloat16, mixed_float16, got 'float16'; did you mean 'mixed_float16'?",
    ),
    ("data: cifar10", f"1:1: data: expected one of {', '.join(DATASETS)}, idx, got 'cifar10'"),
    (
        "data: {label_noise: symetric}",
        "1:8: data.label_noise: expected one of symmetric, symmetric_exact, asymmetric, pair, matrix, got 'symetric'; did you mean 'symmetric'?",
    ),
    (
        "data: {imbalance: {ratio: 3}}",
        "1:8: data.imbalance: type is missing; expected one of exponential, step, counts",
    ),
]

RULES = [
    ("data: idx", "1:1: data.path: missing; data.name: idx needs a folder of four IDX files"),
    (
        "data: {path: x}",
        "1:8: data.path: mnist is embedded and takes no path; for files of your own write data.name: idx",
    ),
    (
        "data: {validation_size: 0}\ntrain: {early_stopping: {}}",
        "2:9: train.early_stopping: needs validation images, but data.validation_size is 0; set it, or early_stopping to null",
    ),
    (
        "loss: arcface",
        "1:1: model.head: the loss arcface needs the cosine head, this is linear; write model.head: cosine",
    ),
    (
        "loss: {name: ldam, max_margin: 0.3}\nmodel:\n  name: cnn\n  head: linear",
        "4:3: model.head: the loss ldam max_margin=0.3 needs the cosine head, this is linear; write model.head: cosine",
    ),
    (
        "loss: [ldam, ce]\nmodel: {head: cosine}",
        (
            "1:1: loss: these losses need different heads: ldam the cosine head, categorical_crossentropy not; "
            "sum losses of one kind (normalized_softmax is cross-entropy for the cosine head)"
        ),
    ),
    (
        "loss: {name: balanced_softmax, tau: 2}",
        "1:32: loss.tau: 'balanced_softmax' stands for logit_adjustment with tau 1: write 'logit_adjustment'",
    ),
    ("loss: {name: elr, memory: 0}", "1:19: loss.memory: 'memory' is not set in YAML: the engine fills it in"),
    ("data: {label_noise: pair}", "1:8: data.label_noise.rate: missing; expected a number ≥ 0 and ≤ 1"),
    (
        "data: {label_noise: matrix}",
        "1:8: data.label_noise.matrix: missing; type matrix needs a list of rows, P(label j | true class i)",
    ),
    (
        "data: {label_noise: {type: matrix, matrix: [[1, 0], [0.5, 0.4]]}}",
        "1:53: data.label_noise.matrix.1: expected numbers that sum to 1, got 0.9",
    ),
    (
        "data: {label_noise: {type: matrix, matrix: [[1, 0], [1]]}}",
        "1:53: data.label_noise.matrix.1: expected 2 numbers, as many as rows, got 1",
    ),
    (
        "data: {label_noise: {rate: 0.1, matrix: [[1, 0], [0, 1]]}}",
        "1:33: data.label_noise.matrix: only type matrix takes a matrix, this is symmetric; change one of them",
    ),
    (
        "data: {label_noise: {type: pair, rate: 0.1, include_self: true}}",
        "1:45: data.label_noise.include_self: only type symmetric takes include_self, this is pair; remove it",
    ),
    ("data: {imbalance: step}", "1:8: data.imbalance.ratio: missing; expected a number ≥ 1"),
    (
        "data: {imbalance: {counts: [5, 5], ratio: 2}}",
        "1:36: data.imbalance.ratio: counts already define the number of images; remove the ratio",
    ),
    (
        "data: {imbalance: {type: step, ratio: 2, counts: [5, 5]}}",
        "1:42: data.imbalance.counts: type step takes no counts; remove them, or the type",
    ),
    (
        "data: {imbalance: {type: exponential, ratio: 2, minority_classes: [5]}}",
        "1:49: data.imbalance.minority_classes: only type step takes minority_classes, this is exponential; remove them",
    ),
    (
        "optimizer: {name: sgd, nesterov: true}",
        "1:24: optimizer.nesterov: needs momentum > 0; set optimizer.momentum, e.g. 0.9",
    ),
    (
        "optimizer: {learning_rate: 0.1, schedule: {name: cosine, end: 1}}",
        "1:58: optimizer.schedule.end: expected a number ≤ learning_rate, 0.1, got 1",
    ),
]

FOLDER_NAMES = [
    ("name: ../x", f"1:1: name: {NAMES} '../x'"),
    ("name: /tmp/x", f"1:1: name: {NAMES} '/tmp/x'"),
    ("name: C:\\x", f"1:1: name: {NAMES} 'C:\\\\x'"),
    ('name: "a\\nb"', f"1:1: name: {NAMES} 'a\\nb'"),
    ('name: "a\\n"', f"1:1: name: {NAMES} 'a\\n'"),
    ('name: ""', f"1:1: name: {NAMES} ''"),
    ("name: " + "x" * 300, f"1:1: name: {NAMES} 'xxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxxxxxxxxxxxx'"),
    ("name: .hidden", f"1:1: name: {NAMES} '.hidden'"),
    ("name: ..", f"1:1: name: {NAMES} '..'"),
    ("name: a b", f"1:1: name: {NAMES} 'a b'"),
    ("name: é", f"1:1: name: {NAMES} 'é'"),
    ("name: CON", "1:1: name: 'CON' is reserved on Windows; choose another name"),
    ("name: nul.txt", "1:1: name: 'nul.txt' is reserved on Windows; choose another name"),
    ("name: Com1", "1:1: name: 'Com1' is reserved on Windows; choose another name"),
]

LOSSES = [
    (
        "loss: {name: focal, gama: 5}",
        "1:21: loss.gama: unknown key 'gama' in loss 'focal'; did you mean 'gamma'? It takes gamma, alpha, label_smoothing, stop_gradient",
    ),
    (
        "loss: focl",
        "1:1: loss: unknown loss 'focl'; did you mean 'focal'? `lossbench losses` lists them all; for one of your own, name its file in `plugins`",
    ),
    (
        "loss:\n  name: focl",
        "2:3: loss: unknown loss 'focl'; did you mean 'focal'? `lossbench losses` lists them all; for one of your own, name its file in `plugins`",
    ),
    ("loss: {name: focal, labels: integer}", "1:21: loss.labels: 'labels' is not set in YAML: the engine fills it in"),
    (
        "loss: {name: weighted_crossentropy, class_counts: [1, 2]}",
        "1:37: loss.class_counts: 'class_counts' is not set in YAML: the engine fills it in",
    ),
]

WHOLE_FILES = [
    ("", ": empty; `lossbench init` writes a file to start from"),
    ("# nothing\n", ": empty; `lossbench init` writes a file to start from"),
    (
        "- loss: focal",
        ":1:1: expected keys with values, e.g. 'loss: focal' (with the space), got [{'loss': 'focal'}]",
    ),
    ("loss:focal", ":1:1: expected keys with values, e.g. 'loss: focal' (with the space), got 'loss:focal'"),
    ("extends: other.yaml", ":1:1: extends: no file 'other.yaml'; did you mean 'another.yaml'?"),
    ("extends: 3", ":1:1: extends: expected a file or a list of files, got 3"),
    ("extends: focal.yaml", ":1:1: extends: a circle; 'focal.yaml' leads back to itself"),
    ('extends: "\\0"', ":1:1: extends: no file '\\x00'"),
    ("extends: .", ":1:1: extends: '.' is a folder; name a YAML file in it"),
]


def message(text: str, *overrides: str) -> str:
    """Write `text` to focal.yaml in the working folder and return what loading it says."""
    Path("focal.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(Path("focal.yaml"), overrides)
    return str(caught.value)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    Path("another.yaml").write_text("seed: 1", encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [*UNKNOWN_KEYS, *TYPES, *RANGES, *CHOICES, *RULES, *FOLDER_NAMES, *LOSSES],
    ids=lambda text: text[:40],
)
def test_a_mistake_has_its_sentence(text: str, expected: str) -> None:
    """The whole message, place and all."""
    assert message(text) == f"focal.yaml:{expected}"


@pytest.mark.parametrize(("text", "expected"), WHOLE_FILES, ids=lambda text: text[:30])
def test_a_file_that_is_no_configuration_has_its_sentence(text: str, expected: str) -> None:
    """The whole message, file and all."""
    assert message(text) == f"focal.yaml{expected}"


def test_all_mistakes_are_said_at_once_in_the_order_of_the_text() -> None:
    """One run of the command shows everything there is to correct."""
    text = "train: {epochs: 0}\nloss: {name: focal, gamma: -1, gama: 2}\nmodl: cnn\nseed: x\n"
    places = [line.partition(": ")[0] for line in message(text, "train.batch_size=0").splitlines()]
    assert places == [
        "focal.yaml:1:9",
        "focal.yaml:2:21",
        "focal.yaml:2:32",
        "focal.yaml:3:1",
        "focal.yaml:4:1",
        "command line",
    ]


OVERRIDES = [
    (
        "train.epochs=many",
        "command line: 'train.epochs=many': train.epochs: expected a whole number ≥ 1 and ≤ 1000000, got 'many'",
    ),
    ("epochs=3", "command line: 'epochs=3': epochs: unknown key here; did you mean 'train.epochs'?"),
    ("train.epochs", "command line: 'train.epochs': expected key=value, e.g. train.epochs=3"),
    ("=3", "command line: '=3': expected key=value, e.g. train.epochs=3"),
    ("train.epochs=[1", "command line: 'train.epochs=[1': not YAML: a bracket is not closed"),
    (
        "train.epochs=!!int 3",
        "command line: 'train.epochs=!!int 3': tag 'tag:yaml.org,2002:int': tags are not supported; remove it",
    ),
    (
        "extends=x.yaml",
        "command line: 'extends=x.yaml': extends belongs in a file; on the command line set single keys",
    ),
    (
        "data.classes.0=3",
        "command line: 'data.classes.0=3': data.classes is a list and can only be replaced completely: data.classes='[...]'",
    ),
    ("name=\x1b[31m", "command line: 'name=\\x1b[31m': control character U+001B; remove it"),
]


@pytest.mark.parametrize(("override", "expected"), OVERRIDES, ids=lambda text: text[:20])
def test_a_mistake_on_the_command_line_has_its_sentence(override: str, expected: str) -> None:
    """The place is the argument itself."""
    assert message("data: {classes: [3, 8]}", override) == expected


def test_a_mistake_in_an_extended_file_is_placed_there() -> None:
    """The place is where the value stands, not the file that was named."""
    Path("another.yaml").write_text("seed: x", encoding="utf-8")
    expected = "another.yaml:1:1: seed: expected a whole number ≥ 0 and < 4294967296, got 'x'"
    assert message("extends: another.yaml") == expected


def test_a_missing_file_is_said_with_the_one_that_is_there() -> None:
    """A wrong suffix is the usual reason."""
    with pytest.raises(ConfigError) as caught:
        load(Path("another.yml"))
    assert str(caught.value) == "no file 'another.yml'; did you mean 'another.yaml'?"


def test_a_missing_file_that_is_named_after_an_example_can_be_written() -> None:
    """As the first commands of the guide assume the folder `configs`, which a wheel does not make."""
    with pytest.raises(ConfigError) as caught:
        load(Path("configs/focal.yaml"))
    hint = "`lossbench init --from focal` writes an example of that name"
    assert str(caught.value) == f"no file 'configs/focal.yaml'; {hint}"


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused with their place."""
    path = tmp_path / "focal.yaml"
    path.write_bytes(b"loss: f\xf6cal")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == f"{path}:1:8: byte 0xf6 is not UTF-8; save the file as UTF-8"


@pytest.mark.parametrize("loss", ["mine", "{name: mine}", "[ce, mine]", "Mine", "MineLoss"])
def test_a_file_beside_the_configuration_that_defines_the_loss_is_named(loss: str, tmp_path: Path) -> None:
    """It is searched as text, not run."""
    (tmp_path / "losses.py").write_text("raise SystemExit\n\ndef mine(y_true, y_pred):\n    return y_pred[:, 0]\n")
    (tmp_path / "a.yaml").write_text(f"loss: {loss}\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "a.yaml")
    assert str(caught.value).endswith(f"{tmp_path / 'losses.py'} defines 'mine'; name that file in `plugins`")
    assert "plugins" in caught.value.mentions


@pytest.mark.parametrize("override", ["loss.gamma=0,1", "train.epochs=1,2", "model=mlp,cnn", "seed=0,1"])
def test_a_comma_in_an_override_of_one_run_points_to_sweep(override: str, tmp_path: Path) -> None:
    """Only sweep has axes; a comma that is part of the value says nothing."""
    (tmp_path / "a.yaml").write_text("loss: focal\n")
    with pytest.raises(ConfigError, match=r"a comma makes an axis, and only `lossbench sweep` trains axes$"):
        load(tmp_path / "a.yaml", [override])
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "a.yaml", [override, "train.batch_size=x"])
    assert str(caught.value).count("a comma makes an axis") == 1


LOOKALIKES = [
    ("loss：focal", 1, "a full-width colon '：' (U+FF1A): write ':'"),
    ("loss: focal\ntrain：\n  epochs: 3", 2, "a full-width colon '：' (U+FF1A): write ':'"),
    ("train: {epochs：3}", 1, "a full-width colon '：' (U+FF1A): write ':'"),
    ("train: ｛epochs: 3｝", 1, "a full-width left curly bracket '｛' (U+FF5B): write '{'"),
    ("train: {epochs: ３}", 1, "a full-width digit three '３' (U+FF13): write '3'"),
    ("model: {name: mlp, hidden: [8，9]}", 1, "a full-width comma '，' (U+FF0C): write ','"),
    ("loss: “focal”", 1, "a curly quote '“' (U+201C): write '\"'"),
    ("loss: ‘focal’", 1, "a curly quote '‘' (U+2018): write \"'\""),
    ("loss:\u00a0focal", 1, "a non-breaking space (U+00A0): write a space"),
    ("train:\n\u00a0 epochs: 3", 2, "a non-breaking space (U+00A0): write a space"),
    ("loss: focal\n\u3000\nseed: 3", 2, "a wide or thin space (U+3000): write a space"),
    ("loss: focal\u200b", 1, "an invisible character (U+200B): remove it"),
    ("optimizer: {learning_rate: 1e−3}", 1, "a typographic dash '−' (U+2212): write '-'"),
    ("train:\n\tepochs: 3", 2, "a tab; indent with spaces"),
]


@pytest.mark.parametrize(("text", "line", "named"), LOOKALIKES)
def test_a_character_that_only_looks_right_is_named(text: str, line: int, named: str, tmp_path: Path) -> None:
    """With its line; input methods and word processors write them."""
    (tmp_path / "a.yaml").write_text(text + "\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "a.yaml")
    assert any(f"a.yaml:{line}:" in each and each.endswith(named) for each in str(caught.value).splitlines())


def test_such_a_character_is_no_mistake_where_text_may_hold_it(tmp_path: Path) -> None:
    """In a comment and in a path."""
    (tmp_path / "a.yaml").write_text("# “ja”：\ndata: {name: idx, path: /x/a：b}\n", encoding="utf-8")
    assert load(tmp_path / "a.yaml").data.path == Path("/x/a：b")
