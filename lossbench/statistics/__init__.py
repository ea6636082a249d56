"""The statistics of a comparison: pure functions of arrays, one number for each seed, no table and no file.

`scipy.special` holds the distributions; `scipy.stats`, slow to import, is the oracle of the tests.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats: TypeAlias = NDArray[np.float64]

ALPHA = 0.05
"""A verdict is given where Holm's p is at most this."""

POWER = 0.8
"""The chance that a test finds the difference that seeds are planned for."""

EXACT = 16
"""Up to so many differences every assignment of signs is counted, 2^16 of them."""

DRAWS = 2**16 - 1
BLOCK = 8
"""Random signs are drawn for so many differences at once, one of 2^8 assignments."""

MOST_SEEDS = 1000
ROUNDING = 1e-12


class Interval(NamedTuple):
    """From low to high."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        """What stands behind a ±."""
        return (self.high - self.low) / 2


def deviation(values: Sequence[float] | Floats) -> float | None:
    """The sample standard deviation (n - 1); of one value there is none."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def t_interval(values: Sequence[float] | Floats, confidence: float = 0.95) -> Interval | None:
    """Student's interval of a mean: x̄ ± t_{n-1, (1+c)/2} s / √n; of one value there is none."""
    if (sd := deviation(values)) is None:
        return None
    return _around(float(np.mean(values)), sd / math.sqrt(len(values)), len(values) - 1, confidence)


def sign_flip(differences: Sequence[float] | Floats, generator: np.random.Generator) -> float:
    """Two-sided p of a mean of zero: the share of sign assignments whose sum lies at least as far from 0.

    Exact up to 16 differences, 2ⁿ assignments; above, (1 + hits) / (1 + draws) of 65,535 random ones.

    Source: Fisher, "The design of experiments", 1935, section 21.
    """
    values = np.asarray(differences, dtype=np.float64)
    least = abs(values.sum()) - ROUNDING * np.abs(values).sum()
    if len(values) <= EXACT:
        return float(np.mean(np.abs(_signed_sums(values)) >= least))
    parts = [_signed_sums(values[start : start + BLOCK]) for start in range(0, len(values), BLOCK)]
    drawn = np.sum([generator.choice(sums, DRAWS) for sums in parts], axis=0)
    return float((1 + np.sum(np.abs(drawn) >= least)) / (1 + DRAWS))


def _signed_sums(values: Floats) -> Floats:
    """Σ ± x for every assignment of signs."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given: the kth smallest of m is max over j ≤ k of (m - j + 1) p_j, ≤ 1.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, dtype=np.float64)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(scaled))
    return [float(value) for value in adjusted]


def fewest_seeds(comparisons: int) -> int:
    """⌈1 + log2(m / 0.05)⌉: below this, not even differences that all agree reach Holm's 0.05 among m comparisons."""
    return math.ceil(1 + math.log2(max(1, comparisons) / ALPHA) - ROUNDING)


class Welch(NamedTuple):
    """A difference of two independent means: its interval (none for fewer than 2 values on a side) and p."""

    interval: Interval | None
    p: float | None


def welch(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Welch:
    """Welch's interval and two-sided test of mean(first) - mean(second), for runs that are not paired.

    Source: Welch, "The generalization of Student's problem when several different population variances are involved",
    1947.
    """
    if min(len(first), len(second)) < 2:  # noqa: PLR2004 - a variance needs two
        return Welch(None, None)
    from scipy.special import stdtr

    difference = float(np.mean(first) - np.mean(second))
    parts = [float(np.var(values, ddof=1)) / len(values) for values in (first, second)]
    error = math.sqrt(sum(parts))
    if error == 0:
        return Welch(Interval(difference, difference), float(difference == 0))
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True)
    )
    p = 2 * float(stdtr(freedom, -abs(difference) / error))
    return Welch(_around(difference, error, freedom, confidence), p)


def detectable(sd: float, seeds: int, comparisons: int) -> float:
    """The true mean difference that so many seeds show with probability 0.8: (t_{1-α/2m} + t_{0.8}) s / √n.

    α/m is what Holm asks of the first of m comparisons; both t have n - 1 degrees of freedom.
    """
    return float(_detectable(sd, np.array([seeds]), comparisons)[0])


def seeds_needed(difference: float, sd: float, comparisons: int) -> int | None:
    """The fewest seeds that show this difference with probability 0.8; None if more than 1,000 are needed."""
    seeds = np.arange(max(2, fewest_seeds(comparisons)), MOST_SEEDS + 1)
    enough = seeds[_detectable(sd, seeds, comparisons) <= abs(difference)]
    return int(enough[0]) if len(enough) else None


def crossed(differences: Floats, confidence: float = 0.95) -> Interval | None:
    """The interval of the mean of `[seeds, images]`, both of which are samples: other seeds and other images to come.

    With the mean squares of a two-way layout, the variance of the mean is (MS_seeds + MS_images - MS_rest) / (S I),
    no component taken as negative; Satterthwaite's degrees of freedom.

    Source: Satterthwaite, "An approximate distribution of estimates of variance components", 1946.
    """
    seeds, images = differences.shape
    if min(seeds, images) < 2:  # noqa: PLR2004 - a variance needs two
        return None
    mean, rows, columns = differences.mean(), differences.mean(axis=1), differences.mean(axis=0)
    between_seeds = images * np.square(rows - mean).sum() / (seeds - 1)
    between_images = seeds * np.square(columns - mean).sum() / (images - 1)
    rest_freedom = (seeds - 1) * (images - 1)
    rest = np.square(differences - rows[:, None] - columns + mean).sum() / rest_freedom
    square = max(between_seeds, rest) + max(between_images, rest) - rest
    if square == 0:
        return Interval(float(mean), float(mean))
    terms = between_seeds**2 / (seeds - 1) + between_images**2 / (images - 1) + rest**2 / rest_freedom
    return _around(float(mean), math.sqrt(square / (seeds * images)), square**2 / terms, confidence)


def _detectable(sd: float, seeds: NDArray[np.integer], comparisons: int) -> Floats:
    from scipy.special import stdtrit

    quantiles = stdtrit(seeds - 1, 1 - ALPHA / (2 * max(1, comparisons))) + stdtrit(seeds - 1, POWER)
    result: Floats = quantiles * sd / np.sqrt(seeds)
    return result


def _around(mean: float, error: float, freedom: float, confidence: float) -> Interval:
    from scipy.special import stdtrit

    half = float(stdtrit(freedom, (1 + confidence) / 2)) * error
    return Interval(mean - half, mean + half)
