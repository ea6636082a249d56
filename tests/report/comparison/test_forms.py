"""The formats of a comparison and the two forms of a run, as they are printed."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import re
import statistics
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lossbench.analysis import gate, images, loading
from lossbench.analysis.comparison import compare
from lossbench.analysis.query import Answer, Query
from lossbench.inspect import details
from lossbench.report import formats
from lossbench.report.run import details as screen
from lossbench.report.run import views
from lossbench.runs import paths, write
from lossbench.runs.read import BrokenRunError

if TYPE_CHECKING:
    from pathlib import Path

FORMS = tuple(formats.FORMATS)
CE = "categorical_crossentropy"
HOSTILE = "\x1b[31m[bold]a|b[/bold]\n\x1b]0;x\x07`c` & <d> $e$ \\f{g}_h^~% \"i\" 'j'"


def report(places: list[Path], *thresholds: str, **query: Any) -> Answer:
    """What the command would write."""
    rows, broken = loading.rows(places)
    comparison = compare(rows, Query(thresholds=thresholds, **query))
    return Answer(comparison, tuple(broken), tuple(gate.judge(comparison)))


def render(places: list[Path], form: str = "table", *thresholds: str) -> str:
    """A comparison as it would be written to a file."""
    return formats.comparison_text(report(places, *thresholds), form, to_stdout=False)


@pytest.fixture
def study(tmp_path: Path, fabricate: Any) -> Path:
    """Two losses over three seeds with and without noise; one run diverged."""
    noise = {"type": "symmetric", "rate": 0.2}
    for seed in range(3):
        for label, strength in (("focal", 3.0), (CE, 3.5)):
            fabricate(tmp_path, label, seed, strength=strength)
            fabricate(tmp_path, label, seed, strength=strength - 1, config={"data.label_noise": noise})
    fabricate(tmp_path, "focal", 3, status="diverged")
    return tmp_path


def test_csv_is_complete(study: Path, tmp_path: Path) -> None:
    """Means, deviations and differences are those of `run.json`, to the last digit."""
    rows = list(csv.DictReader(io.StringIO(render([study], "csv"))))
    (row,) = [row for row in rows if row["loss"] == "focal" and not row["data.label_noise.rate"]]
    runs = [json.loads(path.read_text()) for path in tmp_path.glob("study/*/run.json")]
    assert (row["n"], row["diverged"], row["seeds"], row["link"], row["at"]) == ("3", "1", "0 1 2", "softmax", "last")
    found = {
        label: sorted(
            [run["metrics"] for run in runs if run["loss"] == label and run["metrics"]],
            key=lambda metrics: metrics["test.last.nll"],
        )[:3]
        for label in ("focal", CE)
    }
    nlls = [metrics["test.last.nll"] for metrics in found["focal"]]
    assert float(row["nll_mean"]) == pytest.approx(statistics.fmean(nlls), rel=1e-15)
    assert float(row["nll_sd"]) == pytest.approx(np.std(nlls, ddof=1), rel=1e-12)
    means = [statistics.fmean(metrics["test.last.accuracy"] for metrics in found[label]) for label in ("focal", CE)]
    assert float(row["delta_mean"]) == pytest.approx(means[0] - means[1], rel=1e-12)
    assert (row["baseline"], row["metric"], row["pairs"], row["verdict"]) == (CE, "accuracy", "3", "undecided")
    assert 0 < float(row["p_adjusted"]) <= 1


def test_json_equals_csv(study: Path, fabricate: Any) -> None:
    """The JSON groups are the CSV rows with types and values by seed; JSON lines are the same records."""
    damaged = fabricate(study, "poisson", 0)
    (damaged / "run.json").write_text("[]")
    value = json.loads(render([study], "json", "accuracy < 0.1"))
    rows = list(csv.DictReader(io.StringIO(render([study], "csv"))))
    lines = [json.loads(line) for line in render([study], "jsonl").splitlines()]
    for group, row, line in zip(value["groups"], rows, lines, strict=True):
        by_seed = group.pop("values")["accuracy"]
        assert group == line
        assert statistics.fmean(by_seed.values()) == pytest.approx(group["accuracy_mean"])
        assert list(by_seed) == [str(seed) for seed in group["seeds"]]
        assert row == {
            key: " ".join(map(str, item)) if isinstance(item, list) else "" if item in (None, {}) else str(item)
            for key, item in group.items()
        }
    assert [each["folder"] for each in value["broken"]] == [str(damaged)]
    assert {(each["loss"], each["outcome"]) for each in value["gate"]} == {
        (CE, "passed"), ("focal", "passed"), ("focal", "failed"),
    }  # fmt: skip


def test_markdown(study: Path) -> None:
    """Every row of a table has as many cells as its header; underscores are escaped, best means bold."""
    text = render([study], "markdown", "delta.accuracy < -90pp")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.split(r"(?<!\\)\|", row)) for row in rows}) == 1
    assert sum("categorical\\_crossentropy" in row and "**" in row for row in rows) == 1
    assert text.startswith("**mnist · mlp · 5 epochs · seeds 0–2 · test accuracy, last epoch · baseline categorical\\_")
    assert "\n\ndata.label\\_noise none\n\n| loss | n | accuracy % ↑ |" in text
    assert "- focal: n 3 + 1 diverged, never better\n" in text
    assert "- failed: focal (data.label\\_noise none): 1 run diverged, which" in text


def test_latex(study: Path) -> None:
    """Each row has a cell for each letter of its tabular; the best mean is bold; nothing is left unescaped."""
    text = render([study], "latex")
    tables = re.findall(r"begin\{tabular\}\{([lr]+)\}(.*?)\\end\{tabular\}", text, re.DOTALL)
    assert len(tables) == 2
    for letters, body in tables:
        rows = [line for line in body.splitlines() if line.endswith(r"\\") and "&" in line]
        assert {len(re.split(r"(?<!\\)&", row)) for row in rows} == {len(letters)}
        assert len(rows) == 5
    assert r"\textbf{" in text
    assert r"3 + 1 diverged" in text
    assert text.isascii()


def test_junit_is_read_by_a_parser(study: Path) -> None:
    """A case for each threshold, loss and condition: failures, skipped and passed ones, counted."""
    suite = ET.fromstring(render([study], "junit", "delta.accuracy < -90pp", "accuracy < 0.999"))  # noqa: S314 - our own
    cases = suite.findall("testcase")
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": str(len(cases)), "failures": str(len(suite.findall("testcase/failure"))), "errors": "0",
        "skipped": str(len(suite.findall("testcase/skipped"))),
    }  # fmt: skip
    assert len(cases) == 6
    diverged = [case.get("name") for case in cases if "diverged, which" in (case.findtext("failure") or "")]
    name = "focal (data.label_noise none)"
    assert diverged == [f"{name}: delta.accuracy < -90pp", f"{name}: accuracy < 0.999"]
    without = ET.fromstring(render([study], "junit"))  # noqa: S314 - our own
    assert [case.findtext("system-out") for case in without.findall("testcase")].count("not compared") == 2


def test_github_annotations(study: Path) -> None:
    """An error for what failed, a warning for what is undecided, nothing for a pass; per cent signs are escaped."""
    text = render([study], "github", "delta.accuracy < -90pp", "accuracy < 0.5")
    lines = text.splitlines()
    assert (
        sum(
            line.startswith("::error title=lossbench compare::focal (data.label_noise none): 1 run diverged")
            for line in lines
        )
        == 2
    )
    assert all(line.startswith(("::error ", "::warning ")) for line in lines)
    assert "%" not in text.replace("%25", "")


def test_spreadsheets_take_no_text_for_a_formula(tmp_path: Path, fabricate: Any) -> None:
    """Text that starts like one has an apostrophe before it; numbers, also negative ones, are as they are."""
    for label in ("=1+1", "+x", "-y", "@z"):
        fabricate(tmp_path, label, 0, strength=1.0)
    fabricate(tmp_path, CE, 0, strength=9.0)
    rows = list(csv.DictReader(io.StringIO(render([tmp_path], "csv"))))
    assert {row["loss"] for row in rows} == {"'=1+1", "'+x", "'-y", "'@z", CE}
    assert all(float(row["delta_mean"]) < 0 for row in rows if row["loss"] != CE)
    listed = list(csv.DictReader(io.StringIO(list_([tmp_path], "csv"))))
    assert {row["loss.name"] for row in listed} == {"'=1+1", "'+x", "'-y", "'@z", CE}


def list_(places: list[Path], form: str) -> str:
    rows, _ = loading.rows(places)
    return formats.runs_text(rows, Query(), form, to_stdout=False)


def test_single_runs(study: Path) -> None:
    """A line for each run with what differs and its folder; CSV, JSON and JSON lines with every column."""
    text = list_([study], "table")
    assert text.count("study/") == 13
    assert text.startswith("loss ")
    assert "  data.label_noise.rate  " in text.splitlines()[0]
    rows = list(csv.DictReader(io.StringIO(list_([study], "csv"))))
    values, lines = json.loads(list_([study], "json")), list_([study], "jsonl").splitlines()
    assert values == [json.loads(line) for line in lines]
    assert [row["folder"] for row in rows] == [value["folder"] for value in values]
    assert {"status", "model.hidden", "test.last.accuracy"} <= set(rows[0])


@pytest.mark.parametrize("form", FORMS)
def test_hostile_labels_stay_text(tmp_path: Path, fabricate: Any, form: str) -> None:
    """Terminal escapes in labels and links reach no format, gate results included; `test_formats` checks the rest."""
    for seed in range(3):
        fabricate(tmp_path, HOSTILE, seed, link=HOSTILE)
        fabricate(tmp_path, CE, seed)
    text = render([tmp_path], form, "delta.accuracy < 1pp")
    assert "\x1b" not in text
    assert "\x07" not in text


def test_images_below_the_table(tmp_path: Path, fabricate: Any) -> None:
    """Each pair of losses has a paragraph, within 80 columns; JSON has every image."""
    for label, strength in ((CE, 3.0), ("focal", 2.0)):
        fabricate(tmp_path, label, 0, strength=strength)
    one = report([tmp_path])
    whole = Answer(one.comparison, image_comparisons=tuple(images.compare_images(one.comparison)))
    text = formats.comparison_text(whole, "table", to_stdout=False)
    assert "focal against categorical_crossentropy, image by image" in text
    assert max(map(len, text.splitlines())) <= 80
    (pair,) = json.loads(formats.comparison_text(whole, "json", to_stdout=False))["images"]
    assert pair["only_group"]["0"] == len(pair["gained"])
    assert pair["only_reference"]["0"] == len(pair["lost"])
    assert f"is right: {len(pair['lost'])} images" in text


ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
SECTION = st.sampled_from(["data", "model", "optimizer", "train", "loss", "test", "seed", "folder", "status", "log"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(configs=st.lists(st.dictionaries(SECTION, ANY_VALUE), min_size=2, max_size=2), others=ANY_VALUE)
def test_any_content_can_be_compared_and_shown(
    tmp_path_factory: pytest.TempPathFactory, fabricate: Any, configs: list[dict[str, Any]], others: Any
) -> None:
    """Whatever valid files say, they are tabulated and shown, or listed as broken; nothing crashes."""
    runs_dir = tmp_path_factory.mktemp("runs")
    strange = dict.fromkeys(("link", "reason", "seconds", "device", "versions", "plugin", "best_epoch"), others)
    folders = [fabricate(runs_dir, "focal", number, images=20, epochs=1, **strange) for number in (0, 1)]
    folders.append(fabricate(runs_dir, "focal", 2, images=20, epochs=1))
    for folder, config in zip(folders, configs, strict=False):
        (folder / "config.yaml").write_text(json.dumps(dict.fromkeys(paths.CONFIG_SECTIONS) | config))
    for form in FORMS:
        assert render([runs_dir], form) or form == "github"
    for form in (each.name for each in formats.FORMATS.values() if each.writers().runs):
        rows, _ = loading.rows([runs_dir])
        assert formats.runs_text(rows, Query(), form, to_stdout=False)
    for folder in folders:
        with contextlib.suppress(BrokenRunError):
            assert printed(folder)
            assert views.view_text(details.read_details(folder), as_json=True)


def printed(folder: Path) -> list[str]:
    """The lines of a run's screen at 80 columns, but for the path, which is as long as it is."""
    lines = screen.run_text(details.read_details(folder), 80).plain.splitlines()
    assert lines.pop(1) == str(folder)
    return lines


