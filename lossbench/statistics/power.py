"""Differences that a number of seeds can detect, and the seeds that a difference needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.statistics.corrections import ALPHA, FEWEST_SEEDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossbench.statistics.intervals import Floats

POWER = 0.8
"""Probability with which a test detects the difference that seeds are planned for."""

MOST_SEEDS = 1000


def detectable(sd: float, seeds: int, comparisons: int) -> float:
    """Compute the true mean difference that is detected with probability 0.8: (t_{1-α/2m} + t_{0.8}) s / √n.

    Both t have n - 1 degrees of freedom. α is the largest level up to 0.05 that n sign flips attain, a multiple of
    2 / 2ⁿ. The division by m is Bonferroni's; simulated, max-T finds that difference with probability 0.71 to 0.84 from
    8 seeds on, for 1 to 77 comparisons.

    Args:
        sd: s, the standard deviation of the differences.
        seeds: n.
        comparisons: m.
    """
    return float(_detectable(sd, np.array([seeds]), comparisons)[0])


def seeds_needed(difference: float, sd: float, comparisons: int) -> int | None:
    """Compute the fewest seeds that detect a true mean difference with probability 0.8.

    Args:
        difference: The true mean difference.
        sd: The standard deviation of the differences.
        comparisons: The number of comparisons.

    Returns:
        The number of seeds; None if it is above 1,000.
    """
    seeds = np.arange(FEWEST_SEEDS, MOST_SEEDS + 1)
    enough = seeds[_detectable(sd, seeds, comparisons) <= abs(difference)]
    return int(enough[0]) if len(enough) else None


def _detectable(sd: float, seeds: NDArray[np.integer], comparisons: int) -> Floats:
    from scipy.special import stdtrit

    sign_vectors = 2.0 ** (seeds - 1)
    level = np.floor(ALPHA * sign_vectors) / sign_vectors
    quantiles = stdtrit(seeds - 1, 1 - level / (2 * max(1, comparisons))) + stdtrit(seeds - 1, POWER)
    result: Floats = quantiles * sd / np.sqrt(seeds)
    return result
