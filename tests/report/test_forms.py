"""The four forms of a comparison and the two of a run, as they are printed."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import statistics
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lossbench.analysis import frame, sheet, summary
from lossbench.report import card, output
from lossbench.runs.read import BrokenRunError

if TYPE_CHECKING:
    from pathlib import Path

LONG = (
    "categorical_crossentropy", "focal gamma=5", "generalized_crossentropy q=0.5", "symmetric_crossentropy alpha=0.01",
    "1 normalized_crossentropy + 10 reverse_crossentropy", "phuber_generalized_crossentropy tau=20",
    "binary_focal_crossentropy apply_class_balancing=true", "normalized_generalized_crossentropy",
    "mean_squared_logarithmic_error", "a" * 60,
)  # fmt: skip


def render(places: list[Path], form: output.Form = "table") -> str:
    """A comparison as it would be written to a file."""
    runs, broken = frame.load_runs(places)
    return output.render(summary.summarise(runs), broken, form, to_stdout=False)


@pytest.fixture
def study(tmp_path: Path, fabricate: Any) -> Path:
    """Two losses over three seeds with and without noise; one run diverged."""
    noise = {"type": "symmetric", "rate": 0.2}
    for seed in range(3):
        for label, strength in (("focal", 3.0), ("categorical_crossentropy", 3.5)):
            fabricate(tmp_path, label, seed, strength=strength)
            fabricate(tmp_path, label, seed, strength=strength - 1, config={"data.label_noise": noise})
    fabricate(tmp_path, "focal", 3, status="diverged")
    return tmp_path


def test_the_table_to_the_letter(tmp_path: Path, fabricate: Any) -> None:
    """A small comparison looks exactly like this."""
    metrics = {"test.last.accuracy": 0.97854, "test.last.nll": 0.0712, "test.last.brier": 0.0334, "test.last.ece": 0.5}
    for seed in (0, 1):
        fabricate(
            tmp_path, "focal gamma=5", seed, metrics={name: value - seed / 500 for name, value in metrics.items()}
        )
    fabricate(tmp_path, "hinge", 0, link="none", metrics=metrics)
    fabricate(tmp_path, "gce", 0, metrics=metrics | {"test.last.nll": None})
    fabricate(tmp_path, "gce", 1, status="diverged")
    assert render([tmp_path]) == (
        "mnist · mlp · 5 epochs · seeds 0–1 · test set, last epoch\n"
        "\n"
        "loss           n               accuracy %      NLL    Brier      ECE\n"
        "─────────────────────────────────────────────────────────────────────\n"
        "gce            1             97.85 ± -           -   0.0334   0.5000\n"
        "               + 1 diverged\n"
        "hinge          1             97.85 ± -   *  0.0712†  0.0334†  0.5000†\n"
        "focal gamma=5  2             97.75 ± 0.14   0.0702   0.0324   0.4990\n"
        "\n"
        "* best mean, losses with diverged runs aside\n"
        "† the loss trains no softmax probabilities, so this is never marked best\n"
        "means over other seeds than 0: focal gamma=5 over 0–1\n"
    )


def test_scaled_metrics_stand_below_what_they_stand_for(tmp_path: Path, fabricate: Any) -> None:
    """With a loss that has no softmax the table looks exactly like this; a run without validation has a dash."""
    metrics = {"accuracy": 0.97854, "nll": 0.0712, "brier": 0.0334, "ece": 0.5, "nll_scaled": 0.0699, "ece_scaled": 0.2}
    for seed, label, link in ((0, "focal gamma=5", "softmax"), (1, "focal gamma=5", "softmax"), (0, "hinge", "none")):
        tested = {f"test.last.{name}": value + seed / 500 for name, value in metrics.items()}
        fabricate(tmp_path, label, seed, link=link, metrics=tested)
    fabricate(tmp_path, "gce", 0, metrics={f"test.last.{name}": metrics[name] for name in list(metrics)[:4]})
    assert render([tmp_path]) == (
        "mnist · mlp · 5 epochs · seeds 0–1 · test set, last epoch\n"
        "\n"
        "                                    NLL               ECE\n"
        "loss           n    accuracy %   scaled    Brier   scaled\n"
        "──────────────────────────────────────────────────────────\n"
        "focal gamma=5  2  97.95 ± 0.14*  0.0722   0.0344   0.5010\n"
        "                                 0.0709            0.2010\n"
        "gce            1  97.85 ± -      0.0712*  0.0334*  0.5000*\n"
        "                                      -                 -\n"
        "hinge          1  97.85 ± -      0.0712†  0.0334†  0.5000†\n"
        "                                 0.0699*           0.2000*\n"
        "\n"
        "* best mean\n"
        "† the loss trains no softmax probabilities, so this is never marked best\n"
        "scaled: of softmax(z/T), T fitted to the NLL of each run's validation images\n"
        "means over other seeds than 0: focal gamma=5 over 0–1\n"
    )


def test_ten_long_names_fit_80_columns(tmp_path: Path, fabricate: Any) -> None:
    """Long labels are wrapped, in words where that is possible; no number is cut."""
    for label in LONG:
        fabricate(tmp_path, label, 0)
        fabricate(tmp_path, label, 1, status="diverged")
    lines = render([tmp_path]).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    numbers = re.compile(r"\d\d\.\d\d ± - +\*? +0\.\d{4}\*? +0\.\d{4}\*? +0\.\d{4}\*?$")
    assert sum(bool(numbers.search(line.replace("100.00", "99.99"))) for line in lines) == len(LONG)
    end = lines[2].index("n ")
    left = "".join(line[:end].strip() for line in lines[4:]).replace(" ", "")
    assert all(label.replace(" ", "") in left for label in LONG)


def test_blocks_of_the_table(study: Path) -> None:
    """Each condition has a title and its own losses, the most accurate first."""
    text = render([study])
    titles = [line for line in text.splitlines() if line.startswith("data.")]
    assert titles == ["data.label_noise none", "data.label_noise symmetric · data.label_noise.rate 0.2"]
    assert text.count("categorical_crossentropy") == 2
    assert "+ 1 diverged" in text


def test_csv_is_complete(study: Path, tmp_path: Path) -> None:
    """Means and deviations are those of `run.json`, to the last digit."""
    rows = list(csv.DictReader(io.StringIO(render([study], "csv"))))
    assert list(rows[0])[:9] == [
        "loss", "data.label_noise.type", "data.label_noise.rate", "n", "diverged", "failed", "unfinished",
        "accuracy_mean", "accuracy_sd",
    ]  # fmt: skip
    (row,) = [row for row in rows if row["loss"] == "focal" and not row["data.label_noise.rate"]]
    runs = [json.loads(path.read_text()) for path in tmp_path.glob("study/focal-*/run.json")]
    assert list(rows[0])[-7:-3] == ["nll_scaled_mean", "nll_scaled_sd", "ece_scaled_mean", "ece_scaled_sd"]
    assert (row["n"], row["diverged"], row["seeds"], row["link"], row["at"]) == ("3", "1", "0 1 2", "softmax", "last")
    quiet = [row["metrics"]["test.last.nll"] for row in runs if row["metrics"]]
    assert len(quiet) == 6
    best = sorted(quiet)[:3]
    assert float(row["nll_mean"]) == pytest.approx(statistics.fmean(best), rel=1e-15)
    assert float(row["nll_sd"]) == pytest.approx(np.std(best, ddof=1), rel=1e-12)


def test_json_equals_csv(study: Path, fabricate: Any) -> None:
    """The JSON groups are the CSV rows with types; notes and broken folders stand beside them."""
    damaged = fabricate(study, "poisson", 0)
    (damaged / "run.json").write_text("[]")
    value = json.loads(render([study], "json"))
    rows = list(csv.DictReader(io.StringIO(render([study], "csv"))))
    for group, row in zip(value["groups"], rows, strict=True):
        assert list(group) == list(row)
        assert row == {
            key: " ".join(map(str, item)) if isinstance(item, list) else "" if item is None else str(item)
            for key, item in group.items()
        }
    assert [each["folder"] for each in value["broken"]] == [str(damaged)]


def test_markdown(study: Path) -> None:
    """Every row of a Markdown table has as many cells as its header; underscores are escaped, best means bold.

    Where only one loss has no diverged run there is no best.
    """
    text = render([study], "markdown")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.split(r"(?<!\\)\|", row)) for row in rows} == {8}
    assert sum("categorical\\_crossentropy" in row and "**" in row for row in rows) == 1
    assert text.startswith("**mnist · mlp · 5 epochs · seeds 0–2 · test set, last epoch**\n\ndata.label\\_noise none")


def test_markdown_has_columns_for_the_scaled_metrics(study: Path, fabricate: Any) -> None:
    """Two more where a loss has no softmax."""
    fabricate(study, "hinge", 0, link="none")
    rows = [line for line in render([study], "markdown").splitlines() if line.startswith("|")]
    assert {len(re.split(r"(?<!\\)\|", row)) for row in rows} == {10}
    assert rows[0].endswith("| NLL scaled | ECE scaled |")


def test_hostile_labels_stay_text(tmp_path: Path, fabricate: Any) -> None:
    """Escapes, markup and table signs in a label neither act nor break a form."""
    fabricate(tmp_path, "\x1b[31m[bold]a|b[/bold]\n\x1b]0;x\x07`c`", 0)
    assert "[bold]a|b[/bold]`c`" in render([tmp_path])
    assert "\\[bold\\]a\\|b\\[/bold\\]\\`c\\`" in render([tmp_path], "markdown")
    for form in ("table", "csv", "json", "markdown"):
        assert "\x1b" not in render([tmp_path], form)


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
        (folder / "config.yaml").write_text(json.dumps(config) or "{}")
    for form in ("table", "csv", "json", "markdown"):
        assert render([runs_dir], form)
    for folder in folders:
        with contextlib.suppress(BrokenRunError):
            assert printed(folder)
            assert output.show(sheet.load(folder), as_json=True)


def printed(folder: Path) -> list[str]:
    """The lines of a run's screen at 80 columns, but for the path, which is as long as it is."""
    lines = card.render(sheet.load(folder), 80).plain.splitlines()
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
    counts = sheet.load(folder).confusion["last"]
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
    with (folder / "metrics.csv").open("a") as file:
        file.write("5,nan,,,,,,,,,,,,\n")
    value = json.loads(output.show(sheet.load(folder), as_json=True))
    assert value["status"] == "completed"
    assert value["folder"] == str(folder)
    assert value["config"]["model"]["name"] == "mlp"
    assert value["history"][5]["accuracy"] is None
    assert np.sum(value["confusion"]["last"]) == 500
    assert len(value["per_class"]["best"]) == 10
