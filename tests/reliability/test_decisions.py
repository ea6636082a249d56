"""Sweeps that add seeds until they are decided, as processes: killed, several at once, and on Ray."""

import json
import time

import pytest
from disturb import finish, start, study

TEXT = """
name: study
data: {train_size: 400, validation_size: 100}
model: {name: mlp, hidden: [8]}
train: {epochs: 1, threads: 1}
sweep:
  cases: [{loss: ce}, {loss: gce}, {loss: mae}]
  decide: {looks: [6, 8, 10]}
"""
FILE = "runs/study/decision.json"

pytestmark = pytest.mark.slow


def sweep(folder, *arguments):
    """Start the sweep with two workers."""
    return start(folder, "sweep", "study.yaml", "--quiet", *(arguments or ("--jobs", "2")))


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    """The decision of a sweep that nothing disturbs, with one worker."""
    folder = study(tmp_path_factory.mktemp("decided") / "study", TEXT)
    finish(sweep(folder, "--jobs", "1"))
    return (folder / FILE).read_bytes()


def runs(folder):
    """How many runs have begun."""
    return len(list(folder.glob("runs/study/*/run.json")))


def test_a_sweep_that_is_killed_twice_continues_to_the_same_decision(decided, tmp_path):
    """Within the first look and within the second; the plan was there before the first trial."""
    folder = study(tmp_path / "study", TEXT)
    for count in (5, 20):
        process = sweep(folder)
        deadline = time.monotonic() + 120
        while runs(folder) < count and process.poll() is None and time.monotonic() < deadline:
            assert not runs(folder) or (folder / FILE).exists()
            time.sleep(0.01)
        process.kill()
        process.communicate(timeout=60)
        assert json.loads((folder / FILE).read_text())["looks"][-1]["scores"] is None
    finish(sweep(folder))
    assert (folder / FILE).read_bytes() == decided


def test_two_sweeps_at_once_decide_as_one(decided, tmp_path):
    """Each trains what the other does not; both end well."""
    folder = study(tmp_path / "study", TEXT)
    for process in [sweep(folder), sweep(folder)]:
        finish(process)
    assert (folder / FILE).read_bytes() == decided


def test_a_sweep_on_ray_decides_as_local_workers(decided, tmp_path):
    """A cluster of its own on this machine."""
    pytest.importorskip("ray")
    folder = study(tmp_path / "study", TEXT)
    finish(sweep(folder, "--executor", "ray", "--jobs", "2"))
    assert (folder / FILE).read_bytes() == decided