def test_a_run_fits_one_screen(tmp_path: Path, fabricate: Any) -> None:
    """10,000 test images, ten classes: 80 columns, 40 lines, every part there."""
    folder = fabricate(tmp_path, "focal gamma=5", 0, images=10_000, strength=4.0)
    lines = printed(folder)
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 40
    text = "\n".join(lines)
    assert lines[0] == "focal gamma=5 · seed 0 · completed"
    for part in ("model         mlp · hidden [256]", "test last", "test best", "val_accuracy  ▁", "67.00 % → 95.80 %"):
        assert part in text
    run = json.loads((folder / "run.json").read_text())["metrics"]
    assert f"{100 * run['test.last.accuracy']:.2f}" in text
    counts = details.read_details(folder).confusion["last"]
    row = next(line.split() for line in lines if line.startswith("3 "))
    assert [cell.replace("·", "0") for cell in row[1:11]] == [str(count) for count in counts[3]]
    assert row[11] == str(counts[3].sum())
    assert float(row[13]) == pytest.approx(100 * counts[3, 3] / counts[3].sum(), abs=0.05)


def test_a_run_shows_its_temperature(tmp_path: Path, fabricate: Any) -> None:
    """Below the test set's metrics, NLL and ECE at T; nothing of it where there was no validation."""
    folder = fabricate(tmp_path, "hinge", 0, link="none")
    run = json.loads((folder / "run.json").read_text())["metrics"]
    lines = printed(folder)
    for at in ("last", "best"):
        below = lines[lines.index(next(line for line in lines if line.startswith(f"test {at}"))) + 1]
        numbers = [f"{run[f'test.{at}.{name}']:.4f}" for name in ("nll_scaled", "ece_scaled")]
        assert below.split() == ["at", "T", f"{run[f'val.{at}.temperature']:.3g}", *numbers]
    assert not any("at T" in line for line in printed(fabricate(tmp_path, "hinge", 1, validation=False)))


