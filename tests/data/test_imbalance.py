"""Class imbalance as its papers define it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench.config.data import Imbalance
from lossbench.data import imbalance
from lossbench.errors import DataError

MNIST = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def counts(available: list[int], **keys: Any) -> list[int]:
    """Return the class sizes that are left."""
    return imbalance.class_counts(np.array(available), Imbalance(**keys)).tolist()


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (1, [5000] * 10),
        (10, [5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500]),
        (100, [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]),
    ],
)
def test_exponential_imbalance_has_the_sizes_of_long_tailed_cifar_10(ratio: int, expected: list[int]) -> None:
    """CIFAR-10-LT (Cui 2019) has 5,000 images of the first class and 5,000 / ratio of the last."""
    assert counts([5000] * 10, type="exponential", ratio=float(ratio)) == expected


def test_step_imbalance_thins_out_the_second_half() -> None:
    """Half the classes keep n_max, half n_max / ratio (Buda 2018); of an odd number, the middle one stays whole."""
    assert counts([5000] * 10, type="step", ratio=50.0) == [5000] * 5 + [100] * 5
    assert counts([30] * 3, type="step", ratio=3.0) == [30, 30, 10]


def test_step_imbalance_thins_out_the_classes_named() -> None:
    """`minority_classes` chooses which ones are rare."""
    assert counts([100] * 4, type="step", ratio=10.0, minority_classes=[0, 2]) == [10, 100, 10, 100]


def test_counts_are_taken_as_listed() -> None:
    """Explicit counts are what is left."""
    assert counts([9, 9, 9], type="counts", counts=[9, 1, 5]) == [9, 1, 5]


def test_the_smallest_class_bounds_unequal_ones() -> None:
    """Of MNIST's unequal classes every one gives its share of the largest number that all can follow."""
    left = counts(MNIST, type="step", ratio=100.0)
    assert left == [5842] * 5 + [58] * 5


AVAILABLE = st.lists(st.integers(200, 6000), min_size=2, max_size=10)


@given(AVAILABLE, st.floats(1, 150), st.sampled_from(["exponential", "step"]))
def test_a_ratio_is_kept_to_within_one_image(available: list[int], ratio: float, kind: str) -> None:
    """No class gives more than it has, and the first is `ratio` times the last but for one image."""
    left = counts(available, type=kind, ratio=ratio)
    assert all(1 <= n <= there for n, there in zip(left, available, strict=True))
    assert left == sorted(left, reverse=True)
    assert left[-1] - 1e-6 <= left[0] / ratio < left[-1] + 1


@given(AVAILABLE, st.floats(1, 150))
def test_as_many_images_stay_as_the_shape_allows(available: list[int], ratio: float) -> None:
    """One more in the first class would ask more of some class than it has."""
    more = counts(available, type="exponential", ratio=ratio)[0] + 1
    last = len(available) - 1
    assert any(more * ratio ** (-c / last) > there for c, there in enumerate(available))


def test_images_that_stay_are_chosen_by_seed_and_nested() -> None:
    """A stronger imbalance keeps a subset; another seed another one."""
    labels = (np.arange(3000) % 3).astype(np.uint8)
    weak, strong, other = (
        imbalance.imbalanced(labels, Imbalance(type="exponential", ratio=ratio), np.random.default_rng(seed))
        for ratio, seed in ((2.0, 0), (20.0, 0), (2.0, 1))
    )
    assert set(strong.tolist()) < set(weak.tolist())
    assert weak.tolist() == sorted(weak.tolist())
    assert np.bincount(labels[strong]).tolist() == [1000, 223, 50]
    assert weak.tolist() != other.tolist()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            {"type": "exponential", "ratio": 1000.0},
            (
                "data.imbalance.ratio: a ratio of 1000 leaves class 1 without images, of 60 in 3 classes; "
                "choose a smaller one"
            ),
        ),
        (
            {"type": "step", "ratio": 21.0},
            (
                "data.imbalance.ratio: a ratio of 21 leaves class 2 without images, of 60 in 3 classes; "
                "choose a smaller one"
            ),
        ),
        (
            {"type": "step", "ratio": 2.0, "minority_classes": [1, 3]},
            "data.imbalance.minority_classes: 3 is not a class, they are 0 to 2",
        ),
        ({"type": "counts", "counts": [5, 5]}, "data.imbalance.counts: expected 3 counts, one per class, got 2"),
        (
            {"type": "counts", "counts": [5, 21, 5]},
            "data.imbalance.counts: 21 images of class 1 were requested, but it has 20",
        ),
    ],
)
def test_what_the_data_cannot_give_is_refused(keys: dict[str, Any], expected: str) -> None:
    """The key, what is wrong and what there is stand in one sentence."""
    with pytest.raises(DataError) as caught:
        counts([20, 20, 20], **keys)
    assert str(caught.value) == expected
