"""What a sweep costs and survives, measured: `python tests/benchmarks/sweeps.py small|empty|worker|sweep|shards`.

small    200 trials of one epoch on 2,000 images: trials a minute, the part spent in training
empty    10,000 trials that do nothing: the overhead of a trial
worker   kill -9 of a worker at random moments of ten sweeps, against an undisturbed one
sweep    kill -9 of the whole sweep at random moments of ten sweeps, called again until complete
shards   five shards, put together, against one sweep
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from run_tables import tables  # noqa: E402 - the tests' own modules are found only now

STUDY = Path("runs") / "study"
SMALL = "data: {train_size: 2000, validation_size: 500}\ntrain: {epochs: 1}\nsweep: {seeds: 0-199}\n"
KILLED = """
data: {train_size: 10000, validation_size: 1000}
train: {epochs: 3}
sweep: {cases: [{loss: ce}, {loss: gce}, {loss: focal}], seeds: 0-3}
"""
EMPTY = "sweep: {cases: [{loss: ce}, {loss: gce}], seeds: 0-4999}\n"


def command(folder: Path, *arguments: str) -> list[str]:
    """A sweep of `study.yaml` in a folder."""
    return [sys.executable, "-m", "lossbench", "sweep", "--config", str(folder / "study.yaml"), *arguments]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a sweep in a folder; its events come on stdout."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    return subprocess.Popen(command(folder, "--json", *arguments), cwd=folder, env=environment, **pipes)


def finish(folder: Path, *arguments: str) -> float:
    """Run a sweep to its end; the seconds that it took."""
    began = time.perf_counter()
    with start(folder, *arguments) as process:
        process.communicate()
    if process.returncode:
        sys.exit(f"the sweep ended with {process.returncode}")
    return time.perf_counter() - began


def study(text: str) -> Path:
    """A new folder with a `study.yaml`."""
    folder = Path(tempfile.mkdtemp(prefix="lossbench-"))
    (folder / "study.yaml").write_text(text)
    return folder


def events(folder: Path) -> list[dict[str, object]]:
    """The journal."""
    return [json.loads(line) for line in (folder / "runs" / "study" / "sweep.jsonl").read_text().splitlines()]


def small() -> None:
    """Print how many small trials a minute there are, and what they spend their time with."""
    folder = study(SMALL)
    wall = finish(folder, "--jobs", "2")
    runs = [json.loads(path.read_text())["seconds"] for path in folder.glob("runs/study/*/run.json")]
    say(f"{len(runs)} trials in {wall:.1f} s: {60 * len(runs) / wall:.0f} a minute")
    for phase in runs[0]:
        share = sum(each[phase] for each in runs) / (2 * wall)
        median = statistics.median(each[phase] for each in runs)
        say(f"{phase:10}  {share:5.1%} of the workers' time, median {median:.3f} s a trial")


def empty() -> None:
    """Print the overhead of a trial: planning, looking, handing out, hearing, journal, and ending."""
    from lossbench.sweep import plan
    from lossbench.sweep.executors.local import DeviceSlot, LocalExecutor
    from lossbench.sweep.executors.messages import WorkerSettings
    from lossbench.sweep.journal import Journal
    from lossbench.sweep.scheduler import run
    from lossbench.sweep.status import read_status
    from lossbench.training import identify
    from lossbench.training.signals import StopRequest

    folder = study(EMPTY)
    worker = folder / "worker.py"
    worker.write_text(
        "from lossbench.sweep.executors.messages import TrialStarted, TrialEnded\n"
        "from lossbench.sweep.executors.worker import serve\n\n"
        "def do(job, send):\n"
        "    send(TrialStarted(job['number']))\n"
        "    return TrialEnded(job['number'], 'completed', accuracy=0.9, seconds=0.0)\n\n"
        "serve(lambda settings: do)\n"
    )
    began = time.perf_counter()
    planned, _ = plan.trials(plan.load(folder / "study.yaml"), identify)
    middle = time.perf_counter()
    status = read_status(planned, folder / "runs")
    executor = LocalExecutor(WorkerSettings(str(folder)), [DeviceSlot("cpu")] * 2, [sys.executable, "-P", str(worker)])
    run(
        status,
        lambda: executor,
        runs_dir=folder / "runs",
        journal=Journal(folder / "runs" / "study"),
        stop=StopRequest(),
    )
    end = time.perf_counter()
    number = len(planned)
    say(f"{number} empty trials in {end - began:.1f} s: {1000 * (end - began) / number:.2f} ms a trial")
    say(f"of it the plan {1000 * (middle - began) / number:.2f} ms, the rest {1000 * (end - middle) / number:.2f} ms")


def kills(what: str) -> None:
    """Print what ten kills of a worker, or of the sweep, have cost."""
    whole = study(KILLED)
    undisturbed = finish(whole)
    expected, random_ = tables(whole / STUDY), np.random.default_rng(0)
    say(f"undisturbed: {undisturbed:.1f} s, {len(expected)} tables")
    for number in range(10):
        folder = study(KILLED)
        process = start(folder)
        moment = random_.uniform(1, undisturbed)
        time.sleep(moment)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        workers = [int(pid) for pid in children.read_text().split()] if children.exists() else []
        if what == "sweep":
            process.kill()
            process.communicate()
            finish(folder)
        else:
            if workers:
                os.kill(int(random_.choice(workers)), signal.SIGKILL)
            process.communicate()
        equal = tables(folder / STUDY) == expected
        completed = [each["trial"] for each in events(folder) if each["event"] == "completed"]
        again = sum(float(str(each.get("epoch", 0))) == 0 for each in events(folder) if each["event"] == "started")
        say(
            f"{number + 1:2}: kill -9 after {moment:4.1f} s ({len(workers)} workers): "
            f"{'equal' if equal else 'NOT EQUAL'}, {len(completed)} completed, "
            f"{len(completed) - len(set(completed))} twice, {again - len(expected) // 4} begun anew"
        )
        shutil.rmtree(folder)


def shards() -> None:
    """Print whether five shards, put together, are the sweep."""
    whole = study(KILLED)
    finish(whole)
    merged: dict[str, list[dict[str, str]]] = {}
    sizes = []
    for number in range(1, 6):
        part = study(KILLED)
        finish(part, "--shard", f"{number}/5")
        found = tables(part / STUDY)
        sizes.append(len(found))
        merged |= found
    say(f"tables a shard: {sizes}, together {len(merged)}; equal to one sweep: {merged == tables(whole / STUDY)}")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    if chosen in {"worker", "sweep"}:
        kills(chosen)
    elif chosen in {"small", "empty", "shards"}:
        {"small": small, "empty": empty, "shards": shards}[chosen]()
    else:
        sys.exit(__doc__)
