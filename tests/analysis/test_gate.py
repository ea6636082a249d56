"""The gate fails what is worse for certain, passes what is not, and says which it cannot tell or was not shown."""

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
        (WORSE, "delta.accuracy<-0.2%", "failed"),
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
        (WORSE, "delta.accuracy <= -2pp", "passed"),
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
        (BASE, "accuracy < 99%", "failed"),
        (BASE[:2], "accuracy < 0.99", "undecided"),
        (BASE, "accuracy < 50%", "passed"),
        ((*BASE, None), "accuracy < 0.5", "failed"),
        ((*BASE, None), "accuracy < 0.01", "failed"),
        ((*BASE, None), "accuracy <= 0.01", "failed"),
        ((*BASE, None), "nll > 99", "failed"),
        ((*BASE, None), "recall.5 < 0.01", "failed"),
        ((BASE[0], None, None, None, None), "accuracy < 0.01", "failed"),
        ((None, None, None), "accuracy < 0.01", "failed"),
        ((None,), "ece > 0.9", "failed"),
        (BASE, "nll > 0.05", "failed"),
        (BASE, "recall.5 < 0.8", "passed"),
    ],
)
def test_a_value(ours: tuple[float | None, ...], threshold: str, outcome: str) -> None:
    """Each loss by itself, the baseline too; a run that diverged fails it whatever the others reach."""
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
    ):
        with pytest.raises(NothingMatchedError, match=r"no pair of runs with .*, so nothing was judged"):
            judged(rows, "delta.accuracy < -0.2pp", stored)
    with pytest.raises(NothingMatchedError, match=r"baseline_file: no run of a loss of main\.json"):
        gate.judge(compare(runs("focal", *BASE), Query(), Baseline("main.json", runs("gce", *BASE))))


def test_other_seeds_are_pairs_only_if_asked_for() -> None:
    """Welch's interval judges where pairs are not wanted."""
    rows = runs(CE, *BASE) + [row("focal", 100 + seed, value - 0.5) for seed, value in enumerate(BASE)]
    (result,) = judged(rows, "delta.accuracy < -0.2pp", unpaired=True)
    assert (result.outcome, result.n) == ("failed", 4)


def test_against_a_stored_baseline() -> None:
    """Each loss against itself; one that is new is undecided, one that is gone is missing, never a pass."""
    stored = Baseline("main.json", runs("focal", *BASE, settings="old") + runs("gone", *BASE))
    found = judged(runs("focal", *WORSE, settings="new") + runs("new", *BASE), "delta.accuracy < -0.2pp", stored)
    assert {(result.label, result.reference, result.outcome) for result in found} == {
        ("focal", "main.json", "failed"), ("new", None, "undecided"), ("gone", "main.json", "missing"),
    }  # fmt: skip


def test_each_condition_is_judged() -> None:
    """A result for each loss in each condition."""
    rows = [each for rate in (1, 2) for loss in (CE, "a", "b") for each in runs(loss, *BASE, rate=rate)]
    found = judged(rows, "delta.accuracy < -0.2pp")
    assert [(result.label, result.condition["rate"]) for result in found] == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def with_status(status: str, *accuracies: float, loss: str = "focal", first: int = 0) -> list[dict[str, Any]]:
    return [row(loss, first + seed, accuracy, status=status) for seed, accuracy in enumerate(accuracies)]


@pytest.mark.parametrize("text", ["accuracy < 0.01", "nll > 9", "delta.accuracy < -90pp", "delta.nll > 9"])
@pytest.mark.parametrize(
    ("lost", "outcome", "reason"),
    [
        (with_status("failed", 0.9, first=4), "failed", "runs"),
        (with_status("diverged", 0.9, first=4), "failed", "runs"),
        (with_status("running", 0.9, first=4), "missing", "unfinished"),
        (with_status("interrupted", 0.9, first=4), "missing", "unfinished"),
    ],
)
@pytest.mark.parametrize("completed", [BASE, BASE[:1], ()])
def test_runs_without_a_result_never_pass(
    lost: list[dict[str, Any]], outcome: str, reason: str, completed: tuple[float, ...], text: str
) -> None:
    """Diverged and failed runs fail every threshold of their loss; unfinished ones are evidence that is missing."""
    rows = runs(CE, *BASE, 0.9) + runs("focal", *completed) + lost
    (result,) = [each for each in judged(rows, text) if each.label == "focal"]
    assert (result.outcome, result.reason) == (outcome, reason)


