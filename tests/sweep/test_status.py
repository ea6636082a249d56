"""How a sweep stands."""

import pytest

from lossbench.config import resolve
from lossbench.runs import paths
from lossbench.sweep.executors.messages import TrialProgress
from lossbench.sweep.plan import PlannedTrial
from lossbench.sweep.status import FINISHED, STATUSES, Leader, SweepStatus, read_status
from lossbench.training import identify, run_folder


def plan(*settings):
    """A planned trial for each mapping of dotted keys."""
    planned = []
    for each in settings:
        config = {"loss": each.get("loss", "ce"), "seed": each.get("seed", 0)}
        if head := each.get("model.head"):
            config["model"] = {"head": head}
        if rate := each.get("data.label_noise.rate"):
            config["data"] = {"label_noise": {"rate": rate}}
        planned.append(PlannedTrial(identify(resolve.from_mapping(config)), each))
    return planned


def test_leaders_are_ranked_within_each_condition_and_never_pooled():
    """The noise rate makes conditions; n, mean and deviation are over seeds; what is not completed does not count."""
    cells = [{"loss": loss, "data.label_noise.rate": rate} for rate in (0.2, 0.4) for loss in ("ce", "gce")]
    status = SweepStatus(plan(*({**cell, "seed": seed} for seed in (0, 1) for cell in cells)))
    status.accuracies = {0: 0.9, 1: 0.8, 2: 0.5, 4: 0.8}
    first, second = "data.label_noise.rate=0.2", "data.label_noise.rate=0.4"
    ce, gce = "categorical_crossentropy", "generalized_crossentropy"
    assert status.leaders() == [
        Leader(first, ce, 2, pytest.approx(0.85), pytest.approx(0.1 / 2**0.5)),
        Leader(first, gce, 1, 0.8, None),
        Leader(second, ce, 1, 0.5, None),
    ]


def test_what_belongs_to_a_loss_makes_no_condition():
    """A head that one case sets for its loss."""
    status = SweepStatus(plan({"loss": "ce"}, {"loss": "arcface", "model.head": "cosine"}))
    status.accuracies = {0: 0.9, 1: 0.95}
    assert [(each.condition, each.loss) for each in status.leaders()] == [
        ("", "arcface"),
        ("", "categorical_crossentropy"),
    ]


@pytest.fixture
def five():
    """The status of a sweep of five equal trials."""
    return SweepStatus(plan(*({"seed": seed} for seed in range(5))))


def end(status, number, how="completed"):
    """End a trial as the scheduler does."""
    if how == "completed":
        status.count_rest(number)
    status.running.pop(number, None)
    status.set_status(number, how)


def test_the_time_left_is_the_cost_left_at_the_speed_since_the_first_progress(five):
    """The first half trial takes twenty seconds, in which the workers start; each further trial takes ten."""
    assert five.seconds_left(10) is None
    five.running[0] = None
    five.advance(TrialProgress(0, 0, 5))
    five.advance(TrialProgress(0, 2.5, 5))
    assert five.seconds_left(20) is None
    end(five, 0)
    assert five.seconds_left(25) == pytest.approx(40)
    end(five, 1)
    assert five.seconds_left(35) == pytest.approx(30)
    five.running[2] = None
    five.advance(TrialProgress(2, 0, 5))
    five.advance(TrialProgress(2, 2.5, 5))
    assert five.seconds_left(40) == pytest.approx(25)
    end(five, 3, "failed")
    assert five.seconds_left(40) == pytest.approx(15)


def test_what_an_earlier_call_trained_is_not_the_speed_of_this_one(five):
    """A trial that continues after nine tenths trains a tenth in ten seconds."""
    for number in (0, 1):
        five.running[number] = None
        five.advance(TrialProgress(number, 4.5, 5))
        assert five.seconds_left(5 + 10 * number) is None
        end(five, number)
    assert five.seconds_left(25) == pytest.approx(300)


def test_a_lost_trial_counts_as_time_and_never_makes_the_work_shrink(five):
    """Half a trial in ten seconds is the speed, whether it was lost or not."""
    end(five, 0)
    assert five.seconds_left(10) is None
    five.running[1] = None
    five.advance(TrialProgress(1, 0, 5))
    five.advance(TrialProgress(1, 2.5, 5))
    assert five.seconds_left(20) == pytest.approx(70)
    five.running.pop(1)
    assert five.seconds_left(20) == pytest.approx(80)


def test_no_time_has_passed_since_the_first_progress(five):
    """A coarse clock says nothing, and divides by nothing."""
    end(five, 0)
    assert five.seconds_left(10) is None
    end(five, 1)
    assert five.seconds_left(10) is None


def test_finished_runs_count_by_their_validation_accuracy(fabricate, tmp_path):
    """A sweep that continues ranks what earlier calls trained by validation too."""
    planned = plan({"seed": 0})
    trial = planned[0].trial
    metrics = {"test.last.accuracy": 0.99, "val.last.accuracy": 0.91, "val.best.accuracy": 0.95}
    run = fabricate(tmp_path, metrics=metrics, hashes={"identity": trial.identity, "data": None, "plugin": None})
    target = run_folder(trial, tmp_path)
    target.parent.mkdir(parents=True, exist_ok=True)
    run.rename(target)
    assert read_status(planned, tmp_path).accuracies == {0: 0.91}


def test_counts_follow_the_statuses():
    """Each trial is counted once."""
    status = SweepStatus(plan(*({"seed": seed} for seed in range(3))))
    status.set_status(0, "running")
    status.set_status(0, "completed")
    status.set_status(1, "failed")
    assert (+status.counts) == {"completed": 1, "failed": 1, "new": 1}
    assert (status.finished, status.is_complete) == (2, False)
    assert str(status) == "1 completed, 1 failed, 1 new of 3 trials"


def test_statuses_are_those_of_run_folders_and_new():
    """A status that a run folder may have is counted and listed."""
    assert set(STATUSES) == {*paths.STATUSES, "dropped", "new"}
    assert set(FINISHED) < set(STATUSES)
