"""Statistics of comparisons: pure functions of NumPy arrays.

SciPy's special functions, imported on first use, are the distributions; `scipy.stats`, slow to import, is the oracle
of the tests.
"""

from lossbench.statistics.corrections import ALPHA, FEWEST_SEEDS, holm
from lossbench.statistics.expected_best import expected_best
from lossbench.statistics.intervals import Interval, Welch, deviation, t_interval, two_way_interval, welch
from lossbench.statistics.mean_ranks import critical_difference, mean_ranks
from lossbench.statistics.possibly_best import possibly_best
from lossbench.statistics.power import detectable, seeds_needed
from lossbench.statistics.repeated_intervals import repeated_interval
from lossbench.statistics.sequential import SPENDING, Decision, Divergence, Plan, decide
from lossbench.statistics.sequential_power import CLEAR, Expectation, Family, expectation
from lossbench.statistics.sign_flips import FlipTest, max_t
from lossbench.statistics.verdicts import direction

__all__ = [
    "ALPHA",
    "CLEAR",
    "FEWEST_SEEDS",
    "SPENDING",
    "Decision",
    "Divergence",
    "Expectation",
    "Family",
    "FlipTest",
    "Interval",
    "Plan",
    "Welch",
    "critical_difference",
    "decide",
    "detectable",
    "deviation",
    "direction",
    "expectation",
    "expected_best",
    "holm",
    "max_t",
    "mean_ranks",
    "possibly_best",
    "repeated_interval",
    "seeds_needed",
    "t_interval",
    "two_way_interval",
    "welch",
]
