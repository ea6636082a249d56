"""A loss map in every format: cells by block, losses below, the sentence that answers which loss is safest."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made_up_maps import CE, GAINS, RATE, SIZE, answered, study
from rich.console import Console

from lossbench.errors import UsageError
from lossbench.report import formats, next_step

if TYPE_CHECKING:
    from lossbench.analysis.query import Answer


def text(answer: Answer, form: str = "table") -> str:
    """A format as it is written to a file."""
    return formats.comparison_text(answer, form, to_stdout=False)


def printed(answer: Answer, width: int) -> list[str]:
    """The lines on a terminal of a width."""
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(formats.comparison_content(answer, "table"), crop=False)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_a_block_per_value_of_the_first_key_has_a_row_per_value_of_the_second() -> None:
    """The best mean, seeds, the regret of the best single loss, and the winner; all images come last."""
    lines = printed(answered(study()), 80)
    starts = [number for number, line in enumerate(lines) if line.startswith(f"{RATE} ")]
    assert [lines[number].split()[1] for number in starts] == ["0.0", "0.2", "0.4"]
    for number, winner, regret in zip(starts, ("focal", "generalized", "generalized"), (3.9, 0, 0), strict=True):
        assert lines[number + 1].split()[:2] == [SIZE, "accuracy"]
        rows = [
            re.fullmatch(r"(\S+) +[0-9.]+ ± 0\.0\d +8 +([0-9.]+)  (\w+?)(?:_crossentropy q=0\.7)?\*", line)
            for line in lines[number + 3 : number + 5]
        ]
        assert [(each[1], each[3]) for each in rows if each] == [("1000", winner), ("all", winner)]
        assert [float(each[2]) for each in rows if each] == pytest.approx([regret] * 2, abs=0.11)


def test_one_key_is_one_block() -> None:
    """Without a heading above it."""
    lines = printed(answered(study(sizes=(1000,)), map_keys=(RATE,)), 80)
    assert lines[3].startswith(f"{RATE} ")
    rows = [line.split()[0] for line in lines[5 : lines.index("", 4)] if not line.startswith(" ")]
    assert rows == ["0.0", "0.2", "0.4"]


def test_a_sentence_names_the_best_single_loss_and_the_safest() -> None:
    """Two sentences where they differ, one where they are the same, and one where a loss is best everywhere."""
    assert "The best single loss is also the safest: always using generalized_crossentropy q=0.7 costs" in flat(study())
    gains = {CE: (0, 0, 0), "focal": (2, 2, -3), "poly1": (-1, -1, 1)}
    shown = flat(study(gains))
    place = r"\(data\.label_noise\.rate 0\.[024] · data\.train_size (1000|all)\)"
    costs = rf"focal: always using it costs 1\.3\d pp on average, at most (3\.9\d|4\.0\d) pp {place}\."
    safest = rf"{CE}: it costs at most (1\.9\d|2\.0\d) pp {place}, 1\.[67]\d pp on average\."
    assert re.search(rf"The best single loss is {costs} The safest choice is {safest}", shown)
    assert "focal has the best mean in every cell." in flat(study({CE: (0, 0, 0), "focal": (2, 2, 2)}))


def flat(rows: list[dict[str, Any]], **query: Any) -> str:
    """The table at 80 columns in one line."""
    return " ".join(text(answered(rows, **query)).split())


def test_losses_are_ranked_over_all_cells() -> None:
    """In how many cells each may be best and is alone, mean rank, mean and worst regret with its place."""
    lines = printed(answered(study()), 140)
    (line,) = [line for line in lines if re.match("focal +\\d/6", line)]
    assert re.fullmatch(r"focal +2/6 +2/6 +2\.[03] +2\.\d\d +(3\.9\d|4\.0\d) +0\.[24] · (1000|all)", line)


def test_many_losses_are_named_by_those_that_are_left_out() -> None:
    """All of them with too few seeds; all but one or two; else a list."""
    assert f"{CE} and all 3 others" in flat(study(dict.fromkeys(GAINS, (0, 0, 0)) | {CE: (1, 1, 1)}, seeds=5))
    gains = dict.fromkeys(("a", "b", "c", "d"), (0, 0, 0)) | {"focal": (-5, -5, -5)}
    assert re.search(r"[abcd] and all others but focal", flat(study(gains)))
    assert re.search(
        r"8 0\.0\d (focal and poly1|poly1 and focal) ", flat(study({"focal": (0, 0, 0), "poly1": (0, 0, 0)}))
    )


@pytest.mark.parametrize("width", [36, 50, 64, 80, 120])
def test_no_number_and_no_name_is_cut_at_any_width(width: int) -> None:
    """Long names continue below themselves, narrow tables below each other."""
    lines = printed(answered(study()), width)
    assert max(map(len, lines)) <= width
    joined = re.sub(r"\s+", "", "".join(lines))
    assert joined.count("±0.0") == 6
    assert joined.count("generalized_crossentropyq=0.7*") == 4


def test_notes_say_what_is_missing_diverged_and_too_few() -> None:
    """With the cells, values only, as in the table of losses."""
    rows = [each for each in study() if (each["loss"], each[RATE], each[SIZE]) != ("brier", 0.2, None)]
    (gone,) = [each for each in rows if (each["loss"], each["seed"], each[RATE], each[SIZE]) == (CE, 3, 0.4, 1000)]
    gone |= {"status": "diverged", "test.last.accuracy": None}
    shown = " ".join(text(answered(rows)).split())
    assert "without brier: 0.2 · all" in shown
    assert f"{CE} has diverged runs and is never best, the last of its cell: 0.4 · 1000" in shown
    assert re.search(rf"{CE} 0/6 0/6 [0-9.]+ - diverged 0\.4 · 1000", shown)
    assert "below 6 seeds" not in shown
    assert "below 6 seeds no loss can be left out, so all may be best" in flat(study(seeds=5))
    assert "single best" not in shown


def test_a_loss_without_softmax_is_named_where_probabilities_rank() -> None:
    """As the footnote of other tables; for accuracy there is no such note."""
    rows = [{**each, "link": "sigmoid" if each["loss"] == "focal" else "softmax"} for each in study()]
    assert "not ranked (the loss trains no softmax probabilities): focal" in flat(rows, metric_names=("nll",))
    assert "not ranked" not in flat(rows)


def test_csv_has_a_line_per_cell_and_loss() -> None:
    """Every number unrounded; JSON lines are the same records."""
    rows = study()
    lines = list(csv.DictReader(io.StringIO(text(answered(rows), "csv"))))
    assert len(lines) == 24
    for line in lines:
        values = [
            each["test.last.accuracy"]
            for each in rows
            if (each["loss"], str(each[RATE]), str(each[SIZE] or "")) == (line["loss"], line[RATE], line[SIZE])
        ]
        assert float(line["mean"]) == pytest.approx(np.mean(values), rel=1e-15)
    assert sum(line["may_be_best"] == "True" for line in lines) == 6
    records = [json.loads(each) for each in text(answered(rows), "jsonl").splitlines()]
    assert [str(each["regret"]) for each in records] == [line["regret"] for line in lines]


def test_json_has_cells_losses_and_the_choice() -> None:
    """The keys, the set of each cell, the best single loss with its regrets."""
    found = json.loads(text(answered(study()), "json"))
    assert found["map"]["keys"] == [RATE, SIZE]
    assert found["map"]["single_best"] == found["map"]["safest"] == "generalized_crossentropy q=0.7"
    assert [cell["may_be_best"] for cell in found["cells"]][:2] == [["focal"], ["focal"]]
    assert [cell[SIZE] for cell in found["cells"]] == [1000, None] * 3
    (loss,) = [each for each in found["losses"] if each["loss"] == found["map"]["single_best"]]
    regrets = [cell["single_best_regret"] for cell in found["cells"]]
    assert (loss["mean_regret"], loss["worst_regret"]) == pytest.approx((np.mean(regrets), max(regrets)))
    assert loss["may_be_best"] == loss["wins"] == 4


def test_markdown_has_a_table_per_block_and_one_of_losses() -> None:
    """A winner is bold; underscores are escaped."""
    shown = text(answered(study()), "markdown")
    assert shown.count("| data.train\\_size | accuracy % ↑ | seeds | regret pp | may be best |") == 3
    assert shown.count("**generalized\\_crossentropy q=0.7** \\*") == 4
    assert "| loss | best in | alone in | mean rank | mean regret pp | worst regret pp | at |" in shown


HOSTILE = "A_b & 50 % $x$ #1 {y} ~ ^ \\ γ|*"


def test_latex_is_balanced_and_has_a_cell_for_each_column() -> None:
    """Braces and environments balance, every row fits its tabular, special characters of names are escaped."""
    found = replace(answered(study(), (f"focal={HOSTILE}",)), caption="Which loss.", latex_label="tab:map")
    shown = text(found, "latex")
    assert shown.isascii()
    bare = re.sub(r"\\[\\{}$&#%_]", "", shown)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    tabulars = re.findall(r"begin\{tabular\}\{((?:[lr]|p\{[^}]*\})+)\}(.*?)\\end\{tabular\}", shown, re.DOTALL)
    assert len(tabulars) == 2
    for letters, body in tabulars:
        for line in (line for line in body.splitlines() if line.endswith(r"\\")):
            spans = [int(count) - 1 for count in re.findall(r"\\multicolumn\{(\d+)\}", line)]
            assert len(re.split(r"(?<!\\)&", line)) + sum(spans) == len(re.sub(r"\{[^}]*\}", "", letters))
    assert r"\caption{Which loss.}" in shown
    assert ".." not in shown


def test_names_are_for_readers_and_labels_for_programs() -> None:
    """Tables, Markdown and LaTeX show the name everywhere, notes too; CSV and JSON have both."""
    found = answered(study(), ("focal=Ours", "ce=Cross-entropy"))
    for form in ("table", "markdown", "latex"):
        shown = text(found, form)
        assert "Ours" in shown
        assert not re.search("focal|categorical", shown)
    lines = list(csv.DictReader(io.StringIO(text(found, "csv"))))
    assert {(line["loss"], line["display_name"]) for line in lines} >= {("focal", "Ours"), (CE, "Cross-entropy")}


def test_the_advice_below_a_map_leads_to_its_page() -> None:
    """With the keys of the map; not to a verdict on the baseline, which a map does not show."""
    arguments = ["compare", "runs", "--map", f"{RATE},{SIZE}", "--metric", "accuracy"]
    assert next_step.next_step(answered(study()), arguments).splitlines() == [
        "To see the map in colour, and every condition below it:",
        f"  lossbench report runs --metric accuracy --map {RATE},{SIZE}",
    ]


def test_the_same_runs_give_the_same_bytes() -> None:
    """In any order of the runs."""
    rows = study()
    for form in ("table", "markdown", "csv", "json", "jsonl", "latex"):
        assert text(answered(rows), form) == text(answered(rows[::-1]), form)


@pytest.mark.parametrize("form", [name for name, each in formats.FORMATS.items() if not each.writers().loss_map])
def test_a_format_without_a_map_says_which_have_one(form: str) -> None:
    """Gate formats list results, not cells."""
    with pytest.raises(UsageError, match=f"expected table, markdown, csv, json, jsonl or latex for a map, got {form}"):
        text(answered(study()), form)
