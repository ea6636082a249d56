"""Groups over seeds, a block for each condition, differences by seed, verdicts: DESIGN's rules, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fabricate import row
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lossbench import statistics
from lossbench.analysis import loading
from lossbench.analysis.comparison import compare, estimate
from lossbench.analysis.query import Query
from lossbench.analysis.result import Baseline, Comparison, Contrast, Estimate, Group
from lossbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

CE = "categorical_crossentropy"
NOISE = {"type": "symmetric", "rate": 0.2, "include_self": False, "seed": None}


def runs(loss: str, *accuracies: float | None, **others: Any) -> list[dict[str, Any]]:
    """A run for each accuracy, seeds counted from 0; None is a diverged one."""
    return [row(loss, seed, accuracy, **others) for seed, accuracy in enumerate(accuracies)]


def only(comparison: Comparison) -> dict[str, Group]:
    """The groups of the only block, by label."""
    (block,) = comparison.blocks
    return {group.label: group for group in block.groups}


def difference(rows: list[dict[str, Any]], loss: str = "focal", query: Query | None = None) -> Contrast:
    """What is found of one loss."""
    found = only(compare(rows, query or Query()))[loss].difference
    assert found
    return found


BASE = [0.90, 0.91, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97]
CLEAR = [0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008]
UNCLEAR = [0.001, -0.002, 0.003, -0.004, 0.005, -0.006, 0.007, 0.008]


def shifted(by: list[float], sign: int = 1) -> list[float]:
    return [value + sign * each for value, each in zip(BASE, by, strict=False)]


def test_mean_deviation_and_interval_by_hand() -> None:
    """0.90, 0.92, 0.97 have mean 0.93 and sample standard deviation 0.0360555; the interval is SciPy's."""
    actual = estimate({0: 0.90, 1: 0.92, 2: 0.97})
    assert (actual.mean, actual.sd) == pytest.approx((0.93, 0.0360555), abs=1e-7)
    expected = stats.t.interval(0.95, 2, 0.93, stats.sem([0.90, 0.92, 0.97]))
    assert actual.interval == pytest.approx(expected)
    assert estimate({3: 0.5}) == Estimate({3: 0.5}, 0.5, None, None)
    assert estimate({3: 0.5, 4: None}) == Estimate({3: 0.5})
    assert estimate({}) == Estimate()


def test_differences_are_taken_seed_by_seed() -> None:
    """Interval and p are those of SciPy on the differences over the shared seeds; a seed of one alone is left out."""
    rows = runs(CE, *BASE, 0.5) + runs("focal", *shifted(UNCLEAR))
    found = difference(rows)
    assert list(found.values) == list(range(8))
    assert list(found.values.values()) == pytest.approx(UNCLEAR)
    assert found.interval == pytest.approx(tuple(stats.ttest_rel(shifted(UNCLEAR), BASE).confidence_interval()))
    expected = stats.permutation_test((np.array(UNCLEAR),), np.sum, permutation_type="samples", n_resamples=256)
    assert (found.p, found.p_adjusted) == pytest.approx((expected.pvalue, expected.pvalue))
    assert found.effect == pytest.approx(np.mean(UNCLEAR) / np.std(UNCLEAR, ddof=1))
    assert (found.won, found.tied, found.contested, found.n) == (5, 0, 8, 8)


@pytest.mark.parametrize(
    ("shift", "verdict"), [(shifted(CLEAR), "better"), (shifted(CLEAR, -1), "worse"), (shifted(UNCLEAR), "undecided"),
                           (BASE, "identical")],
)  # fmt: skip
def test_verdicts(shift: list[float], verdict: str) -> None:
    """Eight seeds, one comparison."""
    assert difference(runs(CE, *BASE) + runs("focal", *shift)).verdict == verdict


