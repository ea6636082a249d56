"""Random streams by seed and purpose, so that no draw depends on the number of earlier draws."""

from __future__ import annotations

import numpy as np


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the random generator of a purpose; another seed or purpose gives an independent stream.

    Args:
        seed: Integer ≥ 0.
        purpose: The stream's name, e.g. `"split"`.

    Returns:
        A new generator at the start of the stream.

    Example:
        >>> int(generator(0, "split").integers(100)) == int(generator(0, "split").integers(100))
        True
    """
    return np.random.default_rng([seed, *purpose.encode()])


def integer(seed: int, purpose: str) -> int:
    """Return a seed in [0, 2³¹) for code that takes an integer instead of a generator.

    Args:
        seed: Integer ≥ 0.
        purpose: The stream's name, e.g. `"weights"`.

    Returns:
        The seed.

    Example:
        >>> 0 <= integer(0, "weights") < 2**31
        True
    """
    return int(generator(seed, purpose).integers(2**31))
