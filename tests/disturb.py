"""What the tests that disturb training share: a small sweep, processes that can be hurt, and what must hold afterwards.

`LOSSBENCH_TRIES=50 pytest -m slow tests/reliability` tries every random disturbance 50 times rather than a few.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_tables import tables

ROOT = Path(__file__).parents[1]

STUDY = """
name: study
data: {train_size: 3000, validation_size: 500}
train: {epochs: 3, threads: 1}
"""
SWEEP = f"{STUDY}sweep: {{cases: [{{loss: ce}}, {{loss: gce}}], seeds: 0-1}}\n"
EPOCHS = 3

CHECKPOINTS_OFTEN = """
from lossbench.training import checkpoint, trainer

checkpoint.SECONDS_BETWEEN = 0.0
trainer.CHUNK_SECONDS = 1e9
"""
"""What Python runs first in these processes: a checkpoint after each call of the loop, of which each has twice as many
batches as the one before, so that the same command makes the same system calls each time."""

CONTINUE = """
import os
import sys

import lossbench

for folder in sys.argv[1:]:
    os.chdir(folder)
    lossbench.train("study.yaml")
"""

HALF_WRITTEN = re.compile(r"\..+\.[0-9a-f]{16}")


def can_trace() -> bool:
    """Whether strace is there and may look at processes; in some containers it may not."""
    command = ["strace", "-f", "-o", os.devnull, "true"]
    return (
        shutil.which("strace") is not None and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )


needs_strace = pytest.mark.skipif(not can_trace(), reason="strace is not installed, or may not trace here")


def tries(few: int) -> list[int]:
    """The numbers of the tries of a random disturbance: `few`, or as many as `LOSSBENCH_TRIES` says."""
    return list(range(int(os.environ.get("LOSSBENCH_TRIES", few))))


def moment(number: int, low: float, high: float) -> float:
    """When a try is disturbed: seconds between two, the same each time for the same number."""
    return float(np.random.default_rng(number).uniform(low, high))


def study(folder: Path, text: str = SWEEP) -> Path:
    """A folder with a `study.yaml`, and what makes checkpoints frequent."""
    (folder / "often").mkdir(parents=True)
    (folder / "often" / "sitecustomize.py").write_text(CHECKPOINTS_OFTEN)
    (folder / "study.yaml").write_text(text)
    return folder


def start(folder: Path, *arguments: str, before: tuple[str, ...] = (), **environment: str) -> subprocess.Popen[str]:
    """Start `lossbench ARGUMENTS` in a study's folder."""
    paths = os.pathsep.join([str(folder / "often"), str(ROOT)])
    return subprocess.Popen(
        [*before, sys.executable, "-m", "lossbench", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def train(folder: Path, *arguments: str, **more: Any) -> subprocess.Popen[str]:
    """Start a training of the study's first trial."""
    return start(folder, "train", "--config", "study.yaml", "--quiet", *arguments, **more)


def sweep(folder: Path, *arguments: str, **more: Any) -> subprocess.Popen[str]:
    """Start the study's sweep with one worker."""
    return start(folder, "sweep", "--config", "study.yaml", "--jobs", "1", "--quiet", *arguments, **more)


def failing(call: str, ordinal: int, how: str) -> tuple[str, ...]:
    """What comes before a command so that its main thread's N-th call of a kind goes wrong."""
    calls = ("-e", f"trace={call}", "-e", f"inject={call}:{how}:when={ordinal}")
    fast = () if how.startswith("signal") else ("--seccomp-bpf",)  # with it, no signal is sent
    return ("strace", "-f", *fast, "-qq", "-o", "/dev/null", *calls)


def spread(ordinals: list[int], few: int) -> list[int]:
    """As many of them as there are tries, from the first on; all, if there are more tries."""
    return ordinals[:: -(-len(ordinals) // len(tries(few)))]


def finish(process: subprocess.Popen[str], code: int = 0, seconds: float = 300) -> str:
    """Wait for a process, and see that it ends as it should, without a traceback; what it said on stderr."""
    _, said = process.communicate(timeout=seconds)
    assert process.returncode == code, said
    assert "Traceback" not in said
    return said


def train_on(folders: list[Path]) -> None:
    """Train the first trial of several studies to its end, in one process."""
    paths = os.pathsep.join([str(folders[0] / "often"), str(ROOT)])
    command = [sys.executable, "-c", CONTINUE, *map(str, folders)]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, check=True, timeout=900)


def compare(commands: Any, folder: Path) -> None:
    """See that `compare` works, whether there is a run already or none."""
    done = commands("compare", "runs", cwd=folder)
    assert done.code in {0, 5} or "no such folder" in done.err, done.err
    assert "Traceback" not in done.err


def no_half_row(folder: Path) -> None:
    """See that every file that has its name is whole: tables, JSON, arrays."""
    for path in folder.glob("runs/*/*/*.csv"):
        content = path.read_text()
        assert content.endswith("\n"), path
        assert len({len(row) for row in csv.reader(content.splitlines())}) == 1, path
    for path in folder.glob("runs/*/*/run.json"):
        json.loads(path.read_text())
    for path in folder.rglob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(arrays[name].dtype != object for name in arrays.files)


def complete(folder: Path, expected: dict[str, Any]) -> None:
    """See that a study is as if nothing had happened: equal tables, each epoch once, nothing left over."""
    assert tables(folder / "runs" / "study") == expected
    for path in folder.glob("runs/study/*/metrics.csv"):
        with path.open(newline="") as file:
            assert [row["epoch"] for row in csv.DictReader(file)] == [str(epoch) for epoch in range(EPOCHS)]
    left_over = [path for path in folder.glob("runs/study/*/*") if path.name == "checkpoint" or is_half_written(path)]
    assert not left_over


def is_half_written(path: Path) -> bool:
    """Whether this is a file under the name that it has until it is whole."""
    return HALF_WRITTEN.fullmatch(path.name) is not None


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    try:
        children = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*children, *(each for child in children for each in descendants(child))]


def gone(pids: list[int], within: float) -> bool:
    """Whether all of these processes end within so many seconds."""
    deadline = time.monotonic() + within
    while any(is_running(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(process: subprocess.Popen[str]) -> None:
    """`kill -9` of a process and all that it has started, as when a machine is switched off."""
    for pid in [process.pid, *descendants(process.pid)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.communicate()