def test_lower_is_better_for_nll() -> None:
    """The sign of a difference is the metric's own; the verdict knows its direction."""
    query = Query(metric_names=("nll",))
    rows = [row(CE, seed, test__last__nll=0.2) for seed in range(8)]
    rows += [row("focal", seed, test__last__nll=0.1 - seed / 1e4) for seed in range(8)]
    found = difference(rows, query=query)
    assert found.mean < 0
    assert (found.verdict, found.won) == ("better", 8)


def test_below_the_fewest_seeds_nothing_is_decided() -> None:
    """Five seeds that all agree are one too few, however many comparisons; six decide."""
    five = [each[:5] for each in (BASE, shifted(CLEAR))]
    assert difference(runs(CE, *five[0]) + runs("focal", *five[1])).verdict == "undecided"
    losses = [f"loss{number}" for number in range(6)]
    for seeds, verdict, further in ((5, "undecided", 2), (6, "better", None)):
        rows = runs(CE, *BASE[:seeds]) + [each for loss in losses for each in runs(loss, *shifted(CLEAR)[:seeds])]
        found = [each for loss in losses if (each := only(compare(rows, Query()))[loss].difference)]
        assert [each.verdict for each in found] == [verdict] * 6
        assert {each.detectable for each in found} == {None}
        assert {each.further for each in found} == {further}


def test_the_family_spans_losses_and_conditions() -> None:
    """Two others under three noise rates are six comparisons; each p is that of max-T over all six."""
    rates = (0.0, 0.2, 0.4)
    rows = [
        run
        for rate in rates
        for loss, scale in ((CE, 0.0), ("focal", 1.0), ("gce", rate))
        for run in runs(loss, *(base + scale * by for base, by in zip(BASE, UNCLEAR, strict=True)), rate=rate)
    ]
    comparison = compare(rows, Query())
    assert [block.condition for block in comparison.blocks] == [{"rate": rate} for rate in rates]
    found = [group.difference for block in comparison.blocks for group in block.groups if group.difference]
    assert comparison.comparisons == len(found) == 6
    table = np.array([list(each.values.values()) for each in found]).T
    assert [each.p_adjusted for each in found] == pytest.approx(statistics.max_t(table).adjusted)


def test_equivalence_comes_first() -> None:
    """A small but certain difference is equivalent within ±1 point, better without; the bound is inside."""
    rows = runs(CE, *BASE) + runs("focal", *shifted(CLEAR))
    assert difference(rows).verdict == "better"
    assert difference(rows, query=Query(rope="1pp")).verdict == "equivalent"
    assert difference(runs(CE, *BASE) + runs("focal", *BASE), query=Query(rope="1pp")).verdict == "equivalent"
    rows = [each | {"test.last.nll": 1 - each["test.last.accuracy"]} for each in rows]
    low, high = difference(rows, query=Query(metric_names=("nll",))).interval or (0, 0)
    assert high < 0
    for rope, verdict in ((-low, "equivalent"), (str(-low), "equivalent"), (-low - 1e-9, "better")):
        assert difference(rows, query=Query(metric_names=("nll",), rope=rope)).verdict == verdict


def test_a_diverging_loss_is_never_better() -> None:
    """Better, equivalent or identical where it survived is undecided; worse stays worse; a lost seed is not won."""
    for shift, verdict in ((shifted(CLEAR), "undecided"), (BASE, "undecided"), (shifted(CLEAR, -1), "worse")):
        found = difference(runs(CE, *BASE, 0.9) + runs("focal", *shift, None), query=Query(rope="1e-7pp"))
        assert found.verdict == verdict
        assert found.contested == 9
        assert found.further is None
    group = only(compare(runs(CE, *BASE, 0.9) + runs("focal", *shifted(CLEAR), None), Query()))["focal"]
    assert (group.n, group.diverged, group.best) == (8, (8,), frozenset())


def test_nothing_is_worse_than_a_diverging_baseline() -> None:
    """What the baseline lost by diverging is not in the differences, so they count against nobody."""
    rows = runs(CE, *BASE, None) + runs("focal", *shifted(CLEAR, -1), 0.9)
    found = difference(rows)
    assert (found.verdict, found.won, found.contested) == ("undecided", 1, 9)
    assert difference(runs(CE, *BASE, None) + runs("focal", *shifted(CLEAR), 0.9)).verdict == "better"


