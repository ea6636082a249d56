"""The loss map against naive loops: which losses may be best in each cell, ranks, regrets, and what it refuses."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fabricate import row

from lossbench.analysis import loss_map
from lossbench.analysis.comparison import compare
from lossbench.analysis.query import Query
from lossbench.errors import UsageError

if TYPE_CHECKING:
    from lossbench.analysis.map_result import LossMap
    from lossbench.analysis.result import Comparison

CE, RATE, SIZE, RATIO = (
    "categorical_crossentropy", "data.label_noise.rate", "data.train_size", "data.imbalance.ratio",
)  # fmt: skip
LOSSES = (CE, "focal", "poly1", "brier")
RATES, SIZES = (None, 0.2, 0.4), (1000, 10000, None)


def study(
    seed: int = 0, seeds: int = 6, losses: tuple[str, ...] = LOSSES, metric: str = "accuracy"
) -> list[dict[str, Any]]:
    """Runs of every loss at every noise rate and size; each loss has a mean of its own in each cell."""
    random = np.random.default_rng(seed)
    return [
        row(loss, number, **{"accuracy": value} if metric == "accuracy" else {f"test.last.{metric}": value})
        | {RATE: rate, "data.label_noise.type": rate and "symmetric", SIZE: size}
        for rate, size in itertools.product(RATES, SIZES)
        for mean, loss in zip(random.normal(0.9, 0.02, len(losses)), losses, strict=True)
        for number in range(seeds)
        for value in [float(np.round(mean + random.normal(0, 0.01), 3))]
    ]


def identity(run: dict[str, Any]) -> str:
    """What tells trials of other seeds apart."""
    return str([(key, value) for key, value in run.items() if key.partition(".")[0] in {"loss", "data", "train"}])


def compared(rows: list[dict[str, Any]], keys: tuple[str, ...] = (RATE, SIZE), **others: Any) -> Comparison:
    """The comparison of runs with its map."""
    query = Query(**{"map_keys": keys, "metric_names": ("accuracy",), **others})
    query.check()
    loss_map.check(rows, query)
    found = compare([{**each, "identity": identity(each)} for each in rows], query)
    return replace(found, loss_map=loss_map.loss_map(found))


def mapped(rows: list[dict[str, Any]], *arguments: Any, **others: Any) -> LossMap:
    """The map of runs."""
    found = compared(rows, *arguments, **others).loss_map
    assert found
    return found


def scores_in(rows: list[dict[str, Any]], values: tuple[Any, ...], metric: str = "accuracy") -> dict[str, list[float]]:
    """The scores of each loss in a cell, by seed."""
    found: dict[str, list[float]] = {}
    for each in sorted(rows, key=lambda each: each["seed"]):
        if (each[RATE], each[SIZE]) == values:
            found.setdefault(each["loss"], []).append(each[f"test.last.{metric}"])
    return found


def naive_set(scores: dict[str, list[float]]) -> set[str]:
    """The losses that no other beats, by step-down max-T over all pairs with every sign vector, in plain loops."""
    pairs = list(itertools.combinations(scores, 2))
    differences = {(a, b): [x - y for x, y in zip(scores[a], scores[b], strict=True)] for a, b in pairs}
    lengths = {pair: math.sqrt(math.fsum(d * d for d in each)) or 1 for pair, each in differences.items()}
    signs = list(itertools.product((1, -1), repeat=len(next(iter(scores.values())))))

    def statistic(sign: tuple[int, ...], pair: tuple[str, str]) -> float:
        return abs(math.fsum(s * d for s, d in zip(sign, differences[pair], strict=True))) / lengths[pair]

    observed = {pair: statistic(signs[0], pair) for pair in pairs}
    left, kept, largest = sorted(pairs, key=observed.__getitem__, reverse=True), set(scores), 0.0
    for number, (a, b) in enumerate(left):
        at_least = sum(max(statistic(sign, pair) for pair in left[number:]) >= observed[a, b] - 1e-9 for sign in signs)
        largest = max(largest, at_least / len(signs))
        if largest <= 0.05:
            kept.discard(b if math.fsum(differences[a, b]) > 0 else a)
    return kept


@pytest.mark.parametrize("seed", range(3))
def test_the_losses_that_may_be_best_are_those_of_a_naive_test(seed: int) -> None:
    """Every cell, six seeds, all 64 sign vectors; the best mean comes first."""
    rows = study(seed)
    sets = []
    for cell in mapped(rows).cells:
        scores = scores_in(rows, cell.values)
        labels = [entry.label for entry in cell.best]
        assert set(labels) == naive_set(scores)
        assert labels == sorted(labels, key=lambda label: -math.fsum(scores[label]))
        sets.append(len(labels))
    assert min(sets) < 3


@pytest.mark.parametrize("metric", ["accuracy", "nll"])
def test_ranks_and_regrets_are_those_of_naive_loops(metric: str) -> None:
    """Rank and regret in each cell, then mean rank, mean regret and worst regret with its cell over all of them."""
    rows, direction = study(4, metric=metric), {"accuracy": 1, "nll": -1}[metric]
    found = mapped(rows, metric_names=(metric,))
    ranks: dict[str, list[float]] = {}
    regrets: dict[str, dict[Any, float]] = {}
    for cell in found.cells:
        means = {label: direction * np.mean(each) for label, each in scores_in(rows, cell.values, metric).items()}
        for entry in cell.entries:
            ranks.setdefault(entry.label, []).append(1 + sum(each > means[entry.label] for each in means.values()))
            regrets.setdefault(entry.label, {})[cell.values] = max(means.values()) - means[entry.label]
            assert (entry.rank, entry.regret) == pytest.approx(
                (ranks[entry.label][-1], [*regrets[entry.label].values()][-1])
            )
    for loss in found.losses:
        of_loss = regrets[loss.label]
        assert loss.mean_rank == pytest.approx(np.mean(ranks[loss.label]))
        assert loss.mean_regret == pytest.approx(sum(of_loss.values()) / 9)
        assert loss.worst_regret == pytest.approx(max(of_loss.values()))
        assert of_loss[loss.worst_at] == pytest.approx(max(of_loss.values()))
    assert found.single_best == min(regrets, key=lambda label: sum(regrets[label].values()))
    assert found.safest == min(regrets, key=lambda label: max(regrets[label].values()))
    assert [loss.label for loss in found.losses] == sorted(regrets, key=lambda label: sum(regrets[label].values()))


def test_wins_and_ties_are_counted() -> None:
    """In the set, and alone in it, over all nine cells; equal means share a rank."""
    found = mapped(study(1))
    for loss in found.losses:
        sets = [[entry.label for entry in cell.best] for cell in found.cells]
        assert (loss.best_in, loss.wins) == (sum(loss.label in each for each in sets), sets.count([loss.label]))
    rows = [row(loss, seed, 0.9, data__train_size=size) for loss in LOSSES for seed in range(8) for size in (1, 2)]
    for cell in mapped(rows, (SIZE,)).cells:
        assert {(entry.rank, entry.regret, entry.may_be_best) for entry in cell.entries} == {(2.5, 0, True)}


def test_values_are_in_order_and_all_images_come_last() -> None:
    """Numbers ascend; no noise comes first, but a size without a value is the largest."""
    found = mapped(study())
    assert found.axes == (RATES, SIZES)
    assert [cell.values for cell in found.cells] == list(itertools.product(RATES, SIZES))
    assert mapped([each for each in study() if each[SIZE] is None], (RATE,)).axes == (RATES,)


def test_five_seeds_leave_no_loss_out() -> None:
    """However clear the differences are."""
    assert all(len(cell.best) == len(LOSSES) for cell in mapped(study(seeds=5)).cells)


def test_seeds_that_a_loss_lacks_are_left_out_of_its_pairs() -> None:
    """A loss with other seeds only is in no pair, so it may be best; the others are compared as without it."""
    rows = study(2)
    others = [each if each["loss"] != "brier" else {**each, "seed": each["seed"] + 100} for each in rows]
    for cell in mapped(others).cells:
        scores = scores_in(rows, cell.values)
        del scores["brier"]
        assert {entry.label for entry in cell.best} >= {"brier"}
        assert cell.seeds == (6, 6)


def test_a_cell_without_all_losses_has_the_set_of_those_that_are_there() -> None:
    """The lacking loss is named there, has fewer cells, and is no single best although its mean regret is smallest."""
    rows = [each for each in study() if not (each["loss"] == "focal" and each[RATE] == 0.4)]
    rows = [{**each, "test.last.accuracy": 0.999} if each["loss"] == "focal" else each for each in rows]
    found = mapped(rows)
    for cell in found.cells:
        assert cell.missing == (("focal",) if cell.values[0] == 0.4 else ())
        assert {entry.label for entry in cell.best} == naive_set(scores_in(rows, cell.values))
    focal = found.loss("focal")
    assert focal
    assert (focal.cells, focal.mean_regret, found.losses[-1]) == (6, 0, focal)
    assert "focal" not in {found.single_best, found.safest}


def test_diverged_runs_count_against_their_loss() -> None:
    """One diverged seed: never best in the cell, last rank, no regret, neither single best nor safest."""
    rows = [{**each, "test.last.accuracy": 0.99} if each["loss"] == "focal" else each for each in study()]
    (gone,) = [each for each in rows if (each["loss"], each["seed"], each[RATE], each[SIZE]) == ("focal", 3, 0.2, 1000)]
    gone |= {"status": "diverged", "test.last.accuracy": None}
    found = mapped(rows)
    (cell,) = [cell for cell in found.cells if cell.values == (0.2, 1000)]
    assert cell.winner != "focal"
    assert (cell.entries[-1].label, cell.entries[-1].rank, cell.entries[-1].regret) == ("focal", 4, None)
    focal = found.loss("focal")
    assert focal
    assert (focal.worst_at, focal.mean_regret, focal.worst_regret) == ((0.2, 1000), None, None)
    assert "focal" not in {found.single_best, found.safest}
    assert focal.best_in == 8


def test_a_metric_that_a_loss_does_not_train_never_makes_it_best() -> None:
    """A loss without softmax has no NLL to rank; its accuracy is ranked."""
    rows = [{**each, "link": "sigmoid" if each["loss"] == "focal" else "softmax"} for each in study(metric="nll")]
    found = mapped(rows, metric_names=("nll",))
    assert found.unranked == ("focal",)
    assert {entry.label for cell in found.cells for entry in cell.entries} == {*LOSSES} - {"focal"}
    assert not any(cell.missing for cell in found.cells)
    assert mapped(rows).unranked == ()


def test_losses_that_are_not_alike_are_not_ranked() -> None:
    """Trained longer than the baseline: left out, unless the query allows it."""
    rows = [{**each, "train.epochs": 50} if each["loss"] == "focal" else each for each in study()]
    assert mapped(rows).unranked == ("focal",)
    assert mapped(rows, allow_different=("train.epochs",)).unranked == ()
    with pytest.raises(UsageError, match=r"no two losses of a cell are alike: train\.epochs; `allow_different`"):
        mapped([each for each in rows if each["loss"] in {CE, "focal"}])


def imbalanced(ratios: tuple[Any, ...] = (None, 10, 100)) -> list[dict[str, Any]]:
    """A study in which a third key varies."""
    return [{**each, RATIO: ratio, "data.imbalance.type": ratio and "step"} for each in study() for ratio in ratios]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (("data.label_noise.rat",), "no run has the key 'data.label_noise.rat'; did you mean 'data.label_noise.rate'?"),
        ((RATE, "data.train_siz"), "no run has the key 'data.train_siz'; did you mean 'data.train_size'?"),
        (("model.name",), "model.name is mlp in all of these runs; these vary: data.label_noise.rate, data.label"),
        ((RATE, SIZE, "model.name"), "expected one or two keys, got 3: data.label_noise.rate, data.train_size, model."),
        ((RATE, RATE), "data.label_noise.rate is named twice"),
        (("loss",), "loss distinguishes the losses; choose a key such as data.label_noise.rate"),
        (("seed",), "seed is no setting, so it makes no conditions"),
    ],
)
def test_keys_that_make_no_map_are_refused(keys: tuple[str, ...], message: str) -> None:
    """Unknown, constant, three, twice, or the losses themselves; the error names the parameter."""
    with pytest.raises(UsageError) as error:
        mapped(study(), keys)
    assert error.value.parameter == "map"
    assert message in str(error.value)


def test_a_further_key_that_varies_is_refused_with_a_condition_that_works() -> None:
    """A cell is one condition: nothing is averaged over imbalance; its value can be selected, or be a key."""
    with pytest.raises(UsageError) as error:
        mapped(imbalanced())
    assert str(error.value) == (
        "map: data.imbalance.ratio varies within a cell (none, 10, 100), and a cell is one condition; select one, e.g. "
        '`where` "data.imbalance.ratio==10"'
    )
    mapped([each for each in imbalanced() if each[RATIO] == 10])
    with pytest.raises(UsageError, match="or add it to the keys of the map"):
        mapped([each for each in imbalanced() if each[SIZE] is None], (RATE,))
    mapped([each for each in imbalanced() if each[SIZE] is None], (RATE, RATIO))


def test_a_further_kind_of_the_same_section_keeps_the_cell_in_which_it_is_off() -> None:
    """Clean labels have no kind of noise, so the condition excludes the other kind and keeps them."""
    rows = study() + [{**each, "data.label_noise.type": "pairflip"} for each in study() if each[RATE]]
    with pytest.raises(UsageError, match=r"e\.g\. `where` \"data\.label_noise\.type!='symmetric'\"$"):
        mapped(rows)
    assert mapped([each for each in rows if each["data.label_noise.type"] != "symmetric"]).axes[0] == RATES


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (study(losses=(CE,)), f"a map needs two losses or more; these runs have only {CE}"),
        ([{**each, "link": "sigmoid"} for each in study(metric="nll")], "results of two losses that NLL can rank"),
    ],
)
def test_a_map_needs_two_losses(rows: list[dict[str, Any]], message: str) -> None:
    """One alone is no comparison."""
    with pytest.raises(UsageError) as error:
        mapped(rows, metric_names=("nll",))
    assert message in str(error.value)


@pytest.mark.parametrize("others", [{"pivot": RATE}, {"images": True}, {"unpaired": True}])
def test_what_a_map_cannot_be_combined_with_is_refused(others: dict[str, Any]) -> None:
    """The error names all of them."""
    with pytest.raises(UsageError, match="choose `map`, or else `pivot`, `images` or `unpaired`") as error:
        mapped(study(), **others)
    assert error.value.parameter == "map"
