"""Splits: exact, disjoint, stratified, by seed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lossbench.data import split
from lossbench.errors import DataError

COUNTS = st.lists(st.integers(1, 40), min_size=2, max_size=12)


def labelled(counts: list[int]) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Return shuffled labels with so many images of each class."""
    return np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts), dtype=np.uint8), counts))


def draw(
    labels: np.ndarray[tuple[int], np.dtype[np.uint8]], validation: int, train: int | None, seed: int = 0
) -> tuple[list[int], list[int]]:
    """Return both parts as lists; drop the example where a class would be left empty."""
    try:
        parts = split.stratified(labels, validation, train, np.random.default_rng(seed))
    except DataError as error:
        assume("without images" not in str(error))
        raise
    return parts[0].tolist(), parts[1].tolist()


@st.composite
def requests(draw_: st.DrawFn) -> tuple[list[int], int, int | None]:
    """Make class sizes, and a validation and a training size that fit them."""
    counts = draw_(COUNTS)
    validation = draw_(st.integers(0, sum(counts) - len(counts)))
    train = draw_(st.none() | st.integers(len(counts), sum(counts) - validation))
    return counts, validation, train


@given(requests())
def test_parts_are_disjoint_ascending_and_exact(request_: tuple[list[int], int, int | None]) -> None:
    """No image is in both parts, and there are as many as were asked for."""
    counts, validation_size, train_size = request_
    train, validation = draw(labelled(counts), validation_size, train_size)
    assert len(validation) == validation_size
    assert len(train) == (sum(counts) - validation_size if train_size is None else train_size)
    assert set(train) & set(validation) == set()
    assert train == sorted(set(train))
    assert validation == sorted(set(validation))


@given(requests())
def test_every_class_has_its_share_to_within_one_image(request_: tuple[list[int], int, int | None]) -> None:
    """Validation takes its share of all images, training its share of what is left."""
    counts, validation_size, train_size = request_
    labels = labelled(counts)
    train, validation = draw(labels, validation_size, train_size)
    for c, count in enumerate(counts):
        taken = int((labels[validation] == c).sum())
        assert abs(taken - Fraction(count * validation_size, sum(counts))) < 1
        share = Fraction((count - taken) * len(train), sum(counts) - validation_size)
        assert abs(int((labels[train] == c).sum()) - share) < 1


@given(requests(), st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_split(request_: tuple[list[int], int, int | None], seed: int) -> None:
    """A split is a function of its seed."""
    counts, *sizes = request_
    assert draw(labelled(counts), *sizes, seed) == draw(labelled(counts), *sizes, seed)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_another_seed_gives_another_split(one: int, other: int) -> None:
    """300 of 1,200 images drawn twice are never the same ones."""
    assume(one != other)
    labels = labelled([500, 400, 300])
    assert draw(labels, 300, 300, one) != draw(labels, 300, 300, other)


@given(requests())
def test_the_validation_part_does_not_depend_on_the_training_part(request_: tuple[list[int], int, int | None]) -> None:
    """Another training size leaves the validation images as they are."""
    counts, validation_size, train_size = request_
    labels = labelled(counts)
    assert draw(labels, validation_size, train_size)[1] == draw(labels, validation_size, None)[1]


def test_a_larger_validation_part_holds_the_smaller_one() -> None:
    """Sizes that divide evenly are nested, and so are training subsets, whatever is validated with."""
    labels = labelled([100] * 5)
    small_train, small = draw(labels, 50, 100)
    large_train, large = draw(labels, 100, 200)
    assert set(small) < set(large)
    assert set(small_train) < set(large_train)
    assert draw(labels, 200, 100)[0] == small_train


@given(st.integers(0, 500), st.lists(st.integers(0, 100), min_size=1, max_size=20))
def test_apportion_is_exact_and_within_one(total: int, weights: list[int]) -> None:
    """Shares sum to the total, each is its quota rounded up or down, and never more than a weight allows."""
    assume(sum(weights) > 0)
    shares = split.apportion(total, np.array(weights)).tolist()
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(total * weight, sum(weights))) < 1
        assert share <= weight or total > sum(weights)


def test_largest_remainder_agrees_with_a_known_example() -> None:
    """Hamilton's method gives 100 seats over 21878, 9713, 4167, 3252, 1065 votes as 55, 24, 10, 8, 3."""
    assert split.apportion(100, np.array([21878, 9713, 4167, 3252, 1065])).tolist() == [55, 24, 10, 8, 3]


def test_classes_are_renumbered_in_the_order_given() -> None:
    """The first class named becomes 0."""
    kept, labels = split.select_classes(np.array([8, 1, 3, 8, 0], np.uint8), (8, 3))
    assert kept.tolist() == [0, 2, 3]
    assert labels.tolist() == [0, 1, 0]
    assert labels.dtype == np.uint8


@pytest.mark.parametrize(
    ("validation", "train", "expected"),
    [
        (
            6,
            5,
            (
                "data.train_size: 5 training and 6 validation images were requested, but the training set has 10; "
                "choose sizes whose sum is at most 10"
            ),
        ),
        (
            0,
            11,
            (
                "data.train_size: 11 training and 0 validation images were requested, but the training set has 10; "
                "choose sizes whose sum is at most 10"
            ),
        ),
        (
            10,
            None,
            (
                "data.validation_size: 10 validation images were requested, but the training set has 10, "
                "and one must remain to train with; choose at most 9"
            ),
        ),
        (
            5000,
            None,
            (
                "data.validation_size: 5000 validation images were requested, but the training set has 10, "
                "and one must remain to train with; choose at most 9"
            ),
        ),
        (
            0,
            1,
            (
                "data.train_size: 1 training images leave class 1 without images; "
                "choose a larger one (or a smaller data.validation_size)"
            ),
        ),
        (
            9,
            None,
            (
                "data.train_size: 1 training images leave class 1 without images; "
                "choose a larger one (or a smaller data.validation_size)"
            ),
        ),
    ],
)
def test_sizes_that_do_not_fit_are_refused(validation: int, train: int | None, expected: str) -> None:
    """What was asked for, what there is and what to choose stand in one sentence."""
    with pytest.raises(DataError) as caught:
        split.stratified(labelled([6, 4]), validation, train, np.random.default_rng(0))
    assert str(caught.value) == expected
    assert caught.value.exit_code == 2


def test_the_largest_sizes_that_fit_are_taken() -> None:
    """Training and validation may use up all images."""
    train, validation = draw(labelled([6, 4]), 5, 5)
    assert sorted(train + validation) == list(range(10))
