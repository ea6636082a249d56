"""What every form says in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fabricate import row

from lossbench.analysis import gate
from lossbench.analysis.comparison import compare
from lossbench.analysis.filter import filter_groups
from lossbench.analysis.query import Answer, Query
from lossbench.analysis.result import Baseline, Choice, Comparison
from lossbench.analysis.tune import tune
from lossbench.report import formats, wording
from lossbench.report.comparison import columns, footnotes
from lossbench.report.gate_sentences import gate_sentence

CE = "categorical_crossentropy"
BASE = (0.90, 0.92, 0.94, 0.96)


def runs(loss: str, *accuracies: float | None, **others: Any) -> list[dict[str, Any]]:
    return [row(loss, seed, accuracy, **others) for seed, accuracy in enumerate(accuracies)]


def comparison(rows: list[dict[str, Any]], **query: Any) -> Comparison:
    return compare(rows, Query(**query))


def notes(rows: list[dict[str, Any]], **query: Any) -> list[str]:
    return list(footnotes.notes(comparison(rows, **query)))


def test_the_title_says_what_all_runs_share() -> None:
    """Data, model, epochs, seeds, metric, baseline; noise and imbalance where all have them."""
    assert wording.comparison_title(comparison(runs(CE, 0.9, 0.8))) == (
        "mnist · mlp · 5 epochs · seeds 0–1 · test accuracy, last epoch · baseline categorical_crossentropy"
    )
    noisy = {"data__label_noise__type": "pair", "data__label_noise__rate": 0.2, "train__epochs": 1}
    best = {"test__best__accuracy": 0.9}
    assert wording.comparison_title(comparison(runs("focal", 0.9, **noisy, **best), at="best")) == (
        "mnist · label noise pair 0.2 · mlp · 1 epoch · seed 0 · test accuracy, best epoch"
    )


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([{}], [""]),
        (
            [{"data.label_noise.type": None, "data.label_noise.rate": None, "data.label_noise.include_self": None},
             {"data.label_noise.type": "pair", "data.label_noise.rate": 0.2, "data.label_noise.include_self": False}],
            ["data.label_noise none", "data.label_noise.rate 0.2 · data.label_noise pair"],
        ),
        ([{"data.train_size": None}, {"data.train_size": 1000}], ["data.train_size none", "data.train_size 1000"]),
        ([{"optimizer.nesterov": False}, {"optimizer.nesterov": True}],
         ["optimizer.nesterov false", "optimizer.nesterov true"]),
        ([{"model.name": "linear", "model.hidden": None}, {"model.name": "mlp", "model.hidden": "[256]"}],
         ["model linear", "model.hidden [256] · model mlp"]),
    ],
)  # fmt: skip
def test_conditions(conditions: list[dict[str, Any]], expected: list[str]) -> None:
    """A block's title tells what applies to it and is not simply switched off."""
    rows = [row("focal", 0, 0.9, **{key.replace(".", "__"): value for key, value in each.items()})
            for each in conditions]  # fmt: skip
    everything = comparison(rows)
    assert expected == [wording.condition(everything, block) for block in everything.blocks]


def remarks(rows: list[dict[str, Any]], loss: str = "focal", **query: Any) -> list[str]:
    everything = comparison(rows, **query)
    (group,) = [group for block in everything.blocks for group in block.groups if group.label == loss]
    return list(footnotes.remarks(everything, group))


def test_remarks_on_a_row() -> None:
    """What has no result, what is not paired, what these seeds could show and how many more it takes."""
    long = [0.90 + number / 100 for number in range(8)]
    mixed = [
        value + shift for value, shift in zip(long, (1e-3, -2e-3, 3e-3, -4e-3, 5e-3, -6e-3, 7e-3, 8e-3), strict=True)
    ]
    assert remarks(runs(CE, *long) + runs("focal", *mixed)) == [
        "8 seeds would show 0.60 pp; 0.15 pp needs about 87 more"
    ]
    assert remarks(runs(CE, *BASE) + runs("focal", *(value + 0.01 for value in BASE[:3]), 0.99)) == [
        "4 seeds cannot show a difference; 1.50 pp needs about 3 more"
    ]
    assert remarks(runs(CE, *BASE) + runs("focal", 0.901, None, 0.89)) == ["n 2 + 1 diverged, never better"]
    assert remarks(runs("focal", 0.9, None), baseline=None) == ["n 1 + 1 diverged"]
    apart = [row("focal", seed + 9, 0.9) for seed in (0, 1)]
    assert remarks(runs(CE, *BASE) + apart) == ["no seed in common: not paired, Welch's test"]
    assert remarks(runs(CE, *BASE) + runs("focal", *BASE), unpaired=True) == ["not paired, Welch's test"]
    assert remarks(runs(CE, *BASE) + runs("focal", *BASE)) == []


