"""Label noise: its definition, and what is drawn, against counting."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench.config.data import LabelNoise
from lossbench.config.datasets import DATASETS
from lossbench.data import noise
from lossbench.errors import DataError

Labels: TypeAlias = np.ndarray[Any, Any]

MNIST = np.array([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
CLEAN = np.random.default_rng(0).permutation(np.repeat(np.arange(10, dtype=np.uint8), MNIST))
CONFUSIONS = DATASETS["mnist"].confusions
SHIFT = [[0.7, 0.3, 0.0], [0.0, 0.9, 0.1], [0.5, 0.0, 0.5]]


def corrupted(seed: int = 0, clean: Labels = CLEAN, classes: int = 10, **keys: Any) -> Labels:
    """Return noisy labels."""
    section = LabelNoise(**keys)
    matrix = noise.transition_matrix(section, np.bincount(clean, minlength=classes), CONFUSIONS)
    return noise.corrupt(clean, section, matrix, np.random.default_rng(seed))


def counted(clean: np.ndarray[Any, Any], seen: np.ndarray[Any, Any], classes: int) -> np.ndarray[Any, Any]:
    """Return how many images of class i are labelled j, counted one by one."""
    table = np.zeros((classes, classes))
    for i, j in zip(clean.tolist(), seen.tolist(), strict=True):
        table[i, j] += 1
    return table


def expected_matrix(keys: dict[str, Any]) -> list[list[float]]:
    """Return the transition matrix as the issue's sentences have it, entry by entry."""
    rate = keys["rate"]
    digits = {7: 1, 2: 7, 5: 6, 6: 5, 3: 8}

    def entry(i: int, j: int) -> float:
        match keys["type"], keys.get("include_self", False):
            case "symmetric", False:
                return 1 - rate if i == j else rate / 9
            case "symmetric", True:
                return rate / 10 + (1 - rate if i == j else 0)
            case "symmetric_exact", _:
                flipped = int(rate * 60_000 / 10) / MNIST[i]
                return 1 - flipped if i == j else flipped / 9
            case "pair", _:
                return 1 - rate if i == j else rate if j == (i + 1) % 10 else 0
            case _:
                target = digits.get(i, i)
                return float(i == j) if target == i else 1 - rate if i == j else rate if j == target else 0

    return [[entry(i, j) for j in range(10)] for i in range(10)]


KINDS = [
    {"type": "symmetric"},
    {"type": "symmetric", "include_self": True},
    {"type": "symmetric_exact"},
    {"type": "asymmetric"},
    {"type": "pair"},
]


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.8])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_each_type_is_what_the_papers_define(kind: dict[str, Any], rate: float) -> None:
    """The transition matrix has the defined entries and rows that sum to 1."""
    keys = {**kind, "rate": rate}
    matrix = noise.transition_matrix(LabelNoise(**keys), MNIST, CONFUSIONS)
    np.testing.assert_allclose(matrix, expected_matrix(keys), atol=1e-12)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.8])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_drawn_labels_follow_the_definition(kind: dict[str, Any], rate: float) -> None:
    """Every entry lies within five standard deviations of a binomial; what cannot happen does not."""
    keys = {**kind, "rate": rate}
    matrix = np.array(expected_matrix(keys))
    realised = counted(CLEAN, corrupted(**keys), 10) / MNIST[:, np.newaxis]
    tolerance = 5 * np.sqrt(matrix * (1 - matrix) / MNIST[:, np.newaxis])
    assert (np.abs(realised - matrix) <= tolerance + 1e-12).all()


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.4, 0.6, 0.8])
def test_symmetric_exact_flips_the_same_number_of_every_class(rate: float) -> None:
    """int(rate · N / C) labels of each class change, none to itself."""
    table = counted(CLEAN, corrupted(type="symmetric_exact", rate=rate), 10)
    assert (MNIST - np.diag(table)).tolist() == [round(rate * 6000)] * 10


