"""Confidence intervals of means, and Welch's test of two independent means."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats: TypeAlias = NDArray[np.float64]


class Interval(NamedTuple):
    """Interval from `low` to `high`."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of its width, as printed after ±."""
        return (self.high - self.low) / 2


class Welch(NamedTuple):
    """Welch's interval and p; both None if a sample has fewer than 2 values."""

    interval: Interval | None
    p: float | None


def deviation(values: Sequence[float] | Floats) -> float | None:
    """Compute the sample standard deviation √(Σ (x - x̄)² / (n - 1)).

    Args:
        values: `[n]`.

    Returns:
        The standard deviation; None for one value.
    """
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def t_interval(values: Sequence[float] | Floats, confidence: float = 0.95) -> Interval | None:
    """Compute Student's interval of a mean: x̄ ± t_{n-1, (1+c)/2} s / √n.

    Source: Student (1908). The probable error of a mean. doi:10.1093/biomet/6.1.1.

    Args:
        values: `[n]`.
        confidence: c, in (0, 1).

    Returns:
        The interval; None for one value.
    """
    if (sd := deviation(values)) is None:
        return None
    return _around(float(np.mean(values)), sd / math.sqrt(len(values)), len(values) - 1, confidence)


def welch(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Welch:
    """Compute Welch's interval and two-sided test of mean(first) - mean(second).

    With e² = s₁²/n₁ + s₂²/n₂, the statistic is (x̄₁ - x̄₂) / e; it has e⁴ / Σ (sᵢ²/nᵢ)² / (nᵢ - 1) degrees of freedom.

    Source: Welch (1947). The generalization of "Student's" problem when several different population variances are
    involved. doi:10.1093/biomet/34.1-2.28.

    Args:
        first: `[n₁]`.
        second: `[n₂]`, independent of `first`.
        confidence: Confidence of the interval, in (0, 1).
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


def two_way_interval(differences: Floats, confidence: float = 0.95) -> Interval | None:
    """Compute the interval of the mean of a two-way layout in which both seeds and images are samples.

    The variance of the mean is (MS_seeds + MS_images - MS_rest) / (S I), where MS are the mean squares and no variance
    component is taken as negative; its degrees of freedom are Satterthwaite's.

    Source: Satterthwaite (1946). An approximate distribution of estimates of variance components. doi:10.2307/3002019.

    Args:
        differences: `[seeds, images]`.
        confidence: Confidence of the interval, in (0, 1).

    Returns:
        The interval; None for fewer than two seeds or images.
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


def _around(mean: float, error: float, freedom: float, confidence: float) -> Interval:
    from scipy.special import stdtrit

    half = float(stdtrit(freedom, (1 + confidence) / 2)) * error
    return Interval(mean - half, mean + half)
