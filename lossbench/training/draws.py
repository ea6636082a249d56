"""Random numbers that depend on a seed, a step and a position alone: a hash of the three.

The same call gives the same numbers on every device, compiled by XLA or not, whatever the number of threads and of
steps per call. Vector instructions compute the hash; the generators of TensorFlow are scalar code under XLA on a CPU.
"""

from __future__ import annotations

from typing import Any

ROUNDS = ((16, 0x7FEB352D), (15, 0x846CA68B))
"""Right shift and odd factor of each round of `mix`; its last shift is 16."""

GOLDEN = 0x9E3779B9
"""2³² divided by the golden ratio."""


def words(seed: Any, step: Any, count: Any) -> Any:
    """Return uniform random words of 32 bits.

    With the key k = mix(mix(seed + g) + step) and its companion k' = mix(k + g), where g is `GOLDEN`:

        word(i) = mix(mix(i + k) ⊕ k')

    Args:
        seed: Integer; its lowest 32 bits count.
        step: Integer, likewise.
        count: Number of words.

    Returns:
        `[count]`, uint32.
    """
    import tensorflow as tf

    golden = tf.constant(GOLDEN, tf.uint32)
    key = mix(mix(tf.cast(seed, tf.uint32) + golden) + tf.cast(step, tf.uint32))
    return mix(tf.bitwise.bitwise_xor(mix(tf.cast(tf.range(count), tf.uint32) + key), mix(key + golden)))


def uniform(seed: Any, step: Any, shape: Any) -> Any:
    """Return multiples of 2⁻²⁴ in [0, 1), uniform, as float32 of a shape."""
    import tensorflow as tf

    drawn = tf.bitwise.right_shift(words(seed, step, tf.reduce_prod(shape)), tf.constant(8, tf.uint32))
    return tf.reshape(tf.cast(drawn, tf.float32) * 2.0**-24, shape)


def mix(word: Any) -> Any:
    """Return a hash of words of 32 bits, a bijection: each bit of the input changes half of those of the output.

    Source: Wellons (2018). Prospecting for hash functions. https://nullprogram.com/blog/2018/07/31/ (`lowbias32`).
    """
    import tensorflow as tf

    for shift, factor in ROUNDS:
        word = _shifted(word, shift) * tf.constant(factor, tf.uint32)
    return _shifted(word, 16)


def _shifted(word: Any, by: int) -> Any:
    import tensorflow as tf

    return tf.bitwise.bitwise_xor(word, tf.bitwise.right_shift(word, tf.constant(by, tf.uint32)))
