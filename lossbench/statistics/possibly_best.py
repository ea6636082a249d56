"""Set of the losses that may be the best, from all pairwise comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench.statistics.corrections import ALPHA
from lossbench.statistics.sign_flips import max_t

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lossbench.statistics.intervals import Floats


def possibly_best(scores: Floats, alpha: float = ALPHA) -> NDArray[np.bool_]:
    """Find the losses that no other loss beats: the best one is among them with probability 1 - α.

    All pairs of losses are tested at once by `max_t` of their differences. A loss is left out if another has a higher
    mean and the adjusted p of the pair is at most α.

    Source: Hsu (1996). Multiple comparisons: theory and methods. ISBN 978-0-412-98281-1.

    Args:
        scores: `[seeds, losses]`; higher is better, paired by seed; NaN where a loss lacks a seed, so that a pair is
            compared over the seeds that both have.
        alpha: α, in (0, 1).

    Returns:
        `[losses]`; at least one is true.

    Example:
        >>> possibly_best(np.array([[0.9, 0.7, 0.91]] * 6) + np.arange(6)[:, None] / 100)
        array([False, False,  True])
    """
    first, second = np.triu_indices(scores.shape[1], 1)
    differences = scores[:, first] - scores[:, second]
    significant = max_t(differences).adjusted <= alpha
    total = np.nansum(differences, axis=0)
    beaten = np.concatenate([first[significant & (total < 0)], second[significant & (total > 0)]])
    return ~np.isin(np.arange(scores.shape[1]), beaten)
