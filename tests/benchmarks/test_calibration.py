"""The benchmark of verdicts counts what it says; its full tables take minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks import calibration
from fabricate import row

from lossbench.analysis import loading
from lossbench.statistics import Decision, Plan

if TYPE_CHECKING:
    from pathlib import Path

CE = "categorical_crossentropy"


@pytest.mark.parametrize("law", calibration.LAWS)
def test_differences_have_the_scale_and_the_true_values(law: str) -> None:
    """A standard deviation of 1, without failures, and these means."""
    table = calibration.differences(law, np.random.default_rng(0), 40_000, (0.0, 1.5))
    ordinary = table[(np.abs(table) < 10).all(axis=1)] if law == "failures" else table
    assert ordinary.std(axis=0) == pytest.approx([1, 1], rel=0.1)
    assert ordinary.mean(axis=0) == pytest.approx([0, 1.5], abs=0.05)


def test_false_verdicts_are_rare_and_power_exceeds_holms() -> None:
    """400 studies of five losses and eight seeds: 5 % and three standard errors at most."""
    wrong, ours, theirs = calibration.fixed_shares("normal", 8, 5, 400)
    assert wrong <= 0.08
    assert ours > theirs > 0.4


def test_the_best_loss_of_a_cell_is_in_its_set_and_sets_shrink_with_the_spread() -> None:
    """40 worlds of four cells: at least 95 % less three standard errors; few losses where they differ much."""
    found = [calibration.map_shares("normal", spread, 8, 40) for spread in (0.0, 3.0)]
    assert min(share for share, _ in found) >= 0.9
    assert 8 < found[0][1] <= 10
    assert 1 <= found[1][1] < 5


@pytest.mark.parametrize(
    ("decision", "effect", "expected"),
    [
        (None, 0.0, False),
        (Decision("better", 6), 0.0, True),
        (Decision("worse", 6), 0.0, True),
        (Decision("worse", 6), 1.0, True),
        (Decision("better", 6), 1.0, False),
        (Decision("worse", 6), -1.0, False),
        (Decision("equivalent", 6), 0.4, False),
        (Decision("equivalent", 6), 0.5, True),
        (Decision("equivalent", 6), -0.5, True),
    ],
)
def test_a_verdict_is_false_if_its_sign_is(decision: Decision | None, effect: float, expected: object) -> None:
    """Better or worse of an equal loss, or of one that is the contrary; equivalent of one that differs by the rope."""
    assert calibration.is_false(decision, effect, rope=0.5) is expected


def test_trainings_are_counted_with_the_baselines() -> None:
    """Very clear effects end at the first look that can decide; none decided takes all."""
    plan = Plan((6, 8, 10), spending="linear")
    wrong, trained, decided = calibration.sequential_shares("normal", (50.0,) * 3, plan, np.random.default_rng(0), 5)
    assert (wrong, decided) == (0, 1)
    assert trained == pytest.approx(0.8)
    _, trained, decided = calibration.sequential_shares("normal", (0.0,), Plan((3,)), np.random.default_rng(0), 5)
    assert (trained, decided) == (1, 0)


def test_runs_of_two_losses_are_resampled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A row per way to draw them, as far as there are enough; any other number of losses is refused."""
    scores = np.random.default_rng(0).normal(0.9, 0.01, (30, 2))
    runs = [row(loss, seed, scores[seed, which]) for seed in range(30) for which, loss in enumerate((CE, "again"))]
    monkeypatch.setattr(loading, "rows", lambda _: (runs, []))
    calibration.same(2, tmp_path)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("30 pairs; accuracy 90.")
    assert [line.split("|")[1].strip() for line in printed[6:]] == ["1 loss, same seeds", "1 loss, other seeds each"]
    runs.append(row("focal", 0, 0.9))
    with pytest.raises(SystemExit, match="expected completed runs of two losses, got"):
        calibration.same(2, tmp_path)
