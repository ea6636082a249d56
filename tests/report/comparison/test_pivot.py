"""A comparison as losses × values of one key, with display names, in every format."""

from __future__ import annotations

import csv
import io
import json
import re
import statistics
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fabricate import row
from rich.console import Console

from lossbench.analysis import names, pivot
from lossbench.analysis.comparison import compare
from lossbench.analysis.filter import filter_groups
from lossbench.analysis.query import Answer, Query
from lossbench.cli.query import label_readings
from lossbench.errors import UsageError
from lossbench.report import formats

if TYPE_CHECKING:
    from collections.abc import Iterator

CE, RATE, KIND = "categorical_crossentropy", "data.label_noise.rate", "data.label_noise.type"
SEEDS = range(8)


def runs(
    loss: str, mean: float, rate: float | None, kind: str = "symmetric", **others: Any
) -> Iterator[dict[str, Any]]:
    """Eight runs around a mean; a rate of None stands for clean labels."""
    noise = {} if rate is None else {"data__label_noise__rate": rate, "data__label_noise__type": kind}
    for seed in SEEDS:
        yield row(loss, seed, mean + seed / 1e4 + hash((loss, seed)) % 7 / 1e5, **noise, **others)


STUDY = [
    each
    for rate, fall in ((None, 0.0), (0.2, 0.1), (0.4, 0.2))
    for loss, mean in ((CE, 0.9 - fall), ("focal", 0.85 - fall), ("robust", 0.91 - fall / 4))
    for each in runs(loss, mean, rate)
]


def answered(rows: list[dict[str, Any]], labels: tuple[str, ...] = (), **query: Any) -> Answer:
    """The answer to a pivot over the noise rate."""
    asked = Query(
        **{"pivot": RATE, "metric_names": ("accuracy",), "labels": tuple(map(label_readings, labels)), **query}
    )
    if asked.pivot:
        pivot.check(rows, asked, asked.pivot)
    comparison = compare(rows, asked)
    return Answer(comparison, names=names.choose(asked.labels, comparison))


def text(answer: Answer, form: str) -> str:
    """A format as it is written to a file."""
    return formats.comparison_text(answer, form, to_stdout=False)


def printed(answer: Answer, width: int) -> list[str]:
    """The lines on a terminal of a width."""
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(formats.comparison_content(answer, "table"), crop=False)
    return [line.rstrip() for line in capture.get().splitlines()]


def mean(loss: str, rate: float | None) -> float:
    """The mean of a cell, by the standard library."""
    return statistics.fmean(
        each["test.last.accuracy"] for each in STUDY if (each["loss"], each.get(RATE)) == (loss, rate)
    )


def test_each_cell_is_the_mean_of_one_loss_at_one_value() -> None:
    """A row per loss, a column per value in order, clean labels first; the best of each column has a star."""
    lines = printed(answered(STUDY), 100)
    head = next(line for line in lines if line.startswith("loss"))
    assert head.split() == ["loss", "none", "0.2", "0.4"]
    for loss in ("focal", "robust"):
        cells = next(line for line in lines if line.startswith(loss))
        assert re.findall(r"([0-9.]+) ±", cells) == [f"{100 * mean(loss, rate):.2f}" for rate in (None, 0.2, 0.4)]
    assert next(line for line in lines if line.startswith("robust")).count("*") == 3
    assert next(line for line in lines if line.startswith(CE)).startswith(f"{CE} (baseline)")


def test_verdicts_against_the_baseline_are_marks() -> None:
    """Plus and minus with nine pairs or more; the legend says against what, in which metric, adjusted for how many."""
    found = printed(answered(STUDY), 100)
    assert next(line for line in found if line.startswith("robust")).count("* +") == 3
    assert next(line for line in found if line.startswith("focal")).count("−") == 3
    assert not any(re.search("[0-9][−+=≠]", line) for line in found)
    legend = " ".join(" ".join(found).split())
    assert f"+ better than {CE} in accuracy, − worse, = equivalent or identical" in legend
    assert "adjusted for 6 comparisons" in legend


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_cell_is_cut_at_any_width(width: int) -> None:
    """Where the columns do not fit, they continue below; every number is there, whole."""
    lines = printed(answered(STUDY), width)
    assert max(map(len, lines)) <= width
    cells = [value for line in lines for value in re.findall(r"([0-9.]+) ± 0\.0[0-9]", line)]
    assert sorted(cells) == sorted(
        f"{100 * mean(loss, rate):.2f}" for loss in (CE, "focal", "robust") for rate in (None, 0.2, 0.4)
    )