def test_what_undecided_needs() -> None:
    """The seeds still needed and the difference that these would show are those of `statistics`."""
    found = difference(runs(CE, *BASE) + runs("focal", *shifted(UNCLEAR)))
    sd = float(np.std(UNCLEAR, ddof=1))
    needed = statistics.seeds_needed(float(np.mean(UNCLEAR)), sd, 1)
    assert needed
    assert (found.detectable, found.further) == pytest.approx((statistics.detectable(sd, 8, 1), needed - 8))


def test_no_shared_seed_is_welch() -> None:
    """Not paired because nothing is shared, or because it was asked for; p and interval are SciPy's."""
    ours, theirs = shifted(UNCLEAR), [each - 0.02 for each in BASE]
    apart = [row("focal", seed + 100, accuracy) for seed, accuracy in enumerate(ours)]
    expected = stats.ttest_ind(ours, theirs, equal_var=False)
    for found in (
        difference(runs(CE, *theirs) + apart),
        difference(runs(CE, *theirs) + runs("focal", *ours), query=Query(unpaired=True)),
    ):
        assert (found.paired, found.values, found.n) == (False, {}, 8)
        assert (found.p, found.p_adjusted) == pytest.approx((expected.pvalue, expected.pvalue))
        assert found.interval == pytest.approx(tuple(expected.confidence_interval()))
        assert found.adjustment == "Holm"


def test_paired_and_unpaired_losses_are_two_families() -> None:
    """Each adjusted p is twice that of its own family: max-T for the paired one, Holm for those without a seed."""
    apart = [row(f"loss{k}", seed + 100, value + 0.01 * k) for k in (1, 2) for seed, value in enumerate(BASE)]
    rows = runs(CE, *BASE) + runs("focal", *shifted(CLEAR)) + apart
    found = {label: each.difference for label, each in only(compare(rows, Query())).items() if each.difference}
    assert [found[label].adjustment for label in ("focal", "loss1", "loss2")] == ["max-T", "Holm", "Holm"]
    assert found["focal"].p_adjusted == pytest.approx(2 * 2 / 2**8)
    holm = statistics.holm([found[label].p or 0 for label in ("loss1", "loss2")])
    assert [found[f"loss{k}"].p_adjusted for k in (1, 2)] == pytest.approx([min(1, 2 * p) for p in holm])


def test_the_baseline_is_cross_entropy_with_its_defaults() -> None:
    """Another label of its family is none; then there are no differences, unless one is named."""
    rows = runs(f"{CE} label_smoothing=0.1", *BASE) + runs("focal", *BASE)
    comparison = compare(rows, Query())
    assert comparison.baseline is None
    assert {group.difference for group in only(comparison).values()} == {None}
    assert compare(rows, Query(baseline="focal")).baseline == "focal"
    with pytest.raises(UsageError, match=r"baseline: no group 'fokal'; did you mean 'focal'\?"):
        compare(rows, Query(baseline="fokal"))


def test_two_meanings_of_the_baseline_are_none() -> None:
    """Where a label stands for different settings it is told apart, and which is the baseline has to be said."""
    rows = runs(CE, *BASE, settings="a") + runs(CE, *BASE, settings="b", identity="b") + runs("focal", *BASE)
    comparison = compare(rows, Query())
    assert comparison.ambiguous == (CE,)
    assert comparison.baseline is None
    assert len(only(comparison)) == 3


def test_a_condition_varies_inside_a_group() -> None:
    """The noise rate that one loss saw twice parts blocks, also for a loss that saw one of them only."""
    rows = runs(CE, *BASE, rate=0.1) + runs(CE, *BASE, rate=0.2) + runs("focal", *BASE, rate=0.2)
    comparison = compare(rows, Query())
    assert comparison.varying == ("rate",)
    assert [[group.label for group in block.groups] for block in comparison.blocks] == [[CE], [CE, "focal"]]
    assert comparison.hidden == ()
    assert comparison.comparisons == 1


