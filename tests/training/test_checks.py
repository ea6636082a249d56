"""Configurations that training would refuse: `validate`, `sweep` and `train` say the same before TensorFlow starts."""

import struct
from pathlib import Path

import numpy as np
import pytest

from lossbench.config import resolve
from lossbench.config.datasets import DATASETS
from lossbench.config.model import Model
from lossbench.config.section import names
from lossbench.data import fileset, prepare, summary
from lossbench.errors import ConfigError, LossbenchError
from lossbench.extras import install_command
from lossbench.losses import plugin, registry
from lossbench.models.shapes import smallest_side
from lossbench.sweep import plan
from lossbench.training import checks, identify, tensorboard, train

NEEDED = {"linear": 1, "mlp": 1, "cnn": 10, "cnn_bn": 4, "lenet5": 12}
"""Pixels, by hand: 10 → 8 → 4 → 2 → 1; 4 → 2 → 1; 12 → 6 → 2 → 1."""


@pytest.fixture
def own(tmp_path):
    """Write a data folder: `own(height, width, images, classes)` returns its `data` section."""

    def write(height, width, images=120, classes=3, value=None):
        folder = tmp_path / f"{height}x{width}-{images}"
        folder.mkdir()
        generator = np.random.default_rng(0)
        for name, count in zip(fileset.FILES, (images, images, 12, 12), strict=True):
            shape = (count, height, width) if "images" in name else (count,)
            array = generator.integers(0, 256, shape) if "images" in name else np.arange(count) % classes
            array = np.full(shape, value) if value is not None and "images" in name else array
            content = struct.pack(f">{1 + len(shape)}I", 0x800 + len(shape), *shape) + array.astype(np.uint8).tobytes()
            (folder / name).write_bytes(content)
        return {"name": "idx", "path": str(folder), "validation_size": 0}

    return write


def refused(path: Path) -> list[str]:
    """Return the lines of the refusal of a file, its own path written as FILE."""
    with pytest.raises(ConfigError) as caught:
        plan.load(path, check=checks.problems)
    return str(caught.value).replace(str(path), "FILE").splitlines()