def test_other_conditions_are_tables_of_their_own_and_clean_labels_belong_to_each() -> None:
    """Nothing is averaged over models or kinds of noise: a table each, in which the clean labels are a column."""
    rows = [
        each
        for model, shift in (("mlp", 0.0), ("cnn", 0.02))
        for rate, kind in ((None, ""), (0.2, "symmetric"), (0.4, "symmetric"), (0.2, "pairflip"))
        for loss in (CE, "focal")
        for each in runs(
            loss, 0.9 + shift - (rate or 0) / 10 - (kind == "pairflip") / 50, rate, kind, model__name=model
        )
    ]
    tables = pivot.pivot_tables(answered(rows).comparison)
    assert [(each.condition["model.name"], each.condition[KIND], each.values) for each in tables] == [
        ("cnn", "pairflip", (None, 0.2)),
        ("mlp", "pairflip", (None, 0.2)),
        ("cnn", "symmetric", (None, 0.2, 0.4)),
        ("mlp", "symmetric", (None, 0.2, 0.4)),
    ]
    groups = [group for table in tables for each in table.rows for group in each.groups.values()]
    assert {group.n for group in groups} == {len(SEEDS)}
    means = {group.metrics["accuracy"].mean for table in tables[:2] for group in [table.rows[0].groups[0.2]]}
    assert len(means) == 2
    shown = text(answered(rows), "markdown")
    assert shown.count("| loss | none | 0.2 | 0.4 |") == shown.count("| loss | none | 0.2 |\n") == 2


def test_a_key_that_is_none_without_a_section_that_is_off_joins_no_other_table() -> None:
    """All images of one data set are not a column of another data set's table."""
    rows = [
        row(loss, seed, 0.9 + seed / 1e3, data__name=name, data__train_size=size)
        for name in ("mnist", "fashion_mnist")
        for size in (None, 1000)
        for loss in (CE, "focal")
        for seed in SEEDS
    ]
    tables = pivot.pivot_tables(answered(rows, pivot="data.train_size").comparison)
    assert [(each.condition, each.values) for each in tables] == [
        ({"data.name": "fashion_mnist"}, (None, 1000)),
        ({"data.name": "mnist"}, (None, 1000)),
    ]


def test_a_cell_without_runs_is_a_dash_and_a_cell_with_fewer_is_named() -> None:
    """A dash in every format for readers, n 0 in those for programs; a diverged run is in the footnote."""
    rows = [each for each in STUDY if (each["loss"], each.get(RATE)) != ("robust", 0.4)]
    rows.append(row("focal", 9, None, data__label_noise__rate=0.4, data__label_noise__type="symmetric"))
    found = answered(rows)
    lines = printed(found, 120)
    assert next(line for line in lines if line.startswith("robust")).split()[-1] == "-"
    assert f"n 8; focal (data.label_noise symmetric · {RATE} 0.4): 8 + 1 diverged" in lines or any(
        "focal" in line and line.startswith("n 8; ") and line.endswith(": 8 + 1 diverged") for line in lines
    )
    (cell,) = [
        cell
        for line in json.loads(text(found, "json"))["rows"]
        for cell in line["cells"]
        if (line["loss"], cell["value"]) == ("robust", 0.4)
    ]
    assert (cell["n"], cell["mean"], cell["verdict"]) == (0, None, None)


def test_csv_and_json_have_every_number_unrounded() -> None:
    """A line per loss, columns per value; the records are those of the JSON."""
    (line,) = [each for each in csv.DictReader(io.StringIO(text(answered(STUDY), "csv"))) if each["loss"] == "robust"]
    for rate in (None, 0.2, 0.4):
        assert float(line[f"{'none' if rate is None else rate}_mean"]) == pytest.approx(mean("robust", rate), rel=1e-15)
    assert (line["0.4_n"], line["0.4_best"], line["0.4_verdict"]) == ("8", "True", "better")
    found = json.loads(text(answered(STUDY), "json"))
    assert (found["pivot"], found["baseline"], len(found["rows"])) == (RATE, CE, 3)
    lines = [json.loads(each) for each in text(answered(STUDY), "jsonl").splitlines()]
    assert lines == found["rows"]