def test_a_crossed_threshold_fails_although_runs_are_unfinished() -> None:
    """What is beyond the threshold is not excused by the rest."""
    rows = runs("focal", *BASE) + with_status("running", 0.9, first=4)
    assert judged(rows, "accuracy < 0.99")[0].outcome == "failed"


def test_a_completed_run_without_the_metric_is_missing_evidence() -> None:
    """A mean over the other runs is no evidence for all of them; where no run has the metric, nothing is judged."""
    with pytest.raises(NothingMatchedError, match="no completed run with macro_f1"):
        judged(runs("focal", *BASE), "macro_f1 < 0.5")
    rows = [*runs("focal", *BASE), row("focal", 4, 0.9, test__last__nll=None)]
    assert [(each.outcome, each.reason) for each in judged(rows, "nll > 5")] == [("missing", "no value")]
    assert [each.outcome for each in judged(runs(CE, *BASE, 0.9) + rows, "delta.nll > 5")] == ["missing"]


def test_a_baseline_with_lost_runs_is_no_reference() -> None:
    """Differences from a baseline whose runs failed or are unfinished are missing evidence, but for a stored one."""
    for status in ("failed", "running", "interrupted"):
        lost = with_status(status, 0.9, loss=CE, first=3)
        (result,) = judged(runs(CE, *BASE[:3]) + lost + runs("focal", *BASE), "delta.accuracy < -5pp")
        assert (result.outcome, result.reason) == ("missing", "reference runs")
    stored = Baseline("main.json", runs("focal", *BASE) + with_status("failed", 0.9, first=4))
    assert judged(runs("focal", *BASE), "delta.accuracy < -5pp", stored)[0].outcome == "passed"


def test_a_condition_without_the_baseline_is_missing_evidence() -> None:
    """A difference that was asked for and cannot be taken is no pass."""
    rows = runs(CE, *BASE, rate=1) + runs("focal", *BASE, rate=1) + runs("focal", *BASE, rate=2)
    found = judged(rows, "delta.accuracy < -5pp")
    assert [(each.condition["rate"], each.outcome, each.reason) for each in found] == [
        (1, "passed", "within"), (2, "missing", "no reference"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("diverged > 0", "failed"), ("diverged > 1", "passed"), ("diverged >= 1", "failed"), ("failed > 0", "failed"),
        ("failed > 2", "passed"), ("unfinished > 0", "passed"), ("unfinished >= 0", "failed"),
    ],
)  # fmt: skip
def test_numbers_of_runs(text: str, outcome: str) -> None:
    """A threshold on diverged, failed or unfinished runs counts them, however many seeds there are."""
    rows = [row("focal", 0, 0.9), row("focal", 1, None), *with_status("failed", 0.9, 0.9, first=2)]
    assert [each.outcome for each in judged(rows, text)] == [outcome]
    assert [each.outcome for each in judged(runs("focal", 0.9), "diverged > 0")] == ["passed"]


@pytest.mark.parametrize("status", ["running", "interrupted"])
@pytest.mark.parametrize("completed", [BASE, ()])
@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("diverged > 0", "missing"),
        ("failed > 0", "missing"),
        ("diverged >= 2", "missing"),
        ("failed > 2", "passed"),
        ("unfinished > 2", "passed"),
        ("unfinished > 1", "failed"),
    ],
)
def test_unfinished_runs_may_still_diverge_or_fail(
    text: str, outcome: str, completed: tuple[float, ...], status: str
) -> None:
    """A number of runs passes only if it does so whatever becomes of the two unfinished ones."""
    rows = runs("focal", *completed) + with_status(status, 0.9, 0.9, first=4)
    assert [each.outcome for each in judged(rows, text)] == [outcome]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("delta.diverged > 0", "a number of runs; write e.g. 'diverged > 0'"),
        ("failed > 1pp", "a number of runs"), ("failed > 0.5", "a number of runs"), ("failed > 5%", "a number of runs"),
        ("delta.accuracy < -0.5", r"needs a unit: -0.5pp \(or -0.5%\) for -0.5 percentage points, -50pp for a share"),
        ("delta.recall.5 < -0.01", "needs a unit"), ("delta.macro_f1 < -0.01", "needs a unit"),
        ("delta.nll > 1pp", "not a share of images; write the number without pp"),
        ("brier > 1%", "not a share of images; write the number without %"), ("accuracy < 97", "lies between 0 and 1"),
        ("accuracy < 120%", "lies between 0 and 1"), ("accuracy < 0.97pp", "pp is for differences"),
    ],
)  # fmt: skip
def test_thresholds_that_are_refused(text: str, message: str) -> None:
    """Counts have no unit and no difference; a difference in per cent has a unit, and no other metric has one."""
    with pytest.raises(UsageError, match=message):
        Query(thresholds=(text,)).check()


