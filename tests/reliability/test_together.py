"""Many at a time: each trial is trained once, none is lost, and looking on is never an error."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest
from disturb import ROOT, STUDY, complete, finish, start, study, sweep, tries

from lossbench.errors import TakenRunError
from lossbench.runs import lock

HOLDER = """
import sys
from pathlib import Path
from lossbench.runs import lock

with lock.claim(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def events(folder):
    """The journal's lines, each of which is whole."""
    return [json.loads(line) for line in (folder / "runs" / "study" / "sweep.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_sweeps_into_one_folder_train_each_trial_once_while_others_look_on(tmp_path):
    """Three sweeps of four trials of their own; with LOSSBENCH_TRIES=50, eight of fifty; `compare` meanwhile."""
    seeds = len(tries(4))
    sweeps = 8 if seeds >= 50 else 3
    text = STUDY.replace("train_size: 3000", "train_size: 500").replace("epochs: 3", "epochs: 1")
    folder = study(tmp_path / "study", text)
    ranges = [f"{seeds * number}-{seeds * (number + 1) - 1}" for number in range(sweeps)]
    running = [sweep(folder, "--seeds", each) for each in ranges]
    looked = 0
    while any(process.poll() is None for process in running):
        done = start(folder, "compare", "runs", "--format", "csv")
        told, said = done.communicate(timeout=120)
        assert done.returncode in {0, 5} or "no such folder" in said, said
        looked += bool(told)
    for process in running:
        finish(process)
    assert looked
    completed = Counter(each["trial"] for each in events(folder) if each["event"] == "completed")
    assert len(completed) == len(list(folder.glob("runs/study/*/run.json"))) == sweeps * seeds
    assert set(completed.values()) == {1}


@pytest.mark.slow
def test_two_sweeps_of_the_same_trials_share_them(undisturbed, tmp_path):
    """Both end well, each trial is trained by one of them, and the tables are those of one sweep."""
    folder = study(tmp_path / "study")
    for process in [sweep(folder), sweep(folder)]:
        finish(process)
    mine = [each["trial"] for each in events(folder) if each["event"] == "completed" and not each.get("elsewhere")]
    assert len(mine) == len(set(mine)) == 4
    complete(folder, undisturbed[0])


@pytest.fixture
def holder(tmp_path):
    """A process that holds a run, until its stdin is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "runs" / "study" / "run")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_holder_that_sleeps_still_holds_its_run(holder, tmp_path):
    """No clock decides: a machine that slept comes back to a run that is still its own."""
    run = tmp_path / "runs" / "study" / "run"
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(TakenRunError), lock.claim(run):
        pass
    holder.send_signal(signal.SIGCONT)
    holder.communicate(timeout=10)
    with lock.claim(run):
        pass


def test_a_copied_folder_is_free(holder, tmp_path):
    """The copy of a runs folder in which somebody trains carries no lock; the original stays taken."""
    shutil.copytree(tmp_path / "runs", tmp_path / "copy")
    with lock.claim(tmp_path / "copy" / "study" / "run"):
        assert holder.poll() is None
    with pytest.raises(TakenRunError), lock.claim(tmp_path / "runs" / "study" / "run"):
        pass


def test_a_lock_file_is_no_lock(tmp_path):
    """What a dead process has left, whatever process number it had, claims nothing."""
    run = tmp_path / "runs" / "study" / "run"
    lock.lock_file(run).parent.mkdir(parents=True)
    lock.lock_file(run).write_text(str(os.getpid()))
    with lock.claim(run):
        pass
