"""Groups over seeds, a block for each condition, nothing pooled silently."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lossbench.analysis import frame, summary
from lossbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

NOISE = {"type": "symmetric", "rate": 0.2, "include_self": False, "seed": None}


def table(*runs: dict[str, Any]) -> pd.DataFrame:
    """A frame of hand-written runs."""
    import pandas as pd

    usual = {
        "folder": "f", "status": "completed", "link": "softmax", "lossbench": "0.1.0", "model.name": "mlp",
        "test.last.nll": 0.1, "test.last.brier": 0.1, "test.last.ece": 0.1,
    }  # fmt: skip
    rows = [usual | {"identity": str(number), "seed": number} | run for number, run in enumerate(runs)]
    return pd.DataFrame(rows, dtype=object)


def run(loss: str, accuracy: float | None, **others: Any) -> dict[str, Any]:
    """One hand-written run."""
    return {"loss": loss, "settings": loss, "test.last.accuracy": accuracy} | others


def only(comparison: summary.Comparison) -> tuple[summary.Group, ...]:
    """The groups of the only block."""
    (block,) = comparison.blocks
    return block.groups


def test_mean_and_deviation_by_hand() -> None:
    """0.90, 0.92, 0.97 have mean 0.93 and sample standard deviation 0.0360555."""
    (group,) = only(summary.summarise(table(*(run("focal", value) for value in (0.90, 0.92, 0.97)))))
    assert (group.loss, group.n, group.seeds) == ("focal", 3, (0, 1, 2))
    assert group.metrics["accuracy"].mean == pytest.approx(0.93)
    assert group.metrics["accuracy"].sd == pytest.approx(0.0360555, abs=1e-7)


def test_estimates_equal_numpy() -> None:
    """Mean and deviation are NumPy's with ddof 1."""
    values = np.random.default_rng(0).normal(size=20)
    actual = summary.estimate(values.tolist())
    assert (values.mean(), values.std(ddof=1)) == pytest.approx((actual.mean, actual.sd))
    assert values.std(ddof=1) == pytest.approx(statistics.stdev(values.tolist()))


def test_one_seed_has_no_deviation() -> None:
    """A mean of one value has no standard deviation; a missing value leaves no mean."""
    assert summary.estimate([0.5]) == summary.Estimate(0.5, None)
    assert summary.estimate([0.5, None]) == summary.Estimate(None, None)
    assert summary.estimate([]) == summary.Estimate(None, None)


def test_groups_stand_by_accuracy() -> None:
    """The most accurate first; a group without results last; equal ones by name."""
    runs = [run("b", 0.9), run("a", 0.9), run("c", 0.95), run("d", None, status="diverged")]
    assert [group.loss for group in only(summary.summarise(table(*runs)))] == ["c", "a", "b", "d"]


def test_a_loss_without_softmax_may_be_best_at_a_fitted_temperature() -> None:
    """There all losses stand on the same ground; as given, its probabilities are never best."""
    scaled = [{"test.last.nll": nll, "test.last.nll_scaled": nll} for nll in (0.2, 0.1)]
    runs = [run("focal", 0.9, **scaled[0]), run("hinge", 0.9, link="none", **scaled[1])]
    focal, hinge = only(summary.summarise(table(*runs)))
    assert ("nll_scaled" in hinge.best, "nll_scaled" in focal.best) == (True, False)
    assert "nll" not in hinge.best
    assert hinge.metrics["ece_scaled"] == summary.Estimate(None, None)


def test_runs_without_results_are_counted() -> None:
    """Diverged, failed, running and interrupted runs are counted beside the completed ones."""
    statuses = ["completed", "completed", "diverged", "failed", "failed", "running", "interrupted"]
    (group,) = only(summary.summarise(table(*(run("focal", 0.9, status=status) for status in statuses))))
    assert (group.n, group.diverged, group.failed, group.unfinished) == (2, 1, 2, 2)
    assert group.metrics["accuracy"].mean == pytest.approx(0.9)


def test_the_best_mean_of_each_metric() -> None:
    """Highest accuracy, lowest NLL; equal means share the mark; one group alone has none."""
    runs = [run("a", 0.9, **{"test.last.nll": 0.3}), run("b", 0.95, **{"test.last.nll": 0.4})]
    best = {group.loss: group.best for group in only(summary.summarise(table(*runs)))}
    assert best == {"a": {"nll", "brier", "ece"}, "b": {"accuracy", "brier", "ece"}}
    assert only(summary.summarise(table(runs[0])))[0].best == frozenset()


