"""`kill -9` at any moment: what was finished stays, what was not continues to the same numbers."""

import os
import signal
import subprocess
import sys
import time

import pytest
from disturb import (
    ROOT,
    STUDY,
    compare,
    complete,
    descendants,
    failing,
    finish,
    is_running,
    kill,
    moment,
    needs_strace,
    no_half_row,
    spread,
    study,
    sweep,
    train,
    train_on,
    tries,
)

from lossbench.training.checkpoint import SECONDS_BETWEEN

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", tries(6))
def test_a_sweep_killed_at_a_random_moment_continues_to_the_same_numbers(number, undisturbed, commands, tmp_path):
    """Afterwards `compare` works, no row is half, and the same command ends with the tables of an undisturbed sweep."""
    expected, seconds = undisturbed
    folder = study(tmp_path / "study")
    process = sweep(folder)
    time.sleep(moment(number, 0.2, seconds))
    kill(process)
    compare(commands, folder)
    no_half_row(folder)
    finish(sweep(folder))
    complete(folder, expected)


@pytest.mark.parametrize("number", tries(2))
def test_a_sweep_whose_own_process_is_killed_leaves_no_worker_behind(number, undisturbed, commands, tmp_path):
    """The workers notice within five seconds, and the same command continues."""
    expected, seconds = undisturbed
    folder = study(tmp_path / "study")
    process = sweep(folder)
    time.sleep(moment(number, 1, seconds - 1))
    workers = descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    time.sleep(5)
    assert not [pid for pid in workers if is_running(pid)]
    compare(commands, folder)
    finish(sweep(folder))
    complete(folder, expected)


@needs_strace
@pytest.mark.parametrize("call", ["write", "fsync", "rename", "mkdir", "unlinkat"])
def test_a_run_killed_at_a_system_call_continues_to_the_same_numbers(call, traced, undisturbed, commands, tmp_path):
    """At each call that touches the run folder, in turn; by default at two of each kind, spread over the run."""
    expected = {name: table for name, table in undisturbed[0].items() if "categorical_crossentropy-s0-" in name}
    ordinals = spread([each.ordinal for each in traced if each.name == call], 2)
    assert ordinals
    folders = [study(tmp_path / str(ordinal), STUDY) for ordinal in ordinals]
    for ordinal, folder in zip(ordinals, folders, strict=True):
        process = train(folder, before=failing(call, ordinal, "signal=KILL"))
        process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL
        compare(commands, folder)
        no_half_row(folder)
    train_on(folders)
    for folder in folders:
        complete(folder, expected)


@pytest.mark.parametrize("number", tries(1))
def test_a_kill_costs_no_more_than_ten_seconds_of_training(number, lossbench, tmp_path):
    """With the interval as it is: the checkpoint is no older than that and a call of the loop."""
    (tmp_path / "run.yaml").write_text("train: {epochs: 50, threads: 1}\n")
    command = [sys.executable, "-m", "lossbench", "train", "--config", "run.yaml", "--quiet"]
    process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    while not (found := list(tmp_path.glob("runs/*/*/checkpoint/state.npz"))):
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(moment(number, 5, 15))
    process.kill()
    process.wait()
    assert time.time() - found[0].stat().st_mtime < SECONDS_BETWEEN + 2
    assert lossbench("compare", "runs").returncode in {0, 5}
