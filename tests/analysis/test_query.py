"""One query gives one answer, whoever puts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lossbench.analysis import baseline_file
from lossbench.analysis.query import Query, answer, select_runs
from lossbench.errors import NothingMatchedError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

CE = "categorical_crossentropy"


@pytest.fixture
def runs(tmp_path: Path, fabricate: Any) -> Path:
    """Two losses over three seeds, and a broken folder."""
    for seed in range(3):
        fabricate(tmp_path / "runs", CE, seed, strength=3.0)
        fabricate(tmp_path / "runs", "focal", seed, strength=5.0)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text("{")
    return tmp_path / "runs"


def test_an_answer_holds_all_that_a_query_selects(runs: Path) -> None:
    """Comparison, gate, images, the runs themselves and the folders that cannot be read."""
    found = answer(Query(paths=(runs,), seeds=frozenset({0, 1}), thresholds=("accuracy < 0", "recall.5 < 0")))
    assert found.comparison.baseline == CE
    assert {(result.label, result.rule.text, result.n) for result in found.gate_results} == {
        (label, text, 2) for label in (CE, "focal") for text in ("accuracy < 0", "recall.5 < 0")
    }
    assert found.image_comparisons == ()
    (images,) = answer(Query(paths=(runs,), seeds=frozenset({0}), images=True)).image_comparisons
    assert (images.label, images.reference, images.seeds) == ("focal", CE, (0,))
    assert sorted((row["loss"], row["seed"]) for row in found.rows) == [(CE, 0), (CE, 1), ("focal", 0), ("focal", 1)]
    assert [each.folder.name for each in found.broken] == ["broken"]
    rows, _ = select_runs(Query(paths=(runs,), seeds=frozenset({0, 1})))
    assert [row["folder"] for row in rows] == [row["folder"] for row in found.rows]


def test_a_baseline_file_is_selected_from_like_the_runs(runs: Path, tmp_path: Path) -> None:
    """Seeds that are not selected do not come back through the file."""
    baseline_file.save(tmp_path / "main.json", answer(Query(paths=(runs,))).rows)
    found = answer(Query(paths=(runs,), baseline_file=tmp_path / "main.json", where="seed == 1"))
    assert found.comparison.baseline == "main.json"
    references = [group.reference for group in found.comparison.blocks[0].groups]
    assert [reference and reference.seeds for reference in references] == [(1,), (1,)]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"baseline": "ce", "baseline_file": "x.json"}, "baseline"),
        ({"metric_names": ()}, "metrics"),
        ({"rope": "1pq"}, "rope"),
        ({"at": "first"}, "at"),
        ({"confidence": 95}, "confidence"),
        ({"confidence": 0}, "confidence"),
        ({"thresholds": ("accuracy",)}, "thresholds"),
    ],
)
def test_a_wrong_query_is_refused_before_a_run_is_read(query: dict[str, Any], parameter: str, tmp_path: Path) -> None:
    """The error names the parameter, though the folder does not exist either."""
    with pytest.raises(UsageError) as caught:
        answer(Query(paths=(tmp_path / "absent",), **query))
    assert caught.value.parameter == parameter


def test_a_tuned_hyperparameter_of_the_loss_is_no_group() -> None:
    """Then the loss's name makes the groups, unless others are named."""
    assert Query().group_keys == ("loss",)
    assert Query(tune="optimizer.learning_rate").group_keys == ("loss",)
    assert Query(tune="loss.gamma").group_keys == ("loss.name",)
    assert Query(tune="loss.gamma", by=("loss",)).group_keys == ("loss",)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"where": "seed == 2"}, r"where: 'seed == 2' matches none of 4 runs in main\.json"),
        ({"where": "seed == 7"}, r"where: 'seed == 7' matches none of 6 runs in .*runs"),
        ({"seeds": frozenset({2})}, r"seeds: match none of 4 runs in main\.json"),
        ({"seeds": frozenset({7})}, r"seeds: match none of 6 runs in .*runs"),
        ({"seeds": frozenset({2}), "where": "seed == 2"}, r"seeds: match none of 4 runs in main\.json"),
        ({"seeds": frozenset({1}), "where": "seed == 0"}, r"where: 'seed == 0' matches none of 2 runs in .*runs"),
    ],
)
def test_a_selection_blames_its_side(runs: Path, tmp_path: Path, query: dict[str, Any], message: str) -> None:
    """With a baseline file, the message says whether the runs or the file have nothing of the selection."""
    file = tmp_path / "main.json"
    baseline_file.save(file, select_runs(Query(paths=(runs,), seeds=frozenset({0, 1})))[0])
    with pytest.raises(NothingMatchedError, match=message):
        answer(Query(paths=(runs,), baseline_file=file, **query))


def test_a_selection_may_name_a_key_of_either_side(runs: Path, tmp_path: Path, fabricate: Any) -> None:
    """A key that only the runs have is no mistake, though it selects nothing of the file; one of neither is."""
    file = tmp_path / "main.json"
    baseline_file.save(file, select_runs(Query(paths=(runs,)))[0])
    for seed in range(3):
        fabricate(tmp_path / "noisy", "focal", seed, config={"data.label_noise": {"type": "pair", "rate": 0.2}})
    query = {"paths": (tmp_path / "noisy",), "baseline_file": file}
    with pytest.raises(NothingMatchedError, match=r"matches none of 6 runs in main\.json"):
        answer(Query(where="data.label_noise.rate == 0.2", **query))
    with pytest.raises(UsageError, match=r"no run has the key 'data.label_noise.rat'"):
        answer(Query(where="data.label_noise.rat == 0.2", **query))
