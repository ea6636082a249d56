"""The table for a terminal, as it is printed at any width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from fabricate import row
from rich.cells import cell_len
from rich.console import Console

from lossbench.analysis.comparison import compare
from lossbench.analysis.query import Query
from lossbench.report.comparison.table import ComparisonTable

if TYPE_CHECKING:
    from collections.abc import Sequence

CE = "categorical_crossentropy"
LONG = (
    CE, "focal gamma=5", "generalized_crossentropy q=0.5", "symmetric_crossentropy alpha=0.01",
    "1 normalized_crossentropy + 10 reverse_crossentropy", "phuber_generalized_crossentropy tau=20",
    "binary_focal_crossentropy apply_class_balancing=true", "normalized_generalized_crossentropy",
    "mean_squared_logarithmic_error", "a" * 60,
)  # fmt: skip


def printed(rows: Sequence[dict[str, Any]], width: int = 80, **query: Any) -> str:
    """What a terminal of that width shows, without blanks at the ends of lines."""
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(ComparisonTable(compare(rows, Query(**query))), crop=False)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def runs(loss: str, accuracies: Sequence[float | None], **others: Any) -> list[dict[str, Any]]:
    tested = {
        "test__last__nll": 0.0712, "test__last__brier": 0.0334, "test__last__ece": 0.5, **others,
    }  # fmt: skip
    return [row(loss, seed, accuracy, **tested) for seed, accuracy in enumerate(accuracies)]


BASE = [0.97 + number / 1000 for number in range(8)]
SMALL = [
    *runs(CE, BASE),
    *runs("focal gamma=5", [value + 0.002 - number / 1e4 for number, value in enumerate(BASE)]),
    *runs("hinge", [*(value - 0.001 + number % 3 / 1000 for number, value in enumerate(BASE)), None], link="none"),
    *runs("gce", BASE),
]


def test_the_table_to_the_letter() -> None:
    """At 80 columns intervals stand below their values, and the other metrics in a table of their own."""
    assert (
        printed(SMALL)
        == """\
mnist · mlp · 5 epochs · seeds 0–7 · test accuracy, last epoch ·
baseline categorical_crossentropy

                             accuracy % ↑          Δ pp ↑
loss                     n  95 % interval   95 % interval     p won verdict
─────────────────────────────────────────────────────────────────────────────
focal gamma=5            8   97.52 ± 0.22*          +0.17 0.008 8/8 better
                           [97.33, 97.70]  [+0.14, +0.19]
categorical_crossentropy 8   97.35 ± 0.24        baseline
                           [97.15, 97.55]
gce                      8   97.35 ± 0.24            0.00 1.000 0/8 identical
                           [97.15, 97.55]    [0.00, 0.00]
hinge                    8   97.34 ± 0.27           −0.01 1.000 2/8 undecided
                           [97.11, 97.56]  [−0.08, +0.06]
  n 8 + 1 diverged, never better

loss                                NLL ↓           Brier ↓             ECE ↓
──────────────────────────────────────────────────────────────────────────────
focal gamma=5             0.0712 ± 0.0000*  0.0334 ± 0.0000*  0.5000 ± 0.0000*
categorical_crossentropy  0.0712 ± 0.0000*  0.0334 ± 0.0000*  0.5000 ± 0.0000*
gce                       0.0712 ± 0.0000*  0.0334 ± 0.0000*  0.5000 ± 0.0000*
hinge                     0.0712 ± 0.0000†  0.0334 ± 0.0000†  0.5000 ± 0.0000†

* best mean, without losses with diverged runs
† the loss trains no softmax probabilities, or does not declare them, so this is
  never marked best
↑ higher is better, ↓ lower is better
± standard deviation over seeds; [ ] 95 % interval, not adjusted for the number
  of comparisons
p: sign-flip test of the paired differences, adjusted by max-T for 3
  comparisons; won: seeds in which the loss did better
8 to 9 seeds per loss without a recorded plan: if they were added until a
  difference became significant, verdicts are too frequent; train equal seeds,
  or let lossbench sweep --until-decided choose them
"""
    )


def test_the_wide_table_to_the_letter() -> None:
    """Where there is room everything that belongs to a loss stands in one row."""
    block = printed(SMALL, 170).split("\n\n")[1]
    assert (
        block
        == """\
loss                      n  accuracy % ↑    95 % interval    Δ pp ↑   95 % interval      p  won  verdict              NLL ↓           Brier ↓             ECE ↓
─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
focal gamma=5             8  97.52 ± 0.22*  [97.33, 97.70]     +0.17  [+0.14, +0.19]  0.008  8/8  better     0.0712 ± 0.0000*  0.0334 ± 0.0000*  0.5000 ± 0.0000*
categorical_crossentropy  8  97.35 ± 0.24   [97.15, 97.55]  baseline                                         0.0712 ± 0.0000*  0.0334 ± 0.0000*  0.5000 ± 0.0000*
gce                       8  97.35 ± 0.24   [97.15, 97.55]      0.00    [0.00, 0.00]  1.000  0/8  identical  0.0712 ± 0.0000*  0.0334 ± 0.0000*  0.5000 ± 0.0000*
hinge                     8  97.34 ± 0.27   [97.11, 97.56]     −0.01  [−0.08, +0.06]  1.000  2/8  undecided  0.0712 ± 0.0000†  0.0334 ± 0.0000†  0.5000 ± 0.0000†
  n 8 + 1 diverged, never better"""  # noqa: E501 - as wide as it is
    )


def test_scaled_metrics_stand_below_what_they_stand_for() -> None:
    """Beside a loss without softmax; a run that lacks them has a dash, and the line says whose they are."""
    scaled = {"test__last__nll_scaled": 0.0699, "test__last__ece_scaled": 0.2}
    text = printed(runs(CE, BASE, **scaled) + runs("hinge", BASE, link="none", **scaled) + runs("gce", BASE))
    others = text.split("\n\n")[2]
    assert (
        others
        == """\
                                    NLL ↓                               ECE ↓
