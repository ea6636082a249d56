"""Whole data sections: each step's effect on the parts, and that no step disturbs another."""

from __future__ import annotations

import dataclasses
import gzip
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lossbench import data
from lossbench.config.datasets import DATASETS
from lossbench.data import sources
from lossbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lossbench.config.schema import Experiment

    Build = Callable[..., Experiment]
    Files = dict[str, np.ndarray[Any, Any]]

NOISE = {"type": "symmetric", "rate": 0.4}


def same(one: data.Split | None, other: data.Split | None) -> bool:
    """Return whether two parts are equal in every array."""
    if one is None or other is None:
        return one is other
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one)
    )


def idx_folder(folder: Path, idx_bytes: Callable[[np.ndarray[Any, Any]], bytes], arrays: list[Any]) -> str:
    """Write four arrays as IDX files and return the folder."""
    for name, array in zip(DATASETS["mnist"].checksums, arrays, strict=True):
        (folder / name).write_bytes(gzip.compress(idx_bytes(np.asarray(array)), 1))
    return str(folder)


def test_the_default_is_55_000_5_000_and_10_000_images(experiment: Build, mnist: Files) -> None:
    """Training and validation together are the training set, the test set is untouched, no label is wrong."""
    made = data.prepare(experiment())
    assert made.validation is not None
    assert [len(part.labels) for part in (made.train, made.validation, made.test)] == [55_000, 5_000, 10_000]
    both = [image.tobytes() for part in (made.train, made.validation) for image in part.images]
    assert sorted(image.tobytes() for image in mnist["train-images-idx3-ubyte"]) == sorted(both)
    np.testing.assert_array_equal(mnist["t10k-images-idx3-ubyte"], made.test.images)
    np.testing.assert_array_equal(mnist["t10k-labels-idx1-ubyte"], made.test.labels)
    np.testing.assert_array_equal(made.train.labels, made.train.true_labels)
    assert made.class_counts.tolist() == np.bincount(made.train.labels).tolist()
    assert (made.classes, made.mean, made.std, made.source) == (10, 0.0, 1.0, "mnist (embedded)")
    assert made.transition_matrix is None
    assert made.realised_transition_matrix is None


def test_without_validation_the_whole_training_set_trains(experiment: Build, mnist: Files) -> None:
    """The published order and class sizes are kept."""
    made = data.prepare(experiment(validation_size=0))
    assert made.validation is None
    np.testing.assert_array_equal(mnist["train-images-idx3-ubyte"], made.train.images)
    assert made.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert made.class_counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_images_keep_their_labels(experiment: Build, mnist: Files) -> None:
    """Every image of a subset is found among the original images of its true class."""
    made = data.prepare(experiment(train_size=50, validation_size=20, label_noise=NOISE))
    labels = {image.tobytes(): int(label) for image, label in zip(*list(mnist.values())[:2], strict=True)}
    for part in (made.train, made.validation):
        assert part is not None
        assert [labels[image.tobytes()] for image in part.images] == part.true_labels.tolist()


def test_the_same_seed_makes_the_same_and_another_another(experiment: Build) -> None:
    """All of a data set is a function of the seed."""
    section = {"train_size": 1000, "label_noise": NOISE, "imbalance": {"type": "step", "ratio": 2.0}}
    one, again, other = (data.prepare(experiment(seed, **section)) for seed in (1, 1, 2))
    assert same(one.train, again.train)
    assert same(one.validation, again.validation)
    assert not same(one.train, other.train)
    assert not same(one.validation, other.validation)
    assert same(one.test, other.test)


def test_another_seed_splits_in_another_way(experiment: Build) -> None:
    """The images themselves are others, in both parts."""
    one, other = (data.prepare(experiment(seed, train_size=1000)) for seed in (1, 2))
    assert one.validation is not None
    assert other.validation is not None
    assert not np.array_equal(one.train.images, other.train.images)
    assert not np.array_equal(one.validation.images, other.validation.images)


