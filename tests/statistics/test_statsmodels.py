"""Holm's correction, intervals and power equal those of statsmodels, where it is installed."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from lossbench import statistics


@pytest.fixture(scope="module")
def statsmodels() -> Any:
    """The modules of statsmodels that have an oracle; their imports may warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("statsmodels")
        from statsmodels.stats import multitest, power, weightstats

        return {"multitest": multitest, "power": power, "weightstats": weightstats}


@pytest.mark.parametrize("count", [1, 2, 5, 77])
def test_holm(statsmodels: Any, count: int) -> None:
    """`multipletests(method="holm")`, ties and values near 0 and 1 among them."""
    p_values = np.round(np.random.default_rng(count).beta(0.3, 1, count), 2)
    expected = statsmodels["multitest"].multipletests(p_values, method="holm")[1]
    assert statistics.holm(list(p_values)) == pytest.approx(expected)


@pytest.mark.parametrize("sizes", [(2, 3), (10, 10), (40, 5)])
def test_intervals(statsmodels: Any, sizes: tuple[int, int]) -> None:
    """Of a mean by `DescrStatsW`, of a difference with unequal variances by `CompareMeans`."""
    first, second = (np.random.default_rng(size).normal(size, size, size) for size in sizes)
    weights = statsmodels["weightstats"]
    described = [weights.DescrStatsW(values) for values in (first, second)]
    assert statistics.t_interval(first) == pytest.approx(described[0].tconfint_mean(0.05))
    compared = weights.CompareMeans(*described)
    expected = compared.tconfint_diff(0.05, usevar="unequal")
    assert statistics.welch(list(first), list(second)).interval == pytest.approx(expected)
    assert statistics.welch(list(first), list(second)).p == pytest.approx(compared.ttest_ind(usevar="unequal")[1])


@pytest.mark.parametrize("comparisons", [1, 5, 20])
@pytest.mark.parametrize("seeds", [8, 10, 20, 30])
def test_power(statsmodels: Any, seeds: int, comparisons: int) -> None:
    """The t-test has a power between 0.74 and 0.85 at the detectable difference, at Bonferroni's level."""
    level = math.floor(0.05 * 2 ** (seeds - 1)) / 2 ** (seeds - 1) / comparisons
    effect = statistics.detectable(2.0, seeds, comparisons) / 2
    power = statsmodels["power"].TTestPower().power(effect, seeds, level, alternative="two-sided")
    assert 0.74 <= power <= 0.85
