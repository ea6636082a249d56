"""Statistics of comparisons: pure functions of NumPy arrays.

SciPy's special functions, imported on first use, are the distributions; `scipy.stats`, slow to import, is the oracle
of the tests.
"""

from lossbench.statistics.corrections import ALPHA, fewest_seeds, holm
from lossbench.statistics.intervals import Interval, Welch, deviation, t_interval, two_way_interval, welch
from lossbench.statistics.power import detectable, seeds_needed
from lossbench.statistics.sign_flips import sign_flip

__all__ = [
    "ALPHA",
    "Interval",
    "Welch",
    "detectable",
    "deviation",
    "fewest_seeds",
    "holm",
    "seeds_needed",
    "sign_flip",
    "t_interval",
    "two_way_interval",
    "welch",
]