def test_noise_and_imbalance_leave_the_split_as_it_is(experiment: Build) -> None:
    """Conditions of one seed share their images: the pairing of losses rests on it."""
    plain, noisy, thin, both = (
        data.prepare(experiment(train_size=2000, **keys))
        for keys in (
            {},
            {"label_noise": NOISE},
            {"imbalance": {"type": "step", "ratio": 10.0}},
            {"label_noise": NOISE, "imbalance": {"type": "step", "ratio": 10.0}},
        )
    )
    for made in (noisy, thin, both):
        assert made.validation is not None
        assert plain.validation is not None
        np.testing.assert_array_equal(plain.validation.images, made.validation.images)
        np.testing.assert_array_equal(plain.validation.true_labels, made.validation.true_labels)
        assert same(plain.test, made.test)
    np.testing.assert_array_equal(plain.train.images, noisy.train.images)
    np.testing.assert_array_equal(plain.train.labels, noisy.train.true_labels)
    np.testing.assert_array_equal(thin.train.images, both.train.images)


def test_noise_reaches_validation_unless_it_is_to_be_clean(experiment: Build) -> None:
    """`clean_validation` keeps the validation labels and changes nothing in the training part."""
    noisy = data.prepare(experiment(label_noise=NOISE))
    clean = data.prepare(experiment(label_noise={**NOISE, "clean_validation": True}))
    assert noisy.validation is not None
    assert clean.validation is not None
    assert round(float((noisy.validation.labels != noisy.validation.true_labels).mean()), 1) == 0.4
    np.testing.assert_array_equal(clean.validation.labels, clean.validation.true_labels)
    assert same(noisy.train, clean.train)


def test_both_parts_have_noise_of_their_own(experiment: Build) -> None:
    """Which validation labels are wrong does not follow from which training labels are."""
    made = data.prepare(experiment(train_size=5000, label_noise={"type": "pair", "rate": 0.5}))
    assert made.validation is not None
    wrong = [part.labels != part.true_labels for part in (made.train, made.validation)]
    assert round(float((wrong[0] == wrong[1]).mean()), 1) == 0.5


def test_noise_is_recorded_as_defined_and_as_drawn(experiment: Build) -> None:
    """Both matrices describe the training part, class counts its labels as seen."""
    made = data.prepare(experiment(label_noise=NOISE))
    assert made.transition_matrix is not None
    assert made.realised_transition_matrix is not None
    np.testing.assert_allclose(np.diag(made.transition_matrix), 0.6)
    np.testing.assert_allclose(made.realised_transition_matrix, made.transition_matrix, atol=0.03)
    true_counts = np.bincount(made.train.true_labels)
    np.testing.assert_allclose(true_counts @ made.realised_transition_matrix, made.class_counts, atol=1e-6)
    np.testing.assert_array_equal(np.bincount(made.train.labels), made.class_counts)


def test_a_noise_seed_fixes_the_draw_over_seeds(experiment: Build) -> None:
    """Without a split, two runs with one noise seed see the same wrong labels; by default they do not."""
    one, other = (
        data.prepare(experiment(seed, validation_size=0, label_noise={**NOISE, "seed": 7})) for seed in (0, 1)
    )
    by_run = data.prepare(experiment(7, validation_size=0, label_noise=NOISE))
    default = data.prepare(experiment(0, validation_size=0, label_noise=NOISE))
    np.testing.assert_array_equal(one.train.labels, other.train.labels)
    np.testing.assert_array_equal(one.train.labels, by_run.train.labels)
    assert not np.array_equal(one.train.labels, default.train.labels)


def test_rate_0_is_no_noise(experiment: Build) -> None:
    """A noise of rate 0 leaves no matrix behind."""
    made = data.prepare(experiment(train_size=100, label_noise={"type": "symmetric", "rate": 0.0}))
    assert made.transition_matrix is None
    np.testing.assert_array_equal(made.train.labels, made.train.true_labels)


def test_imbalance_thins_out_the_training_part_alone(experiment: Build) -> None:
    """The classes have their counts before noise, the rest is whole."""
    counts = [100, 90, 80, 70, 60, 50, 40, 30, 20, 10]
    made = data.prepare(experiment(imbalance={"type": "counts", "counts": counts}))
    assert made.class_counts.tolist() == counts
    assert made.validation is not None
    assert len(made.validation.labels) == 5000
    assert len(made.test.labels) == 10_000


