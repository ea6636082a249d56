"""Generators by seed and purpose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossbench import seeding
from lossbench.config import seeds

SEEDS = st.integers(0, 2**32 - 1)
PURPOSES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


def test_a_generator_is_numpys_own_for_seed_and_purpose() -> None:
    """The numbers are those of `default_rng` seeded with the seed and the purpose's bytes."""
    expected = np.random.default_rng([7, ord("a"), ord("b")]).random(3)
    np.testing.assert_array_equal(expected, seeding.generator(7, "ab").random(3))


@given(SEEDS, PURPOSES)
def test_same_seed_and_purpose_give_the_same_numbers(seed: int, purpose: str) -> None:
    """Asked twice, a generator starts anew."""
    assert seeding.generator(seed, purpose).bytes(16) == seeding.generator(seed, purpose).bytes(16)
    assert seeding.integer(seed, purpose) == seeding.integer(seed, purpose)


@given(st.sets(st.tuples(SEEDS, PURPOSES), min_size=2, max_size=5))
def test_another_seed_or_purpose_gives_other_numbers(keys: set[tuple[int, str]]) -> None:
    """No two pairs share their first 16 bytes."""
    assert len({seeding.generator(*key).bytes(16) for key in keys}) == len(keys)


@given(SEEDS, PURPOSES)
def test_an_integer_has_31_bits(seed: int, purpose: str) -> None:
    """The integer fits the signed 32 bits that TensorFlow's seeds have."""
    assert 0 <= seeding.integer(seed, purpose) < 2**31


@pytest.mark.parametrize("text", ["0-1000000", "0-999999,7", "9-0", "٣", "0-99999999999", "", "1-", "-1"])
def test_a_text_that_is_no_seeds_or_too_many(text: str) -> None:
    """A million in all, so that a short text costs no gigabyte."""
    with pytest.raises(ValueError, match="expected"):
        seeds.numbers(text)