def test_a_key_that_only_differs_between_groups_is_a_footnote() -> None:
    """A head of its own does not part a loss from the others; which loss has which is told."""
    rows = runs(CE, *BASE, head="linear") + runs("ldam", *BASE, head="cosine") + runs("focal", *BASE, head="linear")
    comparison = compare(rows, Query())
    assert len(comparison.blocks) == 1
    (hidden,) = comparison.hidden
    assert (hidden.key, hidden.values) == ("head", {"cosine": ("ldam",), "linear": (CE, "focal")})


@pytest.mark.parametrize(
    "key", ["name", "extends", "log__tensorboard", "data__path", "train__threads", "train__save_weights", "lossbench",
            "seconds", "started", "device"]
)  # fmt: skip
def test_keys_that_are_no_condition(key: str) -> None:
    """What is not part of a trial's identity does not split a group."""
    rows = [row("focal", 0, 0.9, **{key: 1}), row("focal", 1, 0.8, **{key: 2})]
    assert only(compare(rows, Query()))["focal"].n == 2


def test_other_data_is_another_condition() -> None:
    """Two data folders of one name are not pooled: their digests differ."""
    assert (
        len(compare(runs("focal", 0.9, data__sha256="a") + runs("focal", 0.8, data__sha256="b"), Query()).blocks) == 2
    )


def test_a_block_for_each_condition(tmp_path: Path, fabricate: Any) -> None:
    """Of real folders: blocks stand in the order of values, none first; what all agree on is the setting."""
    for seed in (0, 1):
        fabricate(tmp_path, "focal", seed)
        fabricate(tmp_path, "focal", seed, config={"data.label_noise": NOISE})
        fabricate(tmp_path, "focal", seed, config={"data.label_noise": NOISE | {"rate": 0.1}})
    comparison = compare(loading.rows([tmp_path])[0], Query())
    assert set(comparison.varying) == {
        "data.label_noise.type", "data.label_noise.rate", "data.label_noise.include_self",
    }  # fmt: skip
    assert [block.condition["data.label_noise.rate"] for block in comparison.blocks] == [None, 0.1, 0.2]
    assert [block.groups[0].n for block in comparison.blocks] == [2, 2, 2]
    assert comparison.setting["model.name"] == "mlp"


def test_across_says_which_condition_comes_first() -> None:
    """Its keys part blocks before all others, also where they differ between groups only."""
    rows = [each for size in (1, 2) for rate in (1, 2) for each in runs("focal", *BASE[:2], size=size, rate=rate)]
    conditions = [block.condition for block in compare(rows, Query(across=("size",))).blocks]
    assert [(each["size"], each["rate"]) for each in conditions] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert [list(each) for each in conditions] == [["size", "rate"]] * 4
    between = runs(CE, 0.9, head="linear") + runs("ldam", 0.9, head="cosine")
    assert len(compare(between, Query(across=("head",))).blocks) == 2
    with pytest.raises(UsageError, match="hed: no run has this key; did you mean 'head'"):
        compare(between, Query(across=("hed",)))


def test_by_other_keys() -> None:
    """Grouped by the optimizer, each loss is a condition; the baseline is what is named."""
    rows = [each for rate in ("adam", "sgd") for loss in (CE, "focal") for each in runs(loss, *BASE, optimizer=rate)]
    comparison = compare(rows, Query(by=("optimizer",), baseline="adam"))
    assert [block.condition for block in comparison.blocks] == [{"loss": CE}, {"loss": "focal"}]
    assert {group.label for block in comparison.blocks for group in block.groups} == {"adam", "sgd"}
    assert comparison.comparisons == 2
    both = compare(rows, Query(by=("loss", "optimizer")))
    assert set(only(both)) == {f"{loss} · {rate}" for loss in (CE, "focal") for rate in ("adam", "sgd")}