def test_a_class_subset_is_a_smaller_problem(experiment: Build, mnist: Files) -> None:
    """The eights and threes of both sets become classes 0 and 1."""
    made = data.prepare(experiment(classes=[8, 3], validation_size=0))
    truth = mnist["train-labels-idx1-ubyte"]
    assert made.classes == 2
    assert made.class_counts.tolist() == [5851, 6131]
    np.testing.assert_array_equal(truth[np.isin(truth, [3, 8])] == 3, made.train.labels)
    assert np.bincount(made.test.labels).tolist() == [974, 1010]


@pytest.mark.parametrize(
    ("normalize", "mean", "std"),
    [
        ("unit", 0.0, 1.0),
        ("none", 0.0, 1 / 255),
        ("standard", 0.1306604762738429, 0.3081078038564622),
        ({"mean": 0.1307, "std": 0.3081}, 0.1307, 0.3081),
    ],
)
def test_inputs_are_normalized_as_asked(experiment: Build, normalize: Any, mean: float, std: float) -> None:
    """MNIST's training mean and deviation are the well-known 0.1307 and 0.3081."""
    made = data.prepare(experiment(validation_size=0, normalize=normalize))
    assert (made.mean, made.std) == pytest.approx((mean, std), abs=1e-12)


def test_standard_uses_the_training_part(experiment: Build) -> None:
    """Neither validation nor test images have a say in mean and deviation."""
    made = data.prepare(experiment(train_size=200, normalize="standard"))
    assert made.mean == pytest.approx((made.train.images / 255).mean(), abs=1e-12)
    assert made.std == pytest.approx((made.train.images / 255).std(), abs=1e-12)


