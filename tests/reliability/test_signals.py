"""Signals at any moment: a checkpoint, one line, the exit code of the signal, and nobody left behind."""

import os
import signal
import subprocess
import sys
import time

import pytest
from disturb import (
    ROOT,
    STUDY,
    SWEEP,
    complete,
    descendants,
    finish,
    gone,
    moment,
    no_half_row,
    study,
    sweep,
    train,
    tries,
)

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECONDS = 5
"""Within which everything has ended, wherever it was; importing TensorFlow may take as long again."""


def stopped(process, signum):
    """Send a signal; see that the process ends by it or with its exit code, with one line, and its children with it."""
    children = descendants(process.pid)
    was_over = process.poll() is not None
    process.send_signal(signum)
    _, said = process.communicate(timeout=60)
    assert "Traceback" not in said
    assert gone(children, SECONDS)
    if was_over or process.returncode == 0:  # it had been faster than the signal
        return
    assert process.returncode in {-signum, 128 + signum}, said
    if process.returncode > 0:
        assert "the same command" in said
        assert all(line.startswith("error: ") for line in said.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("number", tries(3))
@pytest.mark.parametrize("start", [train, sweep])
def test_a_signal_at_a_random_moment_ends_it_and_the_same_command_continues(start, number, undisturbed, tmp_path):
    """SIGINT, SIGTERM and SIGHUP in turn, of `train` and of `sweep`."""
    expected, seconds = undisturbed
    folder = study(tmp_path / "study", STUDY if start is train else SWEEP)
    process = start(folder)
    time.sleep(moment(number, 0.2, seconds * (0.7 if start is train else 1)))
    stopped(process, STOPPING[number % 3])
    no_half_row(folder)
    finish(start(folder))
    mine = {name: table for name, table in expected.items() if start is sweep or "categorical_crossentropy-s0-" in name}
    complete(folder, mine)


@pytest.mark.slow
@pytest.mark.parametrize("number", tries(2))
@pytest.mark.parametrize("start", [train, sweep])
def test_a_second_signal_ends_it_at_once(start, number, tmp_path):
    """With no word more, and the workers of a sweep within five seconds; only TensorFlow's compiler is waited for."""
    process = start(study(tmp_path / "study", STUDY if start is train else SWEEP))
    time.sleep(moment(number, 2, 6))
    children = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - began < 2 * SECONDS
    assert "Traceback" not in said
    assert process.returncode in {-signal.SIGINT, 128 + signal.SIGINT, 0}
    assert gone(children, SECONDS)


@pytest.mark.parametrize("delay", [0.1, 0.2, 0.4, 0.8])
def test_ctrl_c_during_a_short_command_leaves_no_traceback(delay, fabricate, tmp_path):
    """While it imports, reads or prints: it ends by the signal, or it was faster."""
    fabricate(tmp_path / "runs", "focal")
    process = subprocess.Popen(
        [sys.executable, "-m", "lossbench", "compare", "runs"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in {-signal.SIGINT, 0}
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["compare", "runs", "--format", "csv"], 0),
        (["compare", "runs", "--fail-if", "nll > 1e-9"], 3),
        (["losses"], 0),
    ],
)
def test_a_reader_that_is_gone_changes_no_exit_code(arguments, code, fabricate, tmp_path):
    """`lossbench compare runs | head -0` says nothing, and a gate that fails still fails."""
    for seed in range(3):
        fabricate(tmp_path / "runs", "focal", seed)
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [sys.executable, "-m", "lossbench", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert "Traceback" not in said
    assert "Broken pipe" not in said