def test_symmetric_exact_flips_88_5_percent_of_digit_5() -> None:
    """At rate 0.8 of the whole training set 4,800 of 5,421 fives are wrong."""
    seen = corrupted(type="symmetric_exact", rate=0.8)
    assert round(float((seen[CLEAN == 5] != 5).mean()), 3) == 0.885


def test_a_matrix_is_followed() -> None:
    """Labels are drawn from the row of their class."""
    clean = (np.arange(30_000) % 3).astype(np.uint8)
    table = counted(clean, corrupted(clean=clean, classes=3, type="matrix", matrix=SHIFT), 3) / 10_000
    np.testing.assert_allclose(table, SHIFT, atol=0.02)
    assert table[0, 2] == table[1, 0] == table[2, 1] == 0
    np.testing.assert_allclose(
        noise.transition_matrix(LabelNoise(type="matrix", matrix=SHIFT), np.array([10] * 3)), SHIFT, atol=1e-12
    )


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"type": "pair", "rate": 1.0}, [1, 2, 0]),
        ({"type": "matrix", "matrix": [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]}, [2, 1, 0]),
        ({"type": "symmetric", "rate": 0.0}, [0, 1, 2]),
    ],
    ids=str,
)
def test_certain_noise_is_certain(keys: dict[str, Any], expected: list[int]) -> None:
    """Probabilities of 0 and 1 leave nothing to chance."""
    clean = np.arange(3, dtype=np.uint8).repeat(1000)
    assert corrupted(clean=clean, classes=3, **keys).tolist() == np.repeat(expected, 1000).tolist()


@given(
    st.sampled_from(["symmetric", "pair", "symmetric_exact"]),
    st.floats(0, 0.9),
    st.integers(0, 2**32 - 1),
    st.integers(2, 12),
)
def test_noise_is_a_function_of_its_seed_and_leaves_its_input(kind: str, rate: float, seed: int, classes: int) -> None:
    """The same seed draws the same labels, all of them classes; the true ones are untouched."""
    clean = (np.arange(20 * classes) % classes).astype(np.uint8)
    seen = corrupted(seed, clean, classes, type=kind, rate=rate)
    assert seen.tolist() == corrupted(seed, clean, classes, type=kind, rate=rate).tolist()
    assert set(seen.tolist()) <= set(range(classes))
    assert seen.dtype == np.uint8
    assert clean.tolist() == [i % classes for i in range(20 * classes)]


def test_another_seed_draws_other_labels() -> None:
    """Two seeds disagree."""
    assert corrupted(0, rate=0.4).tolist() != corrupted(1, rate=0.4).tolist()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=50))
def test_realised_is_the_share_counted_one_by_one(pairs: list[tuple[int, int]]) -> None:
    """Rows are shares of the images of a true class."""
    clean, seen = np.array([*pairs, (0, 0), (1, 1), (2, 2)], np.uint8).T
    table = counted(clean, seen, 3)
    np.testing.assert_allclose(noise.realised(clean, seen, 3), table / table.sum(axis=1, keepdims=True), atol=1e-12)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            {"type": "matrix", "matrix": [[0.5, 0.5], [0.0, 1.0]]},
            "data.label_noise.matrix: expected 3 rows of 3 probabilities, one per class, got 2 rows of 2 probabilities",
        ),
        (
            {"type": "symmetric_exact", "rate": 0.9},
            (
                "data.label_noise: symmetric_exact at rate 0.9 changes 9 labels of every class, but class 2 has 5 "
                "images; choose a smaller rate, or type symmetric"
            ),
        ),
    ],
)
def test_noise_that_the_data_cannot_have_is_refused(keys: dict[str, Any], expected: str) -> None:
    """The key, what was expected and what came stand in one sentence."""
    with pytest.raises(DataError) as caught:
        noise.transition_matrix(LabelNoise(**keys), np.array([15, 10, 5]))
    assert str(caught.value) == expected