def test_by_one_hyperparameter_the_others_are_conditions() -> None:
    """Of a loss with gamma and alpha, groups by gamma are parted by alpha, not by the label that holds both."""
    rows = [
        each
        for gamma in (1, 2)
        for alpha in (0.5, 1.0)
        for each in runs(f"focal g={gamma} a={alpha}", *BASE[:3], loss__gamma=gamma, loss__alpha=alpha)
    ]
    comparison = compare(rows, Query(by=("loss.gamma",)))
    assert [block.condition for block in comparison.blocks] == [{"loss.alpha": 0.5}, {"loss.alpha": 1.0}]
    assert [len(block.groups) for block in comparison.blocks] == [2, 2]


def test_by_name_averages_first_and_says_so() -> None:
    """A name's runs of one seed are one value, their mean; n counts seeds."""
    rows = runs("focal gamma=1", 0.8, 0.9, loss__gamma=1) + runs("focal gamma=3", 0.9, 0.7, loss__gamma=3)
    comparison = compare(rows + runs(CE, 0.9, 0.9), Query(by=("loss.name",)))
    group = only(comparison)["focal"]
    assert group.metrics["accuracy"].values == pytest.approx({0: 0.85, 1: 0.8})
    assert (group.n, comparison.averaged) == (2, ("focal",))
    assert comparison.baseline == CE


def test_groups_are_sorted_by_the_first_metric() -> None:
    """The best first; a group without results last; equal ones by name."""
    rows = runs("b", 0.9) + runs("a", 0.9) + runs("c", 0.95) + runs("d", None)
    assert list(only(compare(rows, Query()))) == ["c", "a", "b", "d"]
    low = [row("x", test__last__nll=0.3), row("y", test__last__nll=0.1)]
    assert list(only(compare(low, Query(metric_names=("nll",))))) == ["y", "x"]


def test_runs_without_results_are_counted() -> None:
    """Diverged, failed, running and interrupted runs are counted beside the completed ones."""
    statuses = ["completed", "completed", "diverged", "failed", "failed", "running", "interrupted"]
    rows = [row("focal", seed, 0.9, status=status) for seed, status in enumerate(statuses)]
    group = only(compare(rows, Query()))["focal"]
    assert (group.n, group.diverged, group.failed, group.unfinished) == (2, (2,), 2, 2)
    assert group.metrics["accuracy"].mean == pytest.approx(0.9)


def test_the_best_mean_of_each_metric() -> None:
    """Highest accuracy, lowest NLL; equal means share the mark; one group alone has none."""
    rows = [row("a", 0, 0.9, test__last__nll=0.3), row("b", 0, 0.95, test__last__nll=0.4)]
    best = {label: group.best for label, group in only(compare(rows, Query())).items()}
    assert best == {"a": {"nll", "brier", "ece"}, "b": {"accuracy", "brier", "ece"}}
    assert only(compare(rows[:1], Query()))["a"].best == frozenset()


def test_who_is_never_best() -> None:
    """A loss with diverged runs is never best; one without softmax only in what does not judge its probabilities."""
    scaled = {"test__last__nll_scaled": 0.1}
    rows = [
        *runs("diverging", 0.99, None, test__last__nll=0.01),
        row("hinge", 0, 0.98, link="none", test__last__nll=0.02, **scaled),
        row("focal", 0, 0.9, test__last__nll_scaled=0.2),
        row("ce", 0, 0.8, test__last__nll_scaled=0.2),
    ]
    best = {label: group.best for label, group in only(compare(rows, Query())).items()}
    assert best == {
        "diverging": frozenset(),
        "hinge": {"accuracy", "nll_scaled"},
        "focal": {"nll", "brier", "ece"},
        "ce": {"nll", "brier", "ece"},
    }


def test_a_missing_value_leaves_no_mean_and_no_difference() -> None:
    """A completed run without an NLL is not left out of its mean silently."""
    query = Query(metric_names=("nll",))
    rows = runs(CE, *BASE) + runs("focal", *BASE)
    rows[9] = rows[9] | {"test.last.nll": None}
    group = only(compare(rows, query))["focal"]
    assert (group.metrics["nll"].mean, len(group.metrics["nll"].values), group.difference) == (None, 7, None)


