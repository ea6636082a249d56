"""Sweeps that tune, as processes: killed, several at once, and on Ray."""

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
  tune: {trials: 4, parameters: {optimizer.learning_rate: {log_uniform: [0.001, 0.1]}}}
  cases: [{loss: ce}, {loss: gce, tune: {loss.q: [0.3, 0.5, 0.7]}}]
  seeds: 0-2
"""
FILE = "runs/study/tuning.json"

pytestmark = pytest.mark.slow


def sweep(folder, *arguments):
    """Start the sweep with two workers."""
    return start(folder, "sweep", "study.yaml", "--quiet", *(arguments or ("--jobs", "2")))


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """The file of a sweep that nothing disturbs, with one worker."""
    folder = study(tmp_path_factory.mktemp("tuned") / "study", TEXT)
    finish(sweep(folder, "--jobs", "1"))
    return (folder / FILE).read_bytes()


def test_a_sweep_that_is_killed_twice_continues_to_the_same_choices(tuned, tmp_path):
    """Within the tuning and within the comparison; the settings were there before the first trial."""
    folder = study(tmp_path / "study", TEXT)
    for pattern, count in (("tuning/*", 5), ("*", 2)):
        process = sweep(folder)
        deadline = time.monotonic() + 120
        while len(list(folder.glob(f"runs/study/{pattern}/run.json"))) < count and time.monotonic() < deadline:
            if process.poll() is not None:
                break
            time.sleep(0.01)
        process.kill()
        process.communicate(timeout=60)
        choices = {each["choice"] for each in json.loads((folder / FILE).read_text())["losses"]}
        assert (choices == {None}) == (pattern == "tuning/*")
    finish(sweep(folder))
    assert (folder / FILE).read_bytes() == tuned


def test_two_sweeps_at_once_choose_as_one(tuned, tmp_path):
    """Each trains what the other does not; both end well."""
    folder = study(tmp_path / "study", TEXT)
    for process in [sweep(folder), sweep(folder)]:
        finish(process)
    assert (folder / FILE).read_bytes() == tuned


def test_a_sweep_on_ray_chooses_as_local_workers(tuned, tmp_path):
    """A cluster of its own on this machine."""
    pytest.importorskip("ray")
    folder = study(tmp_path / "study", TEXT)
    finish(sweep(folder, "--executor", "ray", "--jobs", "2"))
    assert (folder / FILE).read_bytes() == tuned
