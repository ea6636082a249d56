"""The group-sequential test equals a naive count for few seeds, max-T for one look, and rarely decides equal losses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from naive_sequential import naive
from scipy import stats

from lossbench.statistics import Decision, Divergence, Plan, decide, max_t
from lossbench.statistics.sequential import SPENDING

TABLES = arrays(np.float64, st.tuples(st.just(6), st.integers(1, 4)), elements=st.integers(-9, 9).map(float))


@settings(max_examples=60, deadline=None)
@given(
    TABLES,
    st.sampled_from([(6,), (4, 6), (3, 4, 5, 6)]),
    st.sampled_from([0.05, 0.2, 0.5]),
    st.sampled_from([None, 0.5, 3.0, 8.0]),
)
def test_decisions_follow_the_definition(
    table: np.ndarray, looks: tuple[int, ...], alpha: float, rope: float | None
) -> None:
    """Up to 4 comparisons and 4 looks at 6 seeds, every sign vector counted one by one, with and without a rope."""
    assert decide(list(table.T), Plan(looks, alpha, "linear", rope)) == naive(table, looks, alpha, rope)


def test_an_equivalent_loss_remains_in_the_maximum() -> None:
    """An eighth loss is better alone, and undecided as the most extreme of eight, of which seven are equivalent."""
    random = np.random.default_rng(22)
    equal, last = random.normal(0, 0.2, (12, 7)), random.normal(0.5, 1, 12)
    plan = Plan((8, 12), 0.1, "linear", rope=1.0)
    assert decide([last], plan) == [Decision("better", 12)]
    assert decide([*equal.T, last], plan) == [*[Decision("equivalent", 8)] * 7, None]


@pytest.mark.parametrize("seeds", [6, 10])
def test_one_look_is_max_t(seeds: int) -> None:
    """A comparison is decided if and only if its adjusted p is at most α."""
    table = np.random.default_rng(seeds).normal(np.arange(12) / 3, 1, (seeds, 12))
    decided = [each is not None for each in decide(list(table.T), Plan((seeds,)))]
    assert decided == list(max_t(table).adjusted <= 0.05)
    assert any(decided)


def test_spending_functions_are_published() -> None:
    """All spend α at the end; O'Brien and Fleming's at half is 0.0056, Pocock's 0.031 (Lan & DeMets, 1983)."""
    assert {name: round(each(1.0, 0.05), 12) for name, each in SPENDING.items()} == dict.fromkeys(SPENDING, 0.05)
    assert SPENDING["obrien_fleming"](0.5, 0.05) == pytest.approx(2 * stats.norm.sf(stats.norm.ppf(0.975) * 2**0.5))
    assert SPENDING["obrien_fleming"](0.5, 0.05) == pytest.approx(0.0056, abs=5e-5)
    assert SPENDING["pocock"](0.5, 0.05) == pytest.approx(0.031, abs=5e-4)
    assert SPENDING["linear"](0.5, 0.05) == 0.025


def test_later_seeds_do_not_change_a_decision() -> None:
    """The decisions at a look are the same before and after further seeds have been trained."""
    table = np.random.default_rng(1).normal([0, 0.7, -2, 1.5], 1, (30, 4))
    final = decide(list(table.T), Plan())
    assert {each.verdict for each in final if each} == {"better", "worse"}
    for seeds in (6, 9, 12, 20, 29):
        expected = [each if each and each.seeds <= seeds else None for each in final]
        assert decide(list(table[:seeds].T), Plan()) == expected


def test_a_decided_comparison_needs_no_further_seeds() -> None:
    """Its differences may end at its look; an open one that lacks seeds is an error."""
    table = np.random.default_rng(1).normal([0, 3], 1, (30, 2))
    still, clear = decide(list(table.T), Plan())
    assert still is None
    assert clear
    assert decide([table[:, 0], table[: clear.seeds, 1]], Plan()) == [still, clear]
    with pytest.raises(ValueError, match="expected 20 seeds"):
        decide([table[:, 0], table[:19, 0]], Plan())


def test_a_rope_decides_equal_losses() -> None:
    """Small differences are equivalent within a wide rope; a clear one is better; none is both."""
    table = np.random.default_rng(0).normal([0, 0, 4], 1, (30, 3))
    verdicts = [each and each.verdict for each in decide(list(table.T), Plan(rope=1.5))]
    assert verdicts == ["equivalent", "equivalent", "better"]
    assert decide([np.array([1e-9, -1e-9] * 15)], Plan(rope=0.1)) == [Decision("equivalent", 12)]


def test_no_difference_ends_a_comparison() -> None:
    """All differences 0 are identical, none at all leaves the verdict undecided, both at the first look."""
    assert decide([np.zeros(6), np.full(6, np.nan)], Plan()) == [Decision("identical", 6), Decision("undecided", 6)]


@pytest.mark.parametrize(("gain", "divergence", "expected"), [
    (1, Divergence(), "better"), (1, Divergence(loss=3), None), (1, Divergence(baseline=3), "better"),
    (-1, Divergence(), "worse"), (-1, Divergence(loss=3), "worse"), (-1, Divergence(baseline=3), None),
    (0, Divergence(), "equivalent"), (0, Divergence(loss=3), None), (0, Divergence(baseline=3), None),
])  # fmt: skip
def test_a_side_with_diverged_runs_is_never_better(gain: int, divergence: Divergence, expected: str | None) -> None:
    """One run of twelve diverged, so that its difference is missing."""
    differences = gain + np.tile([0.01, -0.01], 6)
    differences[3] = np.nan if divergence != Divergence() else differences[3]
    (found,) = decide([differences], Plan((8, 12), rope=0.5), [divergence])
    assert (found and found.verdict) == expected


def test_a_divergence_after_a_look_does_not_change_it() -> None:
    """The runs of later seeds are no part of a look."""
    differences = 1 + np.tile([0.01, -0.01], 6)
    assert decide([differences], Plan((8, 12)), [Divergence(loss=8)]) == decide([differences], Plan((8, 12)))


@pytest.mark.slow
@pytest.mark.parametrize("spending", SPENDING)
def test_equal_losses_are_rarely_decided(spending: str) -> None:
    """In at most 7.5 % of 300 studies of three equal losses, 5 % and two standard errors; the looks end at 12 seeds."""
    generator = np.random.default_rng(0)
    wrong = 0
    for _ in range(300):
        scores = generator.exponential(1, (12, 4))
        wrong += any(decide(list((scores[:, 1:] - scores[:, :1]).T), Plan((6, 8, 10, 12), 0.05, spending)))
    assert wrong <= 22
