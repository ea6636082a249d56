"""The gate fails what is worse for certain, passes what is not, and says which it cannot tell."""

from __future__ import annotations

from typing import Any

import pytest
from fabricate import row

from lossbench.analysis import gate
from lossbench.analysis.comparison import compare
from lossbench.analysis.query import Query
from lossbench.analysis.result import Baseline
from lossbench.errors import NothingMatchedError, UsageError

CE = "categorical_crossentropy"


def runs(loss: str, *accuracies: float | None, **others: Any) -> list[dict[str, Any]]:
    return [row(loss, seed, accuracy, **others) for seed, accuracy in enumerate(accuracies)]


def judged(
    rows: list[dict[str, Any]], text: str, stored: Baseline | None = None, **query: Any
) -> list[gate.GateResult]:
    return gate.judge(compare(rows, Query(thresholds=(text,), **query), stored))


BASE = (0.90, 0.92, 0.94, 0.96)
WORSE = tuple(value - 0.01 - number / 1e4 for number, value in enumerate(BASE))
UNSURE = (0.89, 0.93, 0.93, 0.965)


@pytest.mark.parametrize(
    ("ours", "threshold", "outcome"),
    [
        (WORSE, "delta.accuracy < -0.2pp", "failed"),
        (WORSE, "delta.accuracy<-0.002", "failed"),
        (WORSE, "delta.accuracy < -2pp", "passed"),
        (WORSE, "delta.accuracy < -1.02pp", "undecided"),
        (BASE, "delta.accuracy < -0.2pp", "passed"),
        (BASE, "delta.accuracy < 0", "passed"),
        (BASE, "delta.accuracy <= 0", "failed"),
        (UNSURE, "delta.accuracy < -0.2pp", "undecided"),
        (UNSURE, "delta.accuracy < -50pp", "passed"),
        (WORSE[:2], "delta.accuracy < -0.2pp", "undecided"),
        (WORSE[:1], "delta.accuracy < -0.2pp", "undecided"),
        (WORSE[:3], "delta.accuracy < -0.2pp", "failed"),
        (WORSE, "delta.accuracy > -2pp", "failed"),
        (WORSE, "delta.accuracy >= 0", "passed"),
        ((*WORSE, None), "delta.accuracy < -50pp", "failed"),
        ((None, None), "delta.accuracy < -50pp", "failed"),
    ],
)
def test_a_difference(ours: tuple[float | None, ...], threshold: str, outcome: str) -> None:
    """Failed only if the whole interval of at least three pairs lies beyond; a diverged run fails it in any case."""
    (result,) = judged(runs(CE, *BASE, 0.9) + runs("focal", *ours), threshold)
    assert (result.label, result.reference, result.outcome) == ("focal", CE, outcome)


@pytest.mark.parametrize(
    ("ours", "threshold", "outcome"),
    [
        (BASE, "accuracy < 0.97", "undecided"),
        (BASE, "accuracy < 0.5", "passed"),
        (BASE, "accuracy < 99pp", "failed"),
        (BASE[:2], "accuracy < 0.99", "undecided"),
        ((*BASE, None), "accuracy < 0.5", "undecided"),
        ((*BASE, None), "accuracy < 0.99", "failed"),
        (BASE, "nll > 0.05", "failed"),
        (BASE, "recall.5 < 0.8", "passed"),
    ],
)
def test_a_value(ours: tuple[float | None, ...], threshold: str, outcome: str) -> None:
    """Each loss by itself, the baseline too; a run that diverged has no value that could pass."""
    rows = runs("focal", *ours, **{"test__last__recall.5": 0.9})
    (result,) = judged(rows, threshold)
    assert (result.reference, result.outcome) == (None, outcome)


def test_the_interval_is_the_unadjusted_one() -> None:
    """Twenty other losses in the comparison do not change what the gate finds of one."""
    crowd = [each for number in range(20) for each in runs(f"loss{number}", *UNSURE)]
    alone, among = (
        next(result for result in judged(rows, "delta.accuracy < -0.2pp") if result.label == "focal")
        for rows in (runs(CE, *BASE) + runs("focal", *WORSE), runs(CE, *BASE) + runs("focal", *WORSE) + crowd)
    )
    assert alone == among
    assert alone.outcome == "failed"


def test_a_difference_needs_a_baseline() -> None:
    """Without one the command is wrong; a threshold of the value needs none."""
    with pytest.raises(UsageError, match="there is no baseline; choose one with `baseline` or `baseline_file`"):
        judged(runs("focal", *BASE), "delta.accuracy < -0.2pp")
    assert judged(runs("focal", *BASE), "accuracy < 0.5")[0].outcome == "passed"


def test_no_pair_at_all_is_not_a_pass() -> None:
    """Neither the baseline alone, nor other seeds, nor a stored baseline of other losses."""
    for rows, stored in (
        (runs(CE, *BASE), None),
        (runs(CE, *BASE) + [row("focal", 100 + seed, 0.9) for seed in range(4)], None),
        (runs("focal", *BASE), Baseline("main.json", runs("gce", *BASE))),
        (runs("focal", *BASE, None), Baseline("main.json", runs("gce", *BASE))),
    ):
        with pytest.raises(NothingMatchedError, match=r"no pair of runs with .*, so nothing was judged"):
            judged(rows, "delta.accuracy < -0.2pp", stored)
    with pytest.raises(NothingMatchedError, match="no completed run"):
        judged([row("focal", status="failed")], "accuracy < 0.5")


def test_other_seeds_are_pairs_only_if_asked_for() -> None:
    """Welch's interval judges where pairs are not wanted."""
    rows = runs(CE, *BASE) + [row("focal", 100 + seed, value - 0.5) for seed, value in enumerate(BASE)]
    (result,) = judged(rows, "delta.accuracy < -0.2pp", unpaired=True)
    assert (result.outcome, result.n) == ("failed", 4)


def test_against_a_stored_baseline() -> None:
    """Each loss against itself; one that is new or gone is undecided, never a pass."""
    stored = Baseline("main.json", runs("focal", *BASE, settings="old") + runs("gone", *BASE))
    found = judged(runs("focal", *WORSE, settings="new") + runs("new", *BASE), "delta.accuracy < -0.2pp", stored)
    assert {(result.label, result.reference, result.outcome) for result in found} == {
        ("focal", "main.json", "failed"), ("new", None, "undecided"), ("gone", "main.json", "undecided"),
    }  # fmt: skip


def test_each_condition_is_judged() -> None:
    """A result for each loss in each condition."""
    rows = [each for rate in (1, 2) for loss in (CE, "a", "b") for each in runs(loss, *BASE, rate=rate)]
    found = judged(rows, "delta.accuracy < -0.2pp")
    assert [(result.label, result.condition["rate"]) for result in found] == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
