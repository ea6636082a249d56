"""Random numbers by position: uniform, independent, the same with and without XLA."""

import numpy as np
import pytest
from scipy import stats

from lossbench.training import draws

WORD = 0xFFFFFFFF


def mixed(word):
    """`mix` in plain Python integers."""
    word = (word ^ word >> 16) * 0x7FEB352D & WORD
    word = (word ^ word >> 15) * 0x846CA68B & WORD
    return word ^ word >> 16


def drawn(seed, step, count):
    return np.asarray(draws.words(seed, step, count))


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(("seed", "step"), [(0, 0), (2**31 - 1, 3), (12, 2**31 - 1)])
def test_words_are_the_hash_of_their_position(seed, step, jit_compile):
    """Bit by bit those of integers in Python, by XLA and without it."""
    import tensorflow as tf

    key = mixed(mixed(seed + 0x9E3779B9 & WORD) + step & WORD)
    expected = [mixed(mixed(number + key & WORD) ^ mixed(key + 0x9E3779B9 & WORD)) for number in range(1000)]
    words = tf.function(lambda seed, step: draws.words(seed, step, 1000), jit_compile=jit_compile, autograph=False)
    assert np.array_equal(words(tf.constant(seed), tf.constant(step)), expected)


def test_the_hash_changes_half_of_the_bits():
    """Each bit of the input flips each bit of the output in 49 to 51 % of 100,000 words, and no two words collide."""
    words = np.random.default_rng(0).integers(0, 2**32, 100_000, dtype=np.uint32)
    hashed = np.asarray(draws.mix(words))
    for bit in range(32):
        flipped = np.asarray(draws.mix(words ^ np.uint32(1 << bit))) ^ hashed
        shares = [(flipped >> other & 1).mean() for other in range(32)]
        assert 0.49 < min(shares) <= max(shares) < 0.51, bit
    assert len(np.unique(draws.mix(np.unique(words)))) == len(np.unique(words))


@pytest.mark.parametrize(("seed", "step"), [(0, 0), (0, 1), (1, 0), (5, 1000), (2**31 - 1, 10**6)])
def test_words_are_uniform(seed, step):
    """A million words in 256 bins, by their highest, lowest and middle byte: χ² tests at 1 in 10,000."""
    words = drawn(seed, step, 2**20)
    for shift in (0, 8, 16, 24):
        counts = np.bincount(words >> shift & 255, minlength=256)
        assert stats.chisquare(counts).pvalue > 1e-4, shift


@pytest.mark.parametrize(
    ("one", "other"),
    [((0, 0), (0, 1)), ((0, 0), (1, 0)), ((0, 1), (1, 0)), ((3, 7), (3, 8)), ((2**31 - 1, 5), (2**31 - 2, 5))],
    ids=str,
)
def test_steps_and_seeds_are_independent(one, other):
    """No correlation at shifts up to 100 within five standard errors, no common word that chance does not explain."""
    count = 2**17
    first, second = (drawn(*each, count) / 2**32 - 0.5 for each in (one, other))
    for shift in range(101):
        products = first[: count - shift] * second[shift:] * 12
        assert abs(products.mean()) < 5 / np.sqrt(len(products)), shift
    common = len(np.intersect1d(drawn(*one, count), drawn(*other, count)))
    assert common < 25, "of two sets of 2^17 words, 4 are common by chance"


def test_units_are_independent():
    """Neighbours, rows and columns of a step: no correlation within five standard errors."""
    words = drawn(1, 2, 2**18) / 2**32 - 0.5
    for lag in (1, 2, 3, 10, 64, 256, 784, 4096):
        assert abs((words[lag:] * words[:-lag]).mean() * 12) < 5 / np.sqrt(len(words) - lag), lag


def test_uniform_numbers_lie_below_one():
    """A million numbers in [0, 1), Kolmogorov-Smirnov at 1 in 10,000."""
    numbers = np.asarray(draws.uniform(3, 4, [1000, 1000]))
    assert numbers.shape == (1000, 1000)
    assert 0 <= numbers.min() < numbers.max() < 1
    assert stats.kstest(numbers.ravel(), "uniform").pvalue > 1e-4