def test_notes() -> None:
    """Too few seeds, what differs unseen, other seeds, averages, double meanings, copies, versions."""
    assert notes(runs("focal", 0.9)) == ["no differences: there is only one loss"]
    assert notes(runs("focal", 0.9) + runs("brier", 0.9)) == [
        "no differences: no run has categorical_crossentropy with its defaults; choose another baseline"
    ]
    rows = runs(CE, *BASE, head="linear") + runs("ldam", *BASE[:3], head="cosine", lossbench="0.2.0")
    rows += [rows[0] | {"folder": "z"}, *runs("mine\n", *BASE, settings="a", head="linear")]
    rows += runs("mine\n", 0.5, settings="b", identity="b", head="linear")
    found = notes(rows)
    assert found[0] == "no verdict is possible below 6 seeds"
    assert found[1].startswith("means over seeds other than 0–3: ldam (seeds 0–2); mine #")
    assert found[2].startswith("differs between losses: head cosine (ldam), linear (categorical_crossentropy, mine #")
    assert found[3:] == [
        "mine has different settings, each with a suffix of its own",
        "counted once: z is the same trial as categorical_crossentropy-0-0.9",
        "runs of several versions of lossbench: 0.1.0, 0.2.0",
    ]
    named = runs("focal g=1", 0.9, loss__gamma=1) + runs("focal g=2", 0.9, loss__gamma=2)
    assert "focal: several runs of one condition and seed, averaged first" in notes(named, by=("loss.name",))


def test_what_was_tuned_is_said() -> None:
    """Value, how many were tried, by what, and that an unequal budget is an advantage."""
    rows = [row("focal", 0, 0.9, lr=lr, val__last__accuracy=lr) for lr in (0.1, 0.2)] + [
        row(CE, 0, 0.9, lr=0.1, val__last__accuracy=0.1)
    ]
    kept, choices = tune(rows, Query(tune="lr"))
    assert list(footnotes.notes(replace(comparison(kept), tuned=choices)))[-4:] == [
        "tuned: categorical_crossentropy: lr 0.1, the only value (1 run)",
        "tuned: focal: lr 0.2, best of 2 by val.last.accuracy (2 runs)",
        "focal: lr is best at 0.2, the largest value tried: widen the grid",
        "tuned with different budgets: a loss that was tried more often has an advantage",
    ]


@pytest.mark.parametrize(
    ("tried", "best", "warnings"),
    [
        ((0.1, 0.5, 0.9), 0.9, ["focal: loss.q is best at 0.9, the largest value tried: widen the grid"]),
        ((0.1, 0.5, 0.9), 0.1, ["focal: loss.q is best at 0.1, the smallest value tried: widen the grid"]),
        ((0.1, 0.5, 0.9), 0.5, []),
        ((0, 1, 2), 2, ["focal: loss.q is best at 2, the largest value tried: widen the grid"]),
        ((0, 1, 2), 0, []),
        ((0.5,), 0.5, []),
        (("adam", "sgd"), "sgd", []),
        ((None, 0.1), None, []),
        ((None, 0.1, 0.2), 0.1, []),
        ((None, 0.1, 0.2), 0.2, ["focal: loss.q is best at 0.2, the largest value tried: widen the grid"]),
        ((False, True), True, []),
    ],
)
def test_the_end_of_a_tuned_grid_is_warned_of(tried: tuple[Any, ...], best: object, warnings: list[str]) -> None:
    """Among two numbers or more; nothing lies below zero, and words have no ends."""
    choice = Choice("focal", {}, "loss.q", best, tried, 3, "val.last.accuracy", 0.9)
    notes = list(footnotes.notes(replace(comparison(runs("focal", *BASE)), tuned=(choice,))))
    assert [note for note in notes if "widen" in note] == warnings