def test_who_is_never_best() -> None:
    """A loss with diverged runs is never best; one without softmax only in accuracy."""
    runs = [
        run("diverging", 0.99, **{"test.last.nll": 0.01}),
        run("diverging", None, status="diverged"),
        run("hinge", 0.98, link="none", **{"test.last.nll": 0.02}),
        run("focal", 0.9),
        run("ce", 0.8),
    ]
    best = {group.loss: group.best for group in only(summary.summarise(table(*runs)))}
    assert best == {
        "diverging": frozenset(),
        "hinge": {"accuracy"},
        "focal": {"nll", "brier", "ece"},
        "ce": {"nll", "brier", "ece"},
    }


def test_a_block_for_each_condition(tmp_path: Path, fabricate: Any) -> None:
    """Runs that differ in any key but loss, seed and name are never pooled; blocks stand in the order of values."""
    for seed in (0, 1):
        fabricate(tmp_path, "focal", seed)
        fabricate(tmp_path, "focal", seed, config={"data.label_noise": NOISE})
        fabricate(tmp_path, "focal", seed, config={"data.label_noise": NOISE | {"rate": 0.1}})
    comparison = summary.summarise(frame.load_runs([tmp_path])[0])
    assert comparison.varying == ("data.label_noise.type", "data.label_noise.rate", "data.label_noise.include_self")
    rates = [block.condition["data.label_noise.rate"] for block in comparison.blocks]
    assert rates == [None, 0.1, 0.2]
    assert [block.groups[0].n for block in comparison.blocks] == [2, 2, 2]
    assert comparison.setting["model.name"] == "mlp"


@pytest.mark.parametrize(
    "key", ["name", "extends", "log.tensorboard", "data.path", "train.threads", "train.save_weights", "seed"]
)
def test_keys_that_are_no_condition(key: str) -> None:
    """What is not part of a trial's identity does not split a group."""
    comparison = summary.summarise(table(run("focal", 0.9, **{key: 1}), run("focal", 0.8, **{key: 2})))
    assert only(comparison)[0].n == 2


def test_other_data_is_another_condition() -> None:
    """Two data folders of one name are not pooled: their digests differ."""
    comparison = summary.summarise(
        table(run("focal", 0.9, **{"data.sha256": "a"}), run("focal", 0.8, **{"data.sha256": "b"}))
    )
    assert len(comparison.blocks) == 2


def test_a_label_with_two_meanings_is_told_apart() -> None:
    """The same label over different settings (another plugin, other defaults) becomes two groups."""
    comparison = summary.summarise(
        table(run("mine", 0.9, settings="a"), run("mine", 0.8, settings="b"), run("ce", 0.7))
    )
    labels = [group.loss for group in only(comparison)]
    assert comparison.ambiguous == ("mine",)
    assert [label.partition(" #")[0] for label in labels] == ["mine", "mine", "ce"]
    assert len(set(labels)) == 3


def test_a_trial_counts_once() -> None:
    """The same trial in two places is counted once, the completed one first, and said."""
    comparison = summary.summarise(
        table(
            run("focal", 0.9, identity="x", seed=3, folder="a", status="interrupted"),
            run("focal", 0.9, identity="x", seed=3, folder="b"),
            run("focal", 0.9, identity="x", seed=3, folder="c"),
        )
    )
    assert only(comparison)[0].n == 1
    assert only(comparison)[0].unfinished == 0
    assert comparison.duplicates == (("c", "b"), ("a", "b"))


def test_best_needs_validation(tmp_path: Path, fabricate: Any) -> None:
    """Asking for the best epoch of a run without validation is an error that names the run and what to do."""
    fabricate(tmp_path, "focal", 0)
    folder = fabricate(tmp_path, "focal", 1, validation=False)
    runs, _ = frame.load_runs([tmp_path])
    assert summary.summarise(runs, "last").blocks[0].groups[0].n == 2
    with pytest.raises(UsageError, match="no best epoch, as it had no validation images; use --at last") as caught:
        summary.summarise(runs, "best")
    assert str(folder) in str(caught.value)


def test_best_and_last_are_different_numbers(tmp_path: Path, fabricate: Any) -> None:
    """Each epoch's own metrics are averaged."""
    fabricate(tmp_path, "focal", 0, strength=2.0)
    runs, _ = frame.load_runs([tmp_path])
    for at in ("last", "best"):
        (group,) = only(summary.summarise(runs, at))
        assert group.metrics["nll"].mean == runs[f"test.{at}.nll"][0]
    assert runs["test.last.nll"][0] != runs["test.best.nll"][0]