HOSTILE = "A_b & 50 % $x$ #1 {y} ~ ^ \\ γ|*"


@pytest.mark.parametrize("key", [RATE, None])
def test_latex_is_balanced_and_has_a_cell_for_each_column(key: str | None) -> None:
    """Braces and environments balance, every row fits its tabular, special characters of names are escaped."""
    found = replace(
        answered(STUDY, (f"robust={HOSTILE}",), pivot=key), caption=f"On {HOSTILE}", latex_label="tab:noise"
    )
    shown = text(found, "latex")
    assert shown.isascii()
    bare = re.sub(r"\\[\\{}$&#%_]", "", shown)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert shown.count(r"\begin{") == shown.count(r"\end{")
    for letters, body in re.findall(r"begin\{tabular\}\{([lr]+)\}(.*?)\\end\{tabular\}", shown, re.DOTALL):
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        for line in rows:
            spans = [int(count) - 1 for count in re.findall(r"\\multicolumn\{(\d+)\}", line)]
            assert len(re.split(r"(?<!\\)&", line)) + sum(spans) == len(letters)
    assert (
        r"\caption{On A\_b \& 50 \% \$x\$ \#1 \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{} $\gamma$"
        in shown
    )
    assert "\n\\label{tab:noise}\n" in shown
    assert shown.index(r"\caption") < shown.index(r"\label")


def test_latex_names_the_key_above_its_values_and_marks_verdicts() -> None:
    """The key spans the columns; the best is bold and a verdict is a superscript."""
    shown = text(answered(STUDY), "latex")
    assert r" & \multicolumn{3}{c}{data.label\_noise.rate} \\" in shown
    assert "\nloss & none & 0.2 & 0.4 \\\\\n" in shown
    cell = rf"\textbf{{{100 * mean('robust', 0.4):.2f} $\pm$"
    (line,) = [line for line in shown.splitlines() if line.startswith("robust")]
    assert cell in line
    assert line.count(r"\textsuperscript{+}") == 3


def test_names_are_for_readers_and_labels_for_programs() -> None:
    """Tables, Markdown and LaTeX show the name everywhere, the baseline's too; CSV and JSON have both."""
    found = answered(STUDY, ("robust=Ours", "ce=Cross-entropy"))
    for form in ("table", "markdown", "latex"):
        shown = text(found, form)
        assert "Ours" in shown
        assert "Cross-entropy (baseline)" in shown
        assert not re.search("robust|categorical", shown)
    for line in csv.DictReader(io.StringIO(text(found, "csv"))):
        assert (line["loss"], line["display_name"]) in {("robust", "Ours"), (CE, "Cross-entropy"), ("focal", "focal")}
    assert {each["display_name"] for each in json.loads(text(found, "json"))["rows"]} == {
        "Ours", "Cross-entropy", "focal",
    }  # fmt: skip
    assert "display_name" not in text(answered(STUDY), "csv")
    assert "display_name" not in text(answered(STUDY, pivot=None), "json")


