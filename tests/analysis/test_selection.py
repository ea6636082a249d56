"""What is tuned, stored, measured by class, and shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fabricate import row

from lossbench.analysis import baseline_file, loading
from lossbench.analysis.comparison import compare
from lossbench.analysis.filter import filter_groups
from lossbench.analysis.query import Query
from lossbench.analysis.tune import tune
from lossbench.errors import UsageError
from lossbench.metrics import find
from lossbench.runs import read

if TYPE_CHECKING:
    from pathlib import Path

CE = "categorical_crossentropy"
RATE = "optimizer.learning_rate"


def tried(loss: str, rate: float, *pairs: tuple[float, float | None], **others: Any) -> list[dict[str, Any]]:
    """Runs at a learning rate: validation accuracy and test accuracy of each seed; None diverged."""
    return [
        row(loss, seed, test, val__last__accuracy=val, optimizer__learning_rate=rate, **others)
        for seed, (val, test) in enumerate(pairs)
    ]


def test_the_best_value_is_chosen_by_validation() -> None:
    """The test set has no say: the value that is best there is not chosen."""
    rows = tried(CE, 0.1, (0.8, 0.99), (0.8, 0.99)) + tried(CE, 0.2, (0.9, 0.7), (0.9, 0.8))
    rows += tried("focal", 0.1, (0.9, 0.6))
    kept, choices = tune(rows, Query(tune=RATE))
    assert [(choice.label, choice.value, choice.tried, choice.runs) for choice in choices] == [
        (CE, 0.2, (0.1, 0.2), 4), ("focal", 0.1, (0.1,), 1),
    ]  # fmt: skip
    assert choices[0].mean == pytest.approx(0.9)
    assert choices[0].metric == "val.last.accuracy"
    comparison = compare(kept, Query(tune=RATE))
    assert len(comparison.blocks) == 1
    assert comparison.blocks[0].groups[0].metrics["accuracy"].mean == pytest.approx(0.75)


def test_each_condition_has_its_own_value() -> None:
    """Under noise another learning rate may be best; the key makes no block."""
    rows = [
        each
        for noise, best in ((0.0, 0.1), (0.4, 0.2))
        for rate in (0.1, 0.2)
        for each in tried(CE, rate, (0.9 if rate == best else 0.8, 0.5), noise=noise)
    ]
    kept, choices = tune(rows, Query(tune=RATE))
    assert {(choice.condition["noise"], choice.value) for choice in choices} == {(0.0, 0.1), (0.4, 0.2)}
    assert [block.condition for block in compare(kept, Query(tune=RATE)).blocks] == [
        {"noise": 0.0}, {"noise": 0.4},
    ]  # fmt: skip


def test_a_value_with_diverged_runs_is_chosen_last() -> None:
    """Only where every value has some; nor is one chosen that no run completed."""
    rows = tried(CE, 0.1, (0.9, 0.9), (0.0, None)) + tried(CE, 0.2, (0.8, 0.8), (0.8, 0.8))
    rows += tried(CE, 0.3, (0.99, None))
    assert tune(rows, Query(tune=RATE))[1][0].value == 0.2
    assert tune(rows[:2], Query(tune=RATE))[1][0].value == 0.1


def test_tuning_needs_the_key_and_a_validation() -> None:
    """Both are named."""
    with pytest.raises(UsageError, match=r"tune: no run has the key 'optimizer\.momentum'"):
        tune(tried(CE, 0.1, (0.9, 0.9)), Query(tune="optimizer.momentum"))
    with pytest.raises(UsageError, match=f"{CE} has no val.last.accuracy to choose by"):
        tune([row(CE, optimizer__learning_rate=0.1)], Query(tune=RATE))


def test_a_stored_baseline_comes_back(tmp_path: Path, fabricate: Any) -> None:
    """Every row, number by number, under the file's name."""
    fabricate(tmp_path, "focal", 0)
    fabricate(tmp_path, "focal", 1, status="diverged")
    rows, _ = loading.rows([tmp_path])
    baseline_file.save(tmp_path / "main.json", rows)
    actual = baseline_file.load(tmp_path / "main.json")
    assert (actual.name, actual.rows) == ("main.json", rows)
    (tmp_path / "link.json").symlink_to("main.json")
    assert baseline_file.load(tmp_path / "link.json").rows == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "main.json is missing; expected a baseline file"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "expected a baseline file of version 1"),
        ('{"schema_version": 2, "runs": []}', "expected a baseline file of version 1"),
        ('{"schema_version": 1, "runs": []}', "expected runs with label, seed, status and numbers"),
        ('{"schema_version": 1, "runs": [1]}', "expected runs with label"),
        (json.dumps({"schema_version": 1, "runs": [row() | {"seed": "1"}]}), "expected runs with label"),
        (json.dumps({"schema_version": 1, "runs": [row() | {"test.last.nll": "x"}]}), "expected runs with label"),
        (json.dumps({"schema_version": 1, "runs": [row() | {"model": [1]}]}), "expected runs with label"),
    ],
)
def test_what_is_no_baseline(tmp_path: Path, content: str | None, message: str) -> None:
    """A damaged file is one sentence with the file's name."""
    if content is not None:
        (tmp_path / "main.json").write_text(content)
    with pytest.raises(UsageError, match=message) as caught:
        baseline_file.load(tmp_path / "main.json")
    assert str(caught.value).startswith(str(tmp_path / "main.json"))