loss                               scaled           Brier ↓            scaled
──────────────────────────────────────────────────────────────────────────────
categorical_crossentropy  0.0712 ± 0.0000*  0.0334 ± 0.0000*  0.5000 ± 0.0000*
                          0.0699 ± 0.0000*                    0.2000 ± 0.0000*
gce                       0.0712 ± 0.0000*  0.0334 ± 0.0000*  0.5000 ± 0.0000*
                               -                                   -
hinge                     0.0712 ± 0.0000†  0.0334 ± 0.0000†  0.5000 ± 0.0000†
                          0.0699 ± 0.0000*                    0.2000 ± 0.0000*"""
    )


def test_one_seed_has_neither_deviation_nor_interval() -> None:
    """Columns that would be empty are not there; beside means with a deviation the points stay in line."""
    alone = printed(runs(CE, [0.9]) + runs("focal", [0.95]))
    assert not re.search(r"±|interval", alone)
    lines = printed(runs(CE, [0.9]) + runs("focal", [0.95, 0.96])).splitlines()
    first, second = (next(line for line in lines if line.startswith(loss)) for loss in ("focal", CE))
    assert first.index(".") == second.index(".")


def test_ten_long_names_fit_80_columns() -> None:
    """Long labels are wrapped, in words where that is possible; no number is cut."""
    lines = printed([run for label in LONG for run in runs(label, [0.97, 0.98, None])]).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    numbers = re.compile(r"97\.50 ± 0\.71 +(0\.00 1\.000 0/2 undecided|baseline)$")
    assert sum(bool(numbers.search(line)) for line in lines) == len(LONG)
    end = next(line for line in lines if line.startswith("loss")).index(" n ")
    left = "".join(line[:end].strip() for line in lines).replace(" ", "")
    assert all(label.replace(" ", "") in left for label in LONG)


@pytest.mark.parametrize(
    "label", ["焦点损失", "γ = 5 的焦点损失，用于类别不平衡与标签噪声并存的情形，学习率较小，批次较大"]
)
def test_columns_stay_in_line_beside_chinese_labels(label: str) -> None:
    """A Chinese character fills two columns of a terminal."""
    lines = printed([run for loss in (CE, label) for run in runs(loss, [0.97, 0.98])]).splitlines()
    assert max(map(cell_len, lines)) <= 80
    places = {cell_len(line.partition("97.50 ±")[0]) for line in lines if "97.50 ±" in line}
    assert len(places) == 1
    assert re.sub(r"[^\u3000-\uffef]", "", label) in re.sub(r"[^\u3000-\uffef]", "", "".join(lines))


@pytest.mark.parametrize("width", [40, 80, 100, 120, 140, 200])
def test_nothing_is_lost_at_any_width(width: int) -> None:
    """Every number of the widest table is in every other, in however many tables."""
    rates = [{"data__label_noise__rate": rate} for rate in (0.2, 0.4)]
    rows = [
        run for rate in rates for loss in (CE, "focal", "gce") for run in runs(loss, BASE[: 3 + len(loss) % 3], **rate)
    ]
    numbers = re.compile(r"\d\.\d+|[a-z_]+|\d/\d")
    text = printed(rows, width)
    assert set(numbers.findall(printed(rows, 300))) - {"interval"} <= set(numbers.findall(text)) | {*CE.split("_")}
    if width >= 80:
        assert max(map(len, text.splitlines())) <= width


def test_a_block_for_each_condition() -> None:
    """Each has its title and its own losses."""
    rows = [
        run for rate in (0.2, 0.4) for loss in (CE, "focal") for run in runs(loss, BASE, data__label_noise__rate=rate)
    ]
    lines = printed(rows).splitlines()
    titles = [line for line in lines if line.startswith("data.")]
    assert titles == ["data.label_noise.rate 0.2", "data.label_noise.rate 0.4"]


def test_the_first_metric_carries_the_difference() -> None:
    """Asked for NLL first, its difference has no unit and accuracy stands behind; recall is in per cent."""
    text = printed(SMALL[:16], 170, metric_names=("nll", "accuracy", "recall.5"))
    assert re.search(r"NLL ↓ +95 % interval +Δ NLL ↓", text)
    assert "accuracy % ↑" in text
    assert [line for line in text.splitlines() if "recall of 5" in line] == ["no run has recall of 5"]
    given = [run | {"test.last.recall.5": 0.9} for run in SMALL[:16]]
    assert "recall of 5 % ↑" in printed(given, 170, metric_names=("recall.5", "accuracy"))