def test_tuned_values_are_sorted_one_to_a_line() -> None:
    """By loss, whatever the order in which they were chosen; warnings stand together behind them."""
    choices = tuple(
        Choice(label, {}, "lr", value, (0.1, 0.2, 0.3), 3, "val.last.accuracy", 0.9)
        for label, value in (("z", 0.3), ("a", 0.2), ("m", 0.1))
    )
    lines = list(footnotes.tuning_notes(replace(comparison(runs("focal", *BASE)), tuned=choices)))
    assert [line.partition(":")[2].split(":")[0].strip() for line in lines[:3]] == ["a", "m", "z"]
    assert [line.split(":")[0] for line in lines[3:]] == ["m", "z"]
    assert not any("\n" in line for line in lines)


def test_latex_has_the_tuned_values_as_comments_behind_the_float() -> None:
    """One line each; the float itself says only whether the budgets were equal."""
    choices = tuple(
        Choice(label, {}, "lr", 0.3, (0.1, 0.2, 0.3)[:count], count, "val.last.accuracy", 0.9)
        for label, count in (("z", 3), ("a_b", 2))
    )
    found = Answer(replace(comparison(runs("focal", *BASE)), tuned=choices))
    inside, _, behind = formats.comparison_text(found, "latex", to_stdout=False).partition("\\end{table}\n")
    assert "tuned:" not in inside
    assert "tuned with different budgets" in inside
    lines = behind.splitlines()
    assert all(line.startswith("% ") for line in lines)
    assert [line[:12] for line in lines[:2]] == ["% tuned: a_b", "% tuned: z: "]


def test_what_a_stored_baseline_lacks_now_is_said() -> None:
    """A loss that is gone is not passed over."""
    found = compare(runs("focal", *BASE), Query(), Baseline("main.json", runs("gone", *BASE) + runs("focal", *BASE)))
    assert "in main.json but without a run now: gone" in list(footnotes.notes(found))
    assert wording.comparison_title(found).endswith("baseline main.json")


def test_the_legend_explains_what_occurs() -> None:
    """Marks, columns and remarks; nothing that is not there."""
    alone = list(footnotes.legend(comparison(runs(CE, *BASE))))
    assert alone == [
        "↑ higher is better, ↓ lower is better",
        "± standard deviation over seeds; [ ] 95 % interval, not adjusted for the number of comparisons",
    ]
    rows = runs(CE, *BASE) + runs("focal", *BASE, None) + runs("hinge", *BASE, link="none")
    found = list(footnotes.legend(comparison(rows, rope="0.1pp", confidence=0.9)))
    assert found == [
        "* best mean, without losses with diverged runs",
        "† the loss trains no softmax probabilities, or does not declare them, so this is never marked best",
        "↑ higher is better, ↓ lower is better",
        "± standard deviation over seeds; [ ] 90 % interval, not adjusted for the number of comparisons",
        (
            "p: sign-flip test of the paired differences, adjusted by max-T for 2 comparisons; "
            "won: seeds in which the loss did better"
        ),
        "equivalent: the whole interval of the difference lies between −0.10 pp and +0.10 pp",
    ]


@pytest.mark.parametrize(
    ("link", "scaled", "expected"),
    [("softmax", 0.4, 4), ("none", 0.4, 6), ("sigmoid", 0.4, 6), ("none", None, 4)],
)
def test_scaled_metrics_are_shown_beside_a_loss_without_softmax(link: str, scaled: float | None, expected: int) -> None:
    """Where there are any; they carry no dagger, and a line says what they are."""
    tested = {"test__last__nll_scaled": scaled, "test__last__ece_scaled": scaled}
    everything = comparison(runs(CE, *BASE, **tested) + runs("other", *BASE, link=link, **tested))
    metrics = columns.shown_metrics(everything)
    assert len(metrics) == expected
    explained = any(line.startswith("scaled: ") for line in footnotes.legend(everything))
    assert explained == (expected == 6)
    (other,) = [group for group in everything.blocks[0].groups if group.label == "other"]
    assert {columns.value_mark(other, metric) for metric in metrics[4:]} <= {"", "*"}


