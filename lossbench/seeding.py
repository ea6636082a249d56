"""Random numbers by seed and purpose, so that no draw depends on how many draws came before it."""

from __future__ import annotations

import numpy as np


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the generator of one purpose: same seed and purpose, same numbers; another of either, independent ones.

    Args:
        seed: Integer ≥ 0.
        purpose: What the numbers are for, e.g. `"split"`.

    Returns:
        A new generator.

    Example:
        >>> int(generator(0, "split").integers(100)) == int(generator(0, "split").integers(100))
        True
    """
    return np.random.default_rng([seed, *purpose.encode()])


def integer(seed: int, purpose: str) -> int:
    """Return a seed in [0, 2³¹) for code that takes an integer instead of a generator.

    Args:
        seed: Integer ≥ 0.
        purpose: What the numbers are for, e.g. `"weights"`.

    Returns:
        An integer that any library accepts as its seed.

    Example:
        >>> 0 <= integer(0, "weights") < 2**31
        True
    """
    return int(generator(seed, purpose).integers(2**31))