def test_a_trial_counts_once() -> None:
    """The same trial in two places is counted once, the completed one first, and said."""
    places = {"a": "interrupted", "b": "completed", "c": "completed"}
    rows = [row("focal", 3, 0.9, identity="x", folder=folder, status=status) for folder, status in places.items()]
    comparison = compare(rows, Query())
    assert (only(comparison)["focal"].n, only(comparison)["focal"].unfinished) == (1, 0)
    assert comparison.duplicates == (("c", "b"), ("a", "b"))


def test_best_needs_validation(tmp_path: Path, fabricate: Any) -> None:
    """Asking for the best epoch of a run without validation is an error that names the run and what to do."""
    fabricate(tmp_path, "focal", 0)
    folder = fabricate(tmp_path, "focal", 1, validation=False)
    rows, _ = loading.rows([tmp_path])
    assert compare(rows, Query()).blocks[0].groups[0].n == 2
    with pytest.raises(UsageError, match="no best epoch, as it had no validation images; choose 'last'") as caught:
        compare(rows, Query(at="best"))
    assert str(folder) in str(caught.value)


def test_best_and_last_are_different_numbers(tmp_path: Path, fabricate: Any) -> None:
    """Each epoch's own metrics are averaged."""
    fabricate(tmp_path, "focal", 0, strength=2.0)
    rows, _ = loading.rows([tmp_path])
    for at in ("last", "best"):
        group = only(compare(rows, Query(at=at)))["focal"]  # type: ignore[arg-type]  # one of the two
        assert group.metrics["nll"].mean == rows[0][f"test.{at}.nll"]
    assert rows[0]["test.last.nll"] != rows[0]["test.best.nll"]


def test_against_a_stored_baseline_each_loss_is_its_own_reference() -> None:
    """By label, condition and seed, never by settings or identity; what was edited since is a footnote."""
    before = runs("mine", *BASE, settings="old", identity="1", optimizer__learning_rate=5) + runs("gone", *BASE)
    now = runs("mine", *shifted(CLEAR), settings="new", identity="2", optimizer__learning_rate=6)
    comparison = compare(now, Query(), Baseline("main.json", before))
    group = only(comparison)["mine"]
    assert (comparison.baseline, comparison.baseline_is_file) == ("main.json", True)
    assert group.difference
    assert (group.difference.verdict, group.difference.n) == ("better", 8)
    assert comparison.absent == (("gone", {}),)
    assert [(each.key, each.values) for each in comparison.hidden] == [
        ("optimizer.learning_rate", {None: ("gone (baseline)",), 5: ("mine (baseline)",), 6: ("mine",)})
    ]


def test_a_stored_condition_is_found_among_others() -> None:
    """One noise rate now is held against the same rate of a baseline that had two."""
    before = [each for rate in (0.2, 0.4) for each in runs("mine", *(base - rate for base in BASE), rate=rate)]
    now = runs("mine", *(base - 0.4 for base in BASE), rate=0.4)
    comparison = compare(now, Query(), Baseline("main.json", before))
    found = only(comparison)["mine"].difference
    assert found
    assert found.verdict == "identical"
    assert comparison.absent == (("mine", {"rate": 0.2}),)


@given(st.lists(st.floats(0.5, 1), min_size=2, max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_runs_does_not_matter(accuracies: list[float], chance: Any) -> None:
    """Shuffled rows give the same comparison; losses exchanged give the mirrored difference."""
    rows = runs(CE, *accuracies) + runs("focal", *reversed(accuracies))
    expected = compare(rows, Query())
    chance.shuffle(rows)
    assert compare(rows, Query()) == expected
    one, other = only(expected)["focal"].difference, only(compare(rows, Query(baseline="focal")))[CE].difference
    assert one
    assert other
    assert one.mean == -other.mean
    assert one.p == pytest.approx(other.p)