def test_rows_that_are_not_shown_are_counted() -> None:
    """Below the table."""
    everything = filter_groups(comparison(runs(CE, *BASE) + runs("a", *BASE) + runs("b", *BASE)), top=1)
    assert footnotes.left_out_line(everything.blocks[0]) == "1 more not shown"


@pytest.mark.parametrize(
    ("ours", "text", "expected"),
    [
        ([value - 0.01 - number / 1e4 for number, value in enumerate(BASE)], "delta.accuracy < -0.2pp",
         ("focal (rate 0.2): accuracy −1.01 pp (95 % interval [−1.04, −0.99]) against categorical_crossentropy "
         "over 4 seeds, wholly beyond the threshold: delta.accuracy < -0.2pp")),
        (BASE, "delta.accuracy < -0.2pp",
         ("focal (rate 0.2): accuracy 0.00 pp (95 % interval [0.00, 0.00]) against categorical_crossentropy "
         "over 4 seeds, wholly within the threshold: delta.accuracy < -0.2pp")),
        ((0.89, 0.93, 0.93, 0.965), "delta.accuracy < -0.2pp",
         ("focal (rate 0.2): undecided, accuracy −0.12 pp (95 % interval [−1.77, +1.52]) against "
         "categorical_crossentropy over 4 seeds, too noisy: on both sides of the threshold: delta.accuracy < -0.2pp")),
        ((0.8, 0.9), "delta.accuracy < -0.2pp",
         ("focal (rate 0.2): undecided, accuracy −6.00 pp (95 % interval [−56.82, +44.82]) against "
         "categorical_crossentropy over 2 seeds, fewer than the 3 needed: delta.accuracy < -0.2pp")),
        ((0.8, None), "delta.accuracy < -0.2pp",
         "focal (rate 0.2): 1 run diverged, which fails every threshold: delta.accuracy < -0.2pp"),
        ((0.8,), "nll > 0.2",
         "focal (rate 0.2): undecided, NLL 0.1000 over 1 seed, fewer than the 3 needed: nll > 0.2"),
        ((0.8, 0.8, 0.8, None), "nll > 0.2",
         "focal (rate 0.2): 1 run diverged, which fails every threshold: nll > 0.2"),
        ((None,), "nll > 0.2", "focal (rate 0.2): 1 run diverged, which fails every threshold: nll > 0.2"),
        ((None, None, 0.8), "diverged > 1", "focal (rate 0.2): 2 runs diverged: diverged > 1"),
        ((0.8, 0.8), "failed > 0", "focal (rate 0.2): 0 runs failed: failed > 0"),
    ],
)  # fmt: skip
def test_the_gate_says_it_in_a_sentence(ours: Any, text: str, expected: str) -> None:
    """Which loss, by how much, the interval, the threshold."""
    rows = [each for rate in (0.2, 0.4) for each in runs(CE, *BASE, rate=rate)] + runs("focal", *ours, rate=0.2)
    gate_results = gate.judge(compare(rows, Query(thresholds=(text,))))
    (result,) = [each for each in gate_results if each.label == "focal"]
    assert gate_sentence(result, 0.95) == expected


def test_a_loss_without_a_pair_is_said_to_have_none() -> None:
    """Of the baseline in the runs, and of a stored one."""
    stored = Baseline("main.json", runs("focal", *BASE) + runs("gone", *BASE))
    rows = runs("focal", *BASE) + runs("new", *BASE)
    found = gate.judge(compare(rows, Query(thresholds=("delta.accuracy < 0",)), stored))
    said = {result.label: gate_sentence(result, 0.95) for result in found}
    assert said["new"] == "new: undecided, not in the baseline in this condition: delta.accuracy < 0"
    assert said["gone"] == "gone: missing evidence, no run: the runs of main.json are required"