@pytest.mark.parametrize(
    ("text", "better", "written"),
    [
        ("accuracy > 0.9", "higher accuracy is better", "accuracy < 0.9"),
        (" accuracy>=90% ", "higher accuracy is better", "accuracy<90%"),
        ("macro_f1 > 0.9", "higher macro_f1 is better", "macro_f1 < 0.9"),
        ("balanced_accuracy > 0.9", "higher balanced_accuracy is better", "balanced_accuracy < 0.9"),
        ("recall.5 >= 0.9", "higher recall.5 is better", "recall.5 < 0.9"),
        ("delta.accuracy > 0.2pp", "higher accuracy is better", "delta.accuracy < 0.2pp"),
        ("delta.accuracy > 0", "higher accuracy is better", "delta.accuracy < 0"),
        ("nll < 0.1", "lower nll is better", "nll > 0.1"),
        ("delta.nll <= -1e-3", "lower nll is better", "delta.nll > -1e-3"),
        ("brier < 0.1", "lower brier is better", "brier > 0.1"),
        ("ece < 1%", "lower ece is better", "ece > 1%"),
        ("nll_scaled < 0.1", "lower nll_scaled is better", "nll_scaled > 0.1"),
        ("train_seconds < 9", "lower train_seconds is better", "train_seconds > 9"),
        ("diverged < 1", "fewer diverged runs are better", "diverged >= 1"),
        ("failed <= 0", "fewer failed runs are better", "failed > 0"),
        ("unfinished < 2", "fewer unfinished runs are better", "unfinished >= 2"),
    ],
)  # fmt: skip
def test_a_condition_that_fails_good_runs_is_refused(text: str, better: str, written: str) -> None:
    """A requirement written as a condition would pass silently; the message gives the condition, which is accepted."""
    with pytest.raises(UsageError) as raised:
        Query(thresholds=(text,)).check()
    assert f"thresholds: {text.strip()!r} would fail good runs, as {better}; write {written!r}" == str(raised.value)
    Query(thresholds=(written,)).check()


@pytest.mark.parametrize(
    ("metric", "rope", "expected"),
    [
        ("accuracy", "0.5pp", 0.005), ("accuracy", "0.5 %", 0.005), ("accuracy", "accuracy=0.5%", 0.005),
        ("accuracy", "0", 0.0), ("recall.3", "2pp", 0.02), ("macro_f1", "1%", 0.01), ("ece", "0.5pp", 0.005),
        ("ece", "0.005", 0.005), ("nll", "0.5", 0.5), ("nll", 0.5, 0.5), ("nll", 1, 1.0), ("brier", "1.5", 1.5),
        ("nll_scaled", 1e-9, 1e-9),
    ],
)  # fmt: skip
def test_the_size_of_a_rope(metric: str, rope: str | float, expected: float) -> None:
    """Percentage points or per cent for shares, a plain number for everything that tables show as it is."""
    assert Query(metric_names=(metric,), rope=rope).margin == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("metric", "rope", "message"),
    [
        ("accuracy", "0.5", r"'0.5': a difference in accuracy needs a unit: 0.5pp \(or 0.5%\) for 0.5 percentage"),
        ("accuracy", "0.005", "0.5pp for a share of 0.005"), ("accuracy", 0.005, "needs a unit"),
        ("accuracy", 1, "'1': a difference in accuracy needs a unit"), ("accuracy", "accuracy=0.5", "needs a unit"),
        ("recall.3", "0.5", "needs a unit"), ("macro_f1", "0.5", "needs a unit"),
        ("balanced_accuracy", "0.5", "needs a unit"), ("nll", "0.5pp", "without pp"), ("brier", "0.5%", "without %"),
        ("accuracy", "120pp", "lies between 0 and 1"), ("ece", "5", "lies between 0 and 1"),
        ("accuracy", "-1pp", "expected a size"), ("nll", -0.1, "expected a size"),
        ("nll", float("nan"), "expected a size"),
        ("accuracy", "", "expected a size"), ("accuracy", "0.5 pips", "expected a size"),
    ],
)  # fmt: skip
def test_ropes_that_are_refused(metric: str, rope: str | float, message: str) -> None:
    """A bare number of an accuracy could be a share or percentage points, so neither is guessed."""
    with pytest.raises(UsageError, match=f"rope: .*{message}"):
        Query(metric_names=(metric,), rope=rope).check()