def test_gzipped_and_raw_folders_have_one_sha256(experiment: Build, folder: Path) -> None:
    """What identifies a run is the content of its data, not the packing."""
    section = experiment(name="idx", path=str(folder)).data
    packed = data.sha256(section)
    for path in list(folder.iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert packed == data.sha256(section)


def test_mnist_by_path_is_mnist(experiment: Build) -> None:
    """The same four files under another name have the same SHA-256, and data sets by name need no reading."""
    assert data.sha256(experiment().data) == DATASETS["mnist"].sha256
    assert data.sha256(experiment(name="idx", path=str(sources.PACKAGE / "mnist")).data) == DATASETS["mnist"].sha256
    assert data.sha256(experiment(name="fashion_mnist").data) == DATASETS["fashion_mnist"].sha256


def test_a_folder_is_used_unchanged(experiment: Build, folder: Path, small: list[np.ndarray[Any, Any]]) -> None:
    """Images of another shape and another number of classes need nothing else."""
    made = data.prepare(experiment(name="idx", path=str(folder), validation_size=3))
    assert made.train.images.shape == (9, 2, 3)
    assert made.classes == 3
    assert made.source == str(folder)
    np.testing.assert_array_equal(small[2], made.test.images)


def test_fashion_mnist_by_path(experiment: Build, fashion_mnist: Path) -> None:
    """Fashion-MNIST splits evenly: 5,500 and 500 images of each class."""
    made = data.prepare(experiment(name="fashion_mnist", path=str(fashion_mnist)))
    assert made.class_counts.tolist() == [5500] * 10
    assert made.validation is not None
    assert np.bincount(made.validation.labels).tolist() == [500] * 10


def test_fashion_mnist_by_name_comes_from_the_cache(
    experiment: Build, fashion_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that are in the user's cache are used without a network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", None)
    cache = tmp_path / "lossbench" / "fashion_mnist"
    cache.mkdir(parents=True)
    for name in DATASETS["fashion_mnist"].checksums:
        (cache / name).symlink_to(fashion_mnist / name)
    made = data.prepare(experiment(name="fashion_mnist", train_size=10))
    assert made.source == f"fashion_mnist ({cache})"
    assert len(made.train.labels) == 10


ASYMMETRIC = (
    "data.label_noise.type: asymmetric is defined for all classes of mnist, these are other classes; "
    "write {type: matrix, matrix: …} or {type: pair, rate: …}"
)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (
            {"train_size": 55_001},
            (
                "data.train_size: 55001 training and 5000 validation images were requested, but the training set has "
                "60000; choose sizes whose sum is at most 60000"
            ),
        ),
        (
            {"validation_size": 60_000},
            (
                "data.validation_size: 60000 validation images were requested, but the training set has 60000, "
                "and one must remain to train with; choose at most 59999"
            ),
        ),
        (
            {"train_size": 9},
            (
                "data.train_size: 9 training images leave class 5 without images; "
                "choose a larger one (or a smaller data.validation_size)"
            ),
        ),
        (
            {"classes": [3, 12]},
            "data.classes: mnist (embedded) has no images of class 12; choose from 0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        ),
        ({"classes": [2, 7], "label_noise": {"type": "asymmetric", "rate": 0.2}}, ASYMMETRIC),
        (
            {"label_noise": {"type": "symmetric_exact", "rate": 0.95}, "validation_size": 0},
            (
                "data.label_noise: symmetric_exact at rate 0.95 changes 5700 labels of every class, but class 5 has "
                "5421 images; choose a smaller rate, or type symmetric"
            ),
        ),
        (
            {"label_noise": {"type": "matrix", "matrix": [[0.5, 0.5], [0.0, 1.0]]}},
            (
                "data.label_noise.matrix: expected 10 rows of 10 probabilities, one per class, "
                "got 2 rows of 2 probabilities"
            ),
        ),
        (
            {"imbalance": {"type": "exponential", "ratio": 10_000.0}},
            (
                "data.imbalance.ratio: a ratio of 10000 leaves class 9 without images, of 55000 in 10 classes; "
                "choose a smaller one"
            ),
        ),
    ],
)
def test_what_mnist_cannot_give_is_refused(experiment: Build, section: dict[str, Any], expected: str) -> None:
    """The key, what was asked for and what there is stand in one sentence, exit status 2."""
    with pytest.raises(DataError) as caught:
        data.prepare(experiment(**section))
    assert str(caught.value) == expected
    assert caught.value.exit_code == 2


def test_asymmetric_noise_is_for_digits(experiment: Build, folder: Path) -> None:
    """Other data sets have other confusions."""
    section = {"name": "idx", "path": str(folder), "validation_size": 0}
    with pytest.raises(DataError) as caught:
        data.prepare(experiment(**section, label_noise={"type": "asymmetric", "rate": 0.2}))
    assert str(caught.value) == ASYMMETRIC


def test_images_without_contrast_have_no_deviation(
    experiment: Build, tmp_path: Path, idx_bytes: Callable[[np.ndarray[Any, Any]], bytes]
) -> None:
    """Images that are all of one grey cannot be standardized."""
    labels = np.arange(4) % 2
    path = idx_folder(tmp_path, idx_bytes, [np.full((4, 2, 2), 7), labels, np.full((4, 2, 2), 7), labels])
    with pytest.raises(DataError) as caught:
        data.prepare(experiment(name="idx", path=path, validation_size=0, normalize="standard"))
    assert str(caught.value) == ("data.normalize: standard needs pixels that differ, but all are the same; write unit")


def test_a_folders_digest_is_read_again_once_a_file_has_changed(tmp_path: Path) -> None:
    """And only then: asking twice opens no file twice, a changed file has its own digest."""
    import struct
    from unittest import mock

    from lossbench.config.data import Data
    from lossbench.data import fileset, sha256

    def write(labels: list[int]) -> None:
        for part in ("train", "t10k"):
            head = struct.pack(">HBBIII", 0, 8, 3, len(labels), 2, 2)
            (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(head + bytes(4 * len(labels)))
            content = struct.pack(">HBBI", 0, 8, 1, len(labels)) + bytes(labels)
            (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(content))

    section = Data(name="idx", path=tmp_path)
    write([0, 1, 2])
    first = sha256(section)
    with mock.patch.object(fileset, "read_folder", side_effect=AssertionError("read twice")):
        assert sha256(section) == first
    write([0, 1, 2, 2])
    assert sha256(section) != first