@pytest.mark.parametrize("form", formats.FORMATS)
def test_every_format_has_names_as_it_should(form: str) -> None:
    """Without a pivot too: a format for readers has the name and not the label, any other keeps the label."""
    shown = text(answered(STUDY, ("robust=Ours", f"{CE}=CE"), pivot=None), form)
    if formats.FORMATS[form].writers().shows_names:
        assert "Ours" in shown
        assert not re.search("robust|categorical", shown)
    elif shown:
        assert "robust" in shown


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("focal gamma=5=Ours", {"focal gamma=5": "Ours"}),
        ("focal gamma=5=Focal, γ=5", {"focal gamma=5": "Focal, γ=5"}),
        ("focal=Focal, γ=2", {"focal": "Focal, γ=2"}),
        ("gce = GCE ", {"generalized_crossentropy": "GCE"}),
    ],
)
def test_a_label_with_equals_signs_is_found(given: str, expected: dict[str, str]) -> None:
    """The longest label that exists; aliases are understood."""
    rows = [row(loss, 0, 0.9) for loss in ("focal", "focal gamma=5", "generalized_crossentropy")]
    assert names.choose((label_readings(given),), compare(rows, Query())) == expected


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("robst=Ours",), "no group 'robst'; did you mean 'robust'?"),
        (("nothing=Ours",), f"no group 'nothing'; there are {CE}, focal, robust"),
        (("robust=A", "robust=B"), "'robust' has two names: 'A' and 'B'"),
        (("robust=focal",), "two groups would be called 'focal'"),
        (("robust",), "expected LOSS=NAME, e.g. my_robust=Ours, got 'robust'"),
        (("robust=",), "expected LOSS=NAME"),
        (("=Ours",), "expected LOSS=NAME"),
    ],
)
def test_a_wrong_label_is_refused(labels: tuple[str, ...], message: str) -> None:
    """The error names the option's parameter."""
    with pytest.raises(UsageError) as error:
        answered(STUDY, labels)
    assert error.value.parameter == "labels"
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"pivot": "data.label_noise.rat"}, "did you mean 'data.label_noise.rate'?"),
        ({"pivot": "seed"}, "seed is no setting, so it makes no conditions; choose a key such as"),
        ({"pivot": "test.last.nll"}, "test.last.nll is no setting"),
        ({"pivot": "loss"}, "loss distinguishes the losses"),
        ({"pivot": "loss.gamma"}, "loss.gamma distinguishes the losses"),
        ({"pivot": RATE, "by": (RATE,)}, f"{RATE} distinguishes the losses"),
        ({"pivot": RATE, "tune": RATE}, f"{RATE} is tuned"),
    ],
)
def test_a_key_that_makes_no_columns_is_refused(query: dict[str, Any], message: str) -> None:
    """Misspelt, no key of a configuration, the rows' own, or tuned."""
    with pytest.raises(UsageError) as error:
        answered(STUDY, **query)
    assert error.value.parameter == "pivot"
    assert message in str(error.value)


@pytest.mark.parametrize("form", [name for name, each in formats.FORMATS.items() if not each.writers().pivot])
def test_a_format_without_a_pivot_says_which_have_one(form: str) -> None:
    """Gate formats list results, not cells."""
    with pytest.raises(
        UsageError, match=f"expected table, markdown, csv, json, jsonl or latex for a pivot, got {form}"
    ):
        text(answered(STUDY), form)


@pytest.mark.parametrize("form", [name for name in formats.FORMATS if name != "latex"])
@pytest.mark.parametrize("parameter", ["caption", "latex_label"])
def test_only_latex_has_a_caption_and_a_label(form: str, parameter: str) -> None:
    """An option that would do nothing is an error."""
    with pytest.raises(UsageError, match="only the format latex has one") as error:
        text(replace(answered(STUDY), **{parameter: "x"}), form)
    assert error.value.parameter == parameter


@pytest.mark.parametrize("label", ["", "a b", "a}b", "tab:é", "a\nb"])
def test_a_label_that_latex_cannot_use_is_refused(label: str) -> None:
    """Letters, digits and a few signs."""
    with pytest.raises(UsageError, match=r"e\.g\. tab:noise"):
        text(replace(answered(STUDY), latex_label=label), "latex")


def test_a_row_that_is_shown_is_complete() -> None:
    """`--top` and `--only-changed` choose per condition; a loss that one of them shows is in every column."""
    comparison = answered(STUDY).comparison
    for chosen in (filter_groups(comparison, top=1), filter_groups(comparison, only_changed=True)):
        (table,) = pivot.pivot_tables(chosen)
        assert all(tuple(each.groups) == table.values for each in table.rows)
    by_name = pivot.pivot_tables(filter_groups(comparison, sort="loss"))[0]
    assert [each.label for each in by_name.rows] == [CE, "focal", "robust"]


def test_an_unfair_comparison_has_its_own_mark() -> None:
    """Other epochs than the baseline's: no verdict, and the footnote names the key with both values."""
    rows = [each if each["loss"] != "robust" else {**each, "train.epochs": 9} for each in STUDY]
    found = answered(rows)
    lines = printed(found, 120)
    assert next(line for line in lines if line.startswith("robust")).count("≠") == 3
    assert any("≠ not alike" in line for line in lines)
    assert any("robust (train.epochs 5 / 9)" in line for line in lines)
    (line,) = [each for each in json.loads(text(found, "json"))["rows"] if each["loss"] == "robust"]
    assert {cell["verdict"] for cell in line["cells"]} == {"not alike"}