def test_required_losses() -> None:
    """Each needs a completed run in every condition; a mistyped name gets a suggestion."""
    rows = [each for rate in (1, 2) for each in runs(CE, *BASE, rate=rate)] + runs("focal", *BASE, rate=1)
    rows += [each | {"rate": 2} for each in with_status("failed", 0.9, loss="gce")]
    rows += runs("gce", *BASE, rate=1)
    query = Query(require_losses=(CE, "focal", "gce", "fokal"))
    found = gate.judge(compare(rows, query))
    assert {(each.label, each.condition["rate"]): each.outcome for each in found} == {
        (CE, 1): "passed", (CE, 2): "passed", ("focal", 1): "passed", ("focal", 2): "missing", ("gce", 1): "passed",
        ("gce", 2): "missing", ("fokal", 1): "missing", ("fokal", 2): "missing",
    }  # fmt: skip
    query = Query(require_losses=("fokal",))
    assert {each.hint for each in gate.judge(compare(rows, query))} == {"; did you mean 'focal'?"}


def test_a_required_loss_that_is_gone_is_missing_although_nothing_else_is_judged() -> None:
    """Only the baseline is left, so the difference has no pair; the loss that is required is named all the same."""
    found = judged(runs(CE, *BASE), "delta.accuracy < -1pp", require_losses=(CE, "focal"))
    assert [(each.label, each.outcome, each.reason) for each in found] == [
        (CE, "missing", "alone"), (CE, "passed", "seeds"), ("focal", "missing", "no run"),
    ]  # fmt: skip


@pytest.mark.parametrize(("required", "outcome"), [(4, "passed"), (5, "missing"), (1, "passed"), (0, None)])
def test_required_seeds(required: int, outcome: str | None) -> None:
    """Every loss needs this number of completed seeds; diverged ones do not count; 0 requires none."""
    rows = [*runs("focal", *BASE), row("focal", 4, None)]
    found = gate.judge(compare(rows, Query(require_seeds=required)))
    assert [each.outcome for each in found] == [outcome] * (outcome is not None)


def test_the_seeds_of_a_stored_baseline_are_required() -> None:
    """Without a number, each loss needs the seeds that it has in the file; a number replaces that."""
    stored = Baseline("main.json", runs("focal", *BASE, 0.9, 0.9) + runs("gce", *BASE, None))
    now = runs("focal", *BASE) + runs("gce", *BASE)
    (missing,) = gate.judge(compare(now, Query(), stored))
    assert (missing.label, missing.outcome, missing.n, missing.seeds) == ("focal", "missing", 4, (4, 5))
    assert gate.judge(compare(now, Query(require_seeds=0), stored)) == []
    assert {each.outcome for each in gate.judge(compare(now, Query(require_seeds=4), stored))} == {"passed"}


def test_a_loss_that_is_gone_is_missing_without_a_threshold() -> None:
    """Whatever the other losses are, a stored loss without runs is named."""
    stored = Baseline("main.json", runs("focal", *BASE) + runs("gce", *BASE))
    (missing,) = gate.judge(compare(runs("focal", *BASE), Query(), stored))
    assert (missing.label, missing.outcome, missing.reason) == ("gce", "missing", "no run")


def test_a_loss_that_never_completed_in_the_baseline_is_not_required() -> None:
    """The file has no evidence of it either."""
    stored = Baseline("main.json", runs("focal", *BASE) + with_status("failed", 0.9, loss="gone"))
    assert gate.judge(compare(runs("focal", *BASE), Query(), stored)) == []