MISTAKES = {
    "batch": (
        "data: {train_size: 50}\ntrain:\n  batch_size: 64",
        ["FILE:3:3: train.batch_size: expected at most the 50 training images, got 64"],
    ),
    "cutoffs": (
        "model:\n  head: {name: adaptive, cutoffs: [4, 10]}",
        ["FILE:2:26: model.head.cutoffs: expected numbers below 10, the number of classes, got 10"],
    ),
    "cutoffs of a subset": (
        "data: {classes: [3, 8]}\nmodel: {head: {name: adaptive, cutoffs: [2]}}",
        ["FILE:2:32: model.head.cutoffs: expected numbers below 2, the number of classes, got 2"],
    ),
    "list": (
        "loss: {name: weighted_crossentropy, class_weight: [1, 2]}",
        ["FILE:1:37: loss.class_weight: expected one number or 10, one per class, got a list of 2"],
    ),
    "list in a sum": (
        "loss:\n  - ce\n  - {name: focal, alpha: [1, 2, 3]}",
        ["FILE:3:19: loss.1.alpha: expected one number or 10, one per class, got a list of 3"],
    ),
    "list of one-vs-rest": (
        "loss: {name: binary_crossentropy, pos_weight: [1, 2]}",
        ["FILE:1:35: loss.pos_weight: expected one number or 10, one per class, got a list of 2"],
    ),
    "matrix": (
        "data:\n  label_noise: {type: matrix, matrix: [[0.5, 0.5], [0.5, 0.5]]}",
        [
            (
                "FILE:2:31: data.label_noise.matrix: expected 10 rows of 10 probabilities, one per class, got 2 "
                "rows of 2 "
                "probabilities"
            )
        ],
    ),
    "singular": (
        "loss: backward_correction\ndata: {label_noise: {rate: 0.9}}",
        [
            (
                "FILE:1:1: loss: backward_correction: transition_matrix: this matrix is singular and has no "
                "inverse; use "
                "forward_correction, or less noise"
            )
        ],
    ),
    "asymmetric": (
        "data: {classes: [3, 8], label_noise: {type: asymmetric, rate: 0.2}}",
        [
            (
                "FILE:1:39: data.label_noise: asymmetric is defined for all classes of mnist, these are other classes; "
                "write {type: matrix, matrix: …} or {type: pair, rate: …}"
            )
        ],
    ),
    "exact": (
        (
            "data:\n  train_size: 100\n  imbalance: {type: step, ratio: 10}\n"
            "  label_noise: {type: symmetric_exact, rate: 0.5}"
        ),
        [
            (
                "FILE:4:3: data.label_noise: symmetric_exact at rate 0.5 changes 2 labels of every class, but class "
                "5 has 1 "
                "images; choose a smaller rate, or type symmetric"
            ),
            "FILE: train.batch_size: expected at most the 55 training images, got 64",
        ],
    ),
    "sizes": (
        "data: {train_size: 60000}",
        [
            (
                "FILE:1:8: data.train_size: 60000 training and 5000 validation images were requested, but the "
                "training set "
                "has 60000; choose sizes whose sum is at most 60000"
            )
        ],
    ),
    "validation": (
        "data: {validation_size: 60000}",
        [
            (
                "FILE:1:8: data.validation_size: 60000 validation images were requested, but the training set has "
                "60000, and "
                "one must remain to train with; choose at most 59999"
            )
        ],
    ),
    "few": (
        "data: {train_size: 4}\ntrain: {batch_size: 1}",
        [
            (
                "FILE:1:8: data.train_size: 4 training images leave class 0 without images; choose a larger one (or "
                "a smaller "
                "data.validation_size)"
            )
        ],
    ),
    "ratio": (
        "data: {imbalance: {type: step, ratio: 10000}}",
        [
            (
                "FILE:1:32: data.imbalance.ratio: a ratio of 10000 leaves class 5 without images, of 55000 in 10 "
                "classes; "
                "choose a smaller one"
            )
        ],
    ),
    "counts": (
        "data: {imbalance: {counts: [5, 5]}}",
        ["FILE:1:20: data.imbalance.counts: expected 10 counts, one per class, got 2"],
    ),
    "too many": (
        "data: {train_size: 100, imbalance: {counts: [50, 5, 5, 5, 5, 5, 5, 5, 5, 5]}}\ntrain: {batch_size: 1}",
        ["FILE:1:37: data.imbalance.counts: 50 images of class 0 were requested, but it has 10"],
    ),
    "minority": (
        "data: {imbalance: {type: step, ratio: 2, minority_classes: [10]}}",
        ["FILE:1:42: data.imbalance.minority_classes: 10 is not a class, they are 0 to 9"],
    ),
    "classes": (
        "data: {classes: [3, 12]}",
        [
            (
                "FILE:1:8: data.classes: mnist (embedded) has no images of class 12; choose from 0, 1, 2, 3, 4, 5, "
                "6, 7, "
                "8, 9"
            )
        ],
    ),
    "folder": (
        "data:\n  name: idx\n  path: /nowhere",
        [
            (
                "FILE:3:3: data.path: /nowhere: no such folder; data.path names a folder that holds "
                "train-images-idx3-ubyte, "
                "train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (.gz or raw)"
            )
        ],
    ),
    "several": (
        (
            "loss: {name: focal, alpha: [1, 2]}\ndata:\n  train_size: 50\n  label_noise: {type: matrix, matrix: "
            "[[1, 0], [0, 1]]}\nmodel: {head: {name: adaptive, cutoffs: [10]}}"
        ),
        [
            "FILE:1:21: loss.alpha: expected one number or 10, one per class, got a list of 2",
            (
                "FILE:4:31: data.label_noise.matrix: expected 10 rows of 10 probabilities, one per class, got 2 "
                "rows of 2 "
                "probabilities"
            ),
            "FILE:5:32: model.head.cutoffs: expected numbers below 10, the number of classes, got 10",
            "FILE: train.batch_size: expected at most the 50 training images, got 64",
        ],
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_found_with_its_position(case, tmp_path):
    """File, line and column of the key to change, and every mistake at once."""
    text, lines = MISTAKES[case]
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    assert refused(path) == lines


@pytest.mark.parametrize("case", MISTAKES)
def test_training_from_python_refuses_the_same_in_the_same_words(case):
    """Without positions, as a mapping has none."""
    from lossbench.config import yaml

    text, lines = MISTAKES[case]
    experiment = resolve.from_mapping(yaml.parse(text, "").plain())
    with pytest.raises(ConfigError) as caught:
        checks.check(experiment)
    expected = [line.split(": ", 1)[1] for line in lines]
    assert sorted(str(caught.value).splitlines()) == sorted(expected)


def test_a_sweep_is_refused_before_its_first_trial(tmp_path):
    """Every case and parameter is checked, each message once, at the place of the value."""
    path = tmp_path / "sweep.yaml"
    path.write_text(
        "sweep:\n  cases:\n    - {loss: ce}\n    - {loss: {name: focal, alpha: [1, 2]}}\n    - {data.train_size: 20}\n"
        "  parameters: {train.epochs: [1, 2, 3]}\n  seeds: 0-3\n",
        encoding="utf-8",
    )
    assert refused(path) == [
        "FILE:4:28: loss.alpha: expected one number or 10, one per class, got a list of 2",
        "FILE: train.batch_size: expected at most the 20 training images, got 64",
    ]


@pytest.mark.usefixtures("users")
def test_a_state_per_image_has_no_validation_loss():
    """To monitor it is refused; the plugin's state is read from its signature."""
    experiment = resolve.from_mapping({"loss": "visits", "train": {"early_stopping": {"monitor": "val_loss"}}})
    assert [each.path for each in checks.problems(experiment)] == [("train", "early_stopping", "monitor")]


PLUGIN = '''
from typing import Annotated

from lossbench import ops
from lossbench.losses.types import State, Tensor


def visits(y_true: Tensor, y_pred: Tensor, *, seen: Annotated[Tensor, State(("images",), 0.0)]):
    """Count the visits of each image."""
    return 0 * ops.sum(y_pred, axis=-1) + seen, {"seen": seen + 1}
'''


def test_tensorboard_has_to_be_installed(monkeypatch):
    """The message says how."""
    monkeypatch.setattr(tensorboard, "is_installed", lambda: False)
    (found,) = checks.problems(resolve.from_mapping({"log": {"tensorboard": True}}))
    assert (found.path, found.message) == (
        ("log", "tensorboard"),
        f"TensorBoard is not installed; type: {install_command('tensorboard')}",
    )


def test_images_of_one_colour_cannot_be_standardized(own):
    """Their deviation is 0."""
    experiment = resolve.from_mapping({"data": own(5, 5, value=7) | {"normalize": "standard"}})
    assert [each.path for each in checks.problems(experiment)] == [("data", "normalize")]


@pytest.mark.parametrize("name", names(Model))
def test_every_model_has_its_least_size_counted_by_hand(name):
    """A new model needs an entry."""
    assert smallest_side(resolve.from_mapping({"model": name}).model) == NEEDED[name]


@pytest.mark.parametrize("name", [name for name, least in NEEDED.items() if least > 1])
@pytest.mark.parametrize("shape", ["low", "narrow", "one pixel"])
def test_images_that_are_too_small_are_refused(name, shape, own):
    """The message has the size that the model needs, and the size that there is."""
    least = NEEDED[name]
    height, width = {"low": (least - 1, 28), "narrow": (28, least - 1), "one pixel": (1, 1)}[shape]
    with pytest.raises(ConfigError) as caught:
        checks.check(resolve.from_mapping({"data": own(height, width), "model": name}))
    assert str(caught.value) == (
        f"model: {name} needs images of at least {least} × {least} pixels, these have {height} × {width}; "
        "choose another model (mlp and linear take every size)"
    )


TRAINED = [
    ("linear", 1, 1), ("mlp", 1, 1), ("cnn_bn", 4, 4), ("lenet5", 12, 13),
    pytest.param("cnn", 10, 10, marks=pytest.mark.slow), pytest.param("cnn", 27, 31, marks=pytest.mark.slow),
    pytest.param("cnn_bn", 27, 31, marks=pytest.mark.slow), pytest.param("lenet5", 27, 31, marks=pytest.mark.slow),
    pytest.param("mlp", 64, 3, marks=pytest.mark.slow), pytest.param("cnn_bn", 5, 64, marks=pytest.mark.slow),
]  # fmt: skip


@pytest.mark.parametrize(("name", "height", "width"), TRAINED)
@pytest.mark.slow
def test_images_that_are_large_enough_are_trained_with(name, height, width, own, tmp_path):
    """The least size, odd sizes and images that are not square."""
    config = {"data": own(height, width), "model": name, "train": {"epochs": 1, "threads": 1}}
    assert train(identify(resolve.from_mapping(config)), runs_dir=tmp_path).status == "completed"


def test_two_images_are_enough(own, tmp_path):
    """One per class, without validation."""
    config = {"data": own(3, 2, images=2, classes=2), "train": {"epochs": 1, "batch_size": 2}}
    assert train(identify(resolve.from_mapping(config)), runs_dir=tmp_path).status == "completed"


SECTIONS = [
    {},
    {"train_size": 1000, "validation_size": 100},
    {"classes": [7, 1]},
    {"imbalance": {"type": "exponential", "ratio": 50}},
    {"imbalance": {"type": "step", "ratio": 10}, "label_noise": {"type": "symmetric", "rate": 0.3}},
    {"label_noise": {"type": "symmetric_exact", "rate": 0.3}},
    {"label_noise": {"type": "asymmetric", "rate": 0.4}},
    {"classes": [4, 9], "label_noise": {"type": "matrix", "matrix": [[0.9, 0.1], [0.3, 0.7]]}},
]


@pytest.mark.parametrize("section", SECTIONS, ids=str)
def test_the_summary_is_that_of_the_data_drawn(section):
    """Counts per class and the matrix, without reading a file."""
    experiment = resolve.from_mapping({"data": section})
    known, drawn = summary.summarize(experiment.data), prepare(experiment)
    assert known.class_counts.tolist() == np.bincount(drawn.train.true_labels).tolist()
    assert known.image_shape == drawn.image_shape
    np.testing.assert_array_equal(known.transition_matrix, drawn.transition_matrix)
    assert not known.errors


def test_the_counts_of_the_table_are_those_of_the_files():
    """MNIST's are counted; the others have 6,000 images per class."""
    labels = fileset.read_folder(Path(fileset.__file__).parent / "mnist").train_labels
    assert DATASETS["mnist"].class_counts == tuple(np.bincount(labels).tolist())
    assert all(source.train_images == 60_000 for source in DATASETS.values())


def test_a_data_set_that_is_not_downloaded_is_neither_read_nor_fetched(monkeypatch, tmp_path):
    """`validate` answers from the table, and says so."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    experiment = resolve.from_mapping({"data": {"name": "kmnist", "train_size": 4}})
    assert [each.path for each in checks.problems(experiment)] == [("data", "train_size")]
    assert checks.not_checked([experiment]) == ["kmnist will be downloaded"]
    assert not list(tmp_path.iterdir())


BROKEN = '''
from lossbench import ops


def fails(y_true, y_pred):
    """Fail."""
    return ops.matmul(y_true, y_pred)[:, 0, 0]


def scores(y_true, y_pred):
    """Return one number per class."""
    return y_true * y_pred


def flat(y_true, y_pred):
    """Count the mistakes, which has no gradient."""
    return ops.cast(ops.argmax(y_true, -1) != ops.argmax(y_pred, -1), "float32")
'''


@pytest.mark.parametrize("name", ["fails", "scores", "flat"])
def test_a_users_loss_is_called_once(name, tmp_path):
    """What training would refuse is refused with the file and the line of the loss."""
    path = tmp_path / "broken.py"
    path.write_text(BROKEN, encoding="utf-8")
    plugin.load(path)
    try:
        with pytest.raises(LossbenchError, match=r"broken\.py") as caught:
            checks.call_own_losses([resolve.from_mapping({"loss": name})])
    finally:
        registry.clear_plugins()
    assert caught.value.exit_code == 2


@pytest.mark.usefixtures("users")
def test_without_tensorflow_it_is_said_that_the_losses_were_not_called(monkeypatch):
    """Everything else is checked all the same."""
    monkeypatch.setattr(checks, "find_spec", lambda _: None)
    experiment = resolve.from_mapping({"loss": "visits"})
    checks.call_own_losses([experiment])
    assert checks.not_checked([experiment]) == ["TensorFlow is not installed, so your own losses were not called"]