def test_metrics_of_a_class(tmp_path: Path, fabricate: Any) -> None:
    """Recall of 5 is that of `per_class.csv`; a run without the file, or without the class, lacks it."""
    folder = fabricate(tmp_path, "focal", 0)
    (fabricate(tmp_path, "focal", 1) / "per_class.csv").unlink()
    asked = [find("recall.5"), find("f1.10"), find("precision.05")]
    rows = loading.with_class_metrics(loading.rows([tmp_path])[0], asked)
    (score,) = [each for each in read.per_class(folder) if each["at"] == "best" and each["class"] == 5]
    assert rows[0]["test.best.recall.5"] == score["recall"]
    assert rows[0]["test.best.precision.5"] == score["precision"]
    assert "test.best.f1.10" not in rows[0]
    assert "test.best.recall.5" not in rows[1]
    counts = read.confusion(folder)["best"]
    assert score["recall"] == pytest.approx(counts[5, 5] / counts[5].sum())


@pytest.mark.parametrize("name", ["loss", "val_loss"])
def test_losses_rank_nothing(name: str) -> None:
    """The refusal says why, and what to use."""
    with pytest.raises(UsageError, match="different quantities, so they rank nothing; choose accuracy, nll"):
        find(name)


def shown(comparison: Any, **options: Any) -> list[str]:
    return [group.label for group in filter_groups(comparison, **options).blocks[0].groups]


def test_what_is_shown() -> None:
    """Order, number and change choose rows; the baseline stays, p and verdict are those of all."""
    rng = np.random.default_rng(0)
    rows = [row(CE, seed, 0.9, test__last__nll=0.2) for seed in range(8)]
    for loss, accuracy, nll in (("up", 0.95, 0.3), ("down", 0.8, 0.1), ("same", 0.9, 0.4)):
        rows += [row(loss, seed, accuracy + rng.normal(0, 1e-4), test__last__nll=nll) for seed in range(8)]
    rows = rows[:-1]
    comparison = compare(rows, Query())
    order = shown(comparison)
    assert order[0] == "up"
    assert order[-1] == "down"
    assert shown(comparison, sort="nll") == ["down", CE, "up", "same"]
    assert shown(comparison, sort="loss") == [CE, "down", "same", "up"]
    assert shown(comparison, sort="n") == [CE, "down", "up", "same"]
    assert shown(comparison, sort="p") == ["down", "up", "same", CE]
    assert shown(comparison, sort="nll", top=1) == ["down", CE]
    assert shown(comparison, only_changed=True) == ["up", CE, "down"]
    few = filter_groups(comparison, top=1)
    assert (few.blocks[0].left_out, few.comparisons) == (2, 3)
    assert few.blocks[0].groups[0] == comparison.blocks[0].groups[0]
    with pytest.raises(UsageError, match="not measured here; name it in `metrics` too"):
        filter_groups(comparison, sort="recall.5")
    with pytest.raises(UsageError, match="rank nothing"):
        filter_groups(comparison, sort="val_loss")


def test_a_link_to_itself_is_no_baseline(tmp_path: Path) -> None:
    """It is said as what it is."""
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)
    with pytest.raises(UsageError, match=r"loop\.json: .*; expected a baseline file"):
        baseline_file.load(loop)