def test_a_run_of_many_classes(tmp_path: Path, fabricate: Any) -> None:
    """Fifty classes: the counts do not fit, the worst twenty are listed, and the pairs confused most."""
    text = "\n".join(lines := printed(fabricate(tmp_path, "focal", 0, classes=50, images=2000, strength=2.0)))
    assert max(map(len, lines)) <= 80
    assert "test set, last epoch; the 20 worst of 50 classes" in text
    assert re.search(r"most often confused: \d+ as \d+ \(\d+\), ", text)


def test_a_run_that_diverged(tmp_path: Path, fabricate: Any) -> None:
    """The reason stands on top, the curve so far below, and no empty table."""
    lines = printed(fabricate(tmp_path, "focal", 0, status="diverged"))
    assert lines[0] == "focal · seed 0 · diverged"
    assert lines[1] == "the loss became NaN in epoch 3"
    assert not any(line.startswith(("test", "class")) for line in lines)


def test_strange_values_in_a_run_do_no_harm(tmp_path: Path, fabricate: Any) -> None:
    """Keys of `run.json` that are missing or of another type are left out of the screen."""
    folder = fabricate(tmp_path, "focal", 0, seconds=[1], device="x", threads="many", versions=None, parameters={})
    assert "machine       lossbench unknown" in printed(folder)


def test_a_run_as_json(tmp_path: Path, fabricate: Any) -> None:
    """`run.json` and the tables in one object, NaN as null."""
    folder = fabricate(tmp_path, "focal", 0)
    write.append_epoch(folder / "metrics.csv", {"epoch": 5, "accuracy": math.nan})
    value = json.loads(views.view_text(details.read_details(folder), as_json=True))
    assert value["status"] == "completed"
    assert value["folder"] == str(folder)
    assert value["config"]["model"]["name"] == "mlp"
    assert value["history"][5]["accuracy"] is None
    assert np.sum(value["confusion"]["last"]) == 500
    assert len(value["per_class"]["best"]) == 10
