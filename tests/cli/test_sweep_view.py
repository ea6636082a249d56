"""The live screen of a sweep."""

import sys

import pytest
from made_up_sweeps import CE, FOCAL, GCE, LOOKS, MAE, Study, score
from rich.console import Console

from lossbench.cli.sweep_view import LineView, ScreenView
from lossbench.config import resolve
from lossbench.errors import InterruptedRunError
from lossbench.sweep import verdicts
from lossbench.sweep.executors.messages import TrialProgress
from lossbench.sweep.plan import PlannedTrial
from lossbench.sweep.status import SweepStatus
from lossbench.training import identify

RATE = "data.label_noise.rate"


@pytest.fixture
def status():
    """A sweep of two losses at two noise rates, of which three trials are completed and one runs."""
    planned = []
    for loss in ("ce", "gce"):
        for rate in (0.2, 0.4):
            for seed in (0, 1):
                config = {"loss": loss, "seed": seed, "data": {"label_noise": {"rate": rate}}}
                planned.append(
                    PlannedTrial(identify(resolve.from_mapping(config)), {"loss": loss, RATE: rate, "seed": seed})
                )
    status = SweepStatus(planned)
    status.accuracies = {0: 0.9012, 1: 0.9134, 4: 0.9478}
    for number in status.accuracies:
        status.set_status(number, "completed")
    status.running = {2: TrialProgress(2, 1.5, 5, 0.8765)}
    status.set_status(2, "running")
    return status


def shown(status, width, monkeypatch):
    """The lines of the screen at a width."""
    monkeypatch.setattr(sys, "stderr", sys.stdout)
    view = ScreenView(status)
    view.close()
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(view.screen())
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_number_is_cut_or_wrapped(status, width, monkeypatch):
    """Names end in an ellipsis where they have no room; epochs, accuracies and seeds stay complete on their line."""
    lines = shown(status, width, monkeypatch)
    assert max(map(len, lines)) <= width
    assert [line for line in lines if line.endswith("epoch 2/5  accuracy 0.8765")]
    assert [line for line in lines if line.startswith("generalized") and line.endswith("94.78 %         n 1")]
    assert [line for line in lines if line.startswith("categorical") and line.endswith("90.73 ± 0.86 %  n 2")]
    assert f"best so far by validation · {RATE}=0.2" in " ".join(lines)


@pytest.fixture
def deciding(tmp_path):
    """A sweep that has decided two of four losses, and is stopped before its last look."""
    study = Study(tmp_path, losses=(CE, GCE, FOCAL, MAE, "poly1_crossentropy"))
    with pytest.raises(InterruptedRunError):
        study.run(lambda loss, seed: score(FOCAL if loss.startswith("poly1") else loss, seed), after=50, room=1)
    status, _ = study.status()
    return status


@pytest.mark.parametrize("width", [40, 80])
def test_verdicts_seeds_and_savings_are_on_the_screen(deciding, width, monkeypatch):
    """Per loss; the next look; what is left is counted without the trials that are not needed."""
    lines = shown(deciding, width, monkeypatch)
    assert max(map(len, lines)) <= width
    assert "2 of 4 decided · next look at 12 seeds ·" in " ".join(lines)
    assert [line for line in lines if line.startswith("generalized") and line.endswith("better     n 8")]
    assert [line for line in lines if line.startswith("mean_abs") and line.endswith("worse      n 8")]
    assert [line for line in lines if line.startswith("focal") and line.endswith("undecided  n 10")]
    assert "50 done · 0 running · 0 failed · 2 left" in " ".join(" ".join(lines).split())


def test_a_look_is_one_line(tmp_path, capsys):
    """In a pipe: what was decided, what is left, what was saved."""
    study = Study(tmp_path)
    status, _ = study.status()
    view = LineView(status)
    study.run(on_event=lambda event: view.handle(event) if event["event"] == "look" else None, room=1)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"look at {each} seeds" for each in LOOKS]
    assert lines[0] == "look at 6 seeds: nothing decided; 3 of 3 undecided, 0 trainings saved"
    decided = {loss: each for loss, each in study.verdicts.items() if each[0] != "undecided"}
    assert len(decided) == 2
    for loss, (verdict, seeds) in decided.items():
        assert f"{loss} {verdict}" in lines[LOOKS.index(seeds)]
    saved = sum(12 - seeds for _, seeds in decided.values())
    assert lines[-1].endswith(f"1 of 3 undecided, {saved} trainings saved")


@pytest.mark.parametrize(("key", "images"), [("accuracy", "test"), ("validation_accuracy", "validation")])
def test_a_line_says_of_which_images_an_accuracy_is(deciding, capsys, key, images):
    """A trial that tunes has the second."""
    LineView(deciding).handle({"event": "completed", "trial": "focal-s0", key: 0.9762, "seconds": 3.1})
    assert f"  focal-s0  {images} 97.62 %  3.1 s" in capsys.readouterr().err


def test_trainings_ahead_of_a_look_that_did_not_need_them_are_counted(tmp_path):
    """So that the totals agree with the counts of trials below; not while the look is still open."""
    study = Study(tmp_path)
    study.run(room=1)
    decision = study.status()[0].decision
    assert verdicts.summary(decision, 40).endswith("; 40 of 48 trainings used")
    assert verdicts.summary(decision, 41).endswith("; 40 of 48 trainings used, 1 more trained ahead")


def test_the_last_table_has_80_columns(deciding):
    """Loss, verdict and seeds of each, then the totals."""
    lines = verdicts.table(deciding.decision, deciding.ended).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["loss", "verdict", "seeds"]
    assert lines[1].split() == [GCE, "better", "8"]
    assert lines[-2:] == ["2 of 4 decided by accuracy; 46 of 60 trainings used", f"baseline {CE}"]
