"""`lossbench sweep` as a process."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from run_tables import tables

from lossbench.extras import install_command

ROOT = Path(__file__).parents[2]

TEXT = """
data: {train_size: 500, validation_size: 100}
train: {epochs: 1}
sweep:
  cases: [{loss: ce}, {loss: squentropy, optimizer: {name: sgd, learning_rate: 1e+38}}]
  seeds: 0-1
"""


def test_a_sweep_trains_everything_counts_what_diverged_and_continues(lossbench, tmp_path):
    """Exit 4 for the diverged ones; called again it trains nothing; the dry run tells what is there."""
    (tmp_path / "study.yaml").write_text(TEXT)
    before = lossbench("sweep", "--config", "study.yaml", "--dry-run", check=0)
    assert re.findall(r"^(\w+) ", before.stdout, re.MULTILINE) == ["new"] * 4
    assert not (tmp_path / "runs").exists()
    first = lossbench("sweep", "--config", "study.yaml", check=4)
    assert first.stdout == "runs/study\n"
    assert "2 completed, 2 diverged of 4 trials" in first.stderr
    assert "WARNING" not in first.stderr
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/study/*/run.json")}
    assert len(stamps) == 4
    again = lossbench("sweep", "--config", "study.yaml", check=4)
    assert again.stderr.splitlines()[0] == "2 completed, 2 diverged of 4 trials"
    assert stamps == {path: path.stat().st_mtime_ns for path in stamps}
    for device, message in (("tpu", "expected auto, cpu, gpu or gpu:N"), ("CUDA:99", "not gpu:99")):
        wrong = lossbench("sweep", "--config", "study.yaml", "--device", device, check=2)
        assert message in wrong.stderr, "a device is judged alike, done or not"
    after = lossbench("sweep", "--config", "study.yaml", "--dry-run", check=0)
    assert re.findall(r"^(\w+) ", after.stdout, re.MULTILINE) == ["completed", "diverged"] * 2


@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_trial_of_a_sweep_is_the_trial_alone(threads, lossbench, tmp_path):
    """Same folder, same bytes as `train` makes of the same keys, though other trials ran before in the process."""
    settings = ("data.train_size=500", "data.validation_size=100", "train.epochs=1", "train.save_weights=true")
    (tmp_path / "study.yaml").write_text(f"loss: ce\ntrain: {{threads: {threads}}}\n")
    lossbench("sweep", "--config", "study.yaml", "--seeds", "0-1", "--jobs", "1", *settings, check=0)
    alone = lossbench("train", "--config", "study.yaml", "seed=1", "--runs-dir", "alone", *settings, check=0)
    swept = tmp_path / alone.stdout.strip().replace("alone", "runs")
    for name in ("predictions.npz", "per_class.csv", "weights.npz"):
        assert (swept / name).read_bytes() == (tmp_path / alone.stdout.strip() / name).read_bytes()


@pytest.mark.slow
def test_a_device_that_is_not_there_stops_the_sweep_with_one_line(lossbench, tmp_path):
    """Exit 2, nothing on stdout."""
    (tmp_path / "study.yaml").write_text(TEXT)
    done = lossbench("sweep", "--config", "study.yaml", "--device", "gpu", "--jobs", "1")
    assert (done.returncode, done.stdout, done.stderr.count("no GPU")) == (2, "", 1)


def test_train_says_that_a_sweep_is_for_sweep(lossbench, tmp_path):
    """Exit 2, and nothing is trained."""
    (tmp_path / "study.yaml").write_text(TEXT)
    done = lossbench("train", "--config", "study.yaml")
    assert done.returncode == 2
    assert "`lossbench sweep` trains all of it" in done.stderr


@pytest.mark.slow
def test_run_json_of_each_trial_is_its_own(lossbench, tmp_path):
    """Loss and seed in the folder are those of the trial."""
    (tmp_path / "study.yaml").write_text("data: {train_size: 500}\ntrain: {epochs: 1}\n")
    lossbench("sweep", "--config", "study.yaml", "loss=ce,gce", "--seeds", "0,3", "--jobs", "1", "--quiet", check=0)
    found = {
        (s["loss"], s["seed"]) for s in map(json.loads, (p.read_text() for p in tmp_path.glob("runs/*/*/run.json")))
    }
    assert found == {
        (loss, seed) for loss in ("categorical_crossentropy", "generalized_crossentropy") for seed in (0, 3)
    }


LONGER = """
data: {train_size: 2000, validation_size: 500}
train: {epochs: 4, batch_size: 8}
sweep: {seeds: 0-2}
"""
SHORT = "data: {train_size: 500, validation_size: 100}\ntrain: {epochs: 1}\n"


def events(folder):
    """The journal."""
    return [json.loads(line) for line in (folder / "sweep.jsonl").read_text().splitlines()]


@pytest.fixture
def start(tmp_path):
    """Start a sweep whose events can be read line by line as they happen."""
    begun = []

    def begin(*arguments):
        command = [sys.executable, "-m", "lossbench", "sweep", "--config", "study.yaml", "--json", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        begun.append(subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def wait_for(process, kind, number=1):
    """Read events until so many of a kind have happened."""
    for line in process.stdout:
        number -= json.loads(line)["event"] == kind
        if not number:
            return
    pytest.fail(f"no {kind} before the end: {process.stderr.read()}")


def children(process):
    """The processes that a process has started."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def is_alive(pid):
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, trainings):
    """What LONGER comes to when nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "study.yaml").write_text(LONGER)
    done = trainings("sweep", "--config", "study.yaml", "--quiet", "--jobs", "1", cwd=folder)
    assert done.code == 0, done.err
    return tables(folder / "runs" / "study")


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nobody_anything(start, tmp_path, undisturbed):
    """By kill -9 in the middle of a trial: it is handed out again, the sweep completes, every number is as ever."""
    (tmp_path / "study.yaml").write_text(LONGER)
    process = start()
    wait_for(process, "started", 2)
    os.kill(children(process)[0], signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "3 completed of 3 trials" in said
    assert tables(tmp_path / "runs" / "study") == undisturbed
    retried = [each for each in events(tmp_path / "runs" / "study") if each["event"] == "retried"]
    assert ["its worker was ended by signal 9" in each["reason"] for each in retried] == [True]


@pytest.mark.slow
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_sweep_that_is_stopped_goes_on_where_it_was(start, lossbench, tmp_path, undisturbed, signum, code):
    """Its workers are gone; the same command completes it; no trial is completed twice.

    Five seconds are the goal; a machine in trouble is given fifteen.
    """
    (tmp_path / "study.yaml").write_text(LONGER)
    process = start()
    wait_for(process, "started", 2)
    workers = children(process)
    process.send_signal(signum)
    began = time.monotonic()
    _, said = process.communicate(timeout=60)
    while any(is_alive(pid) for pid in workers):
        assert time.monotonic() - began < 15
        time.sleep(0.05)
    assert process.returncode == code, said
    if signum != signal.SIGKILL:
        assert re.search(r"of 3 trials\nerror: the same command continues: lossbench sweep --config study.yaml", said)
    lossbench("sweep", "--config", "study.yaml", "--jobs", "1", check=0)
    assert tables(tmp_path / "runs" / "study") == undisturbed
    completed = [each["trial"] for each in events(tmp_path / "runs" / "study") if each["event"] == "completed"]
    assert len(completed) == len(set(completed))


@pytest.mark.slow
def test_two_sweeps_of_one_folder_share_the_work(start, tmp_path, undisturbed):
    """Started together: both end well, every trial is trained once, by the one or the other."""
    (tmp_path / "study.yaml").write_text(LONGER)
    both = [start("--jobs", "1"), start("--jobs", "1")]
    ended = [process.communicate(timeout=180) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert tables(tmp_path / "runs" / "study") == undisturbed
    started = [each["trial"] for each in events(tmp_path / "runs" / "study") if each["event"] == "started"]
    assert len(started) == len(set(started)) == 3


@pytest.mark.slow
def test_shards_put_together_are_the_sweep(lossbench, tmp_path):
    """Every folder in exactly one of them, with the numbers of one sweep of all."""
    (tmp_path / "study.yaml").write_text(SHORT + "sweep: {cases: [{loss: ce}, {loss: gce}], seeds: 0-2}\n")
    lossbench("sweep", "--config", "study.yaml", "--runs-dir", "whole", check=0)
    parts = [f"part{number}" for number in (1, 2, 3)]
    for number, part in enumerate(parts, 1):
        lossbench("sweep", "--config", "study.yaml", "--shard", f"{number}/3", "--runs-dir", part, check=0)
    merged = [tables(tmp_path / part / "study") for part in parts]
    assert sum(map(len, merged)) == len(merged[0] | merged[1] | merged[2])
    assert merged[0] | merged[1] | merged[2] == tables(tmp_path / "whole" / "study")


PLUGIN = '''
from pathlib import Path
import time
from lossbench import ops

def mine(y_true, y_pred, *, scale: float = 1.0):
    """A loss that is broken in training until a file is there."""
    if scale == 2 and Path("runs").exists() and not Path("mended").exists():
        {trouble}
    return -scale * ops.sum(y_true * ops.log_softmax(y_pred), axis=-1)
'''


@pytest.mark.slow
def test_a_failed_trial_is_left_with_its_reason_and_tried_again_only_if_asked_for(lossbench, tmp_path):
    """The others are trained; exit 4; the second call leaves it alone, --retry-failed mends it."""
    (tmp_path / "study.yaml").write_text(SHORT + "sweep: {parameters: {loss: [{name: mine}, {name: mine, scale: 2}]}}")
    (tmp_path / "p.py").write_text(PLUGIN.format(trouble="raise ValueError('not yet')"))
    arguments = ("sweep", "--config", "study.yaml", "--plugin", "p.py", "--jobs", "1")
    failed = lossbench(*arguments, check=4)
    assert "1 completed, 1 failed of 2 trials" in failed.stderr
    assert re.search(r"error: mine-\S+ failed: .*not yet.*; see runs/study/mine-\S+/log.txt", failed.stderr)
    assert "Traceback" not in failed.stderr
    logs = [path.read_text() for path in tmp_path.glob("runs/study/mine-*/log.txt")]
    assert sum("not yet" in log for log in logs) == 1
    assert "failed" in lossbench("compare", "runs").stdout
    (tmp_path / "mended").touch()
    assert "1 completed, 1 failed of 2 trials" in lossbench(*arguments, check=4).stderr
    assert "2 completed of 2 trials" in lossbench(*arguments, "--retry-failed", check=0).stderr


@pytest.mark.slow
def test_a_trial_that_hangs_is_ended_and_the_others_are_trained(lossbench, tmp_path):
    """Twice, as it is tried again; the reason names the limit."""
    (tmp_path / "study.yaml").write_text(SHORT + "sweep: {parameters: {loss: [{name: mine, scale: 2}, {name: mine}]}}")
    (tmp_path / "p.py").write_text(PLUGIN.format(trouble="time.sleep(600)"))
    options = ("--plugin", "p.py", "--trial-timeout", "15", "--jobs", "1")
    done = lossbench("sweep", "--config", "study.yaml", *options, check=4)
    assert "1 completed, 1 failed of 2 trials" in done.stderr
    assert "failed: it ran longer than 15 s, 2 times" in done.stderr


def test_the_trials_are_listed_in_three_forms(lossbench, tmp_path):
    """Status, folder, seed, loss and what the sweep sets; stdout is the list and nothing else."""
    (tmp_path / "study.yaml").write_text("sweep: {parameters: {data.label_noise.rate: [0.2, 0.4]}, seeds: 0-1}\n")
    arguments = ("sweep", "--config", "study.yaml", "loss={name: gce, q: 0.5}", "--dry-run", "--format")
    listed = json.loads(lossbench(*arguments, "json", check=0).stdout)["trials"]
    assert [(each["seed"], each["settings"]) for each in listed] == [
        (seed, {"data.label_noise.rate": rate}) for seed in (0, 1) for rate in (0.2, 0.4)
    ]
    assert {(each["name"], each["status"], each["loss"]) for each in listed} == {
        ("study", "new", "generalized_crossentropy q=0.5")
    }
    rows = list(csv.DictReader(lossbench(*arguments, "csv", check=0).stdout.splitlines()))
    assert [row["set.data.label_noise.rate"] for row in rows] == ["0.2", "0.4"] * 2
    assert [row["folder"] for row in rows] == [each["folder"] for each in listed]
    table = lossbench(*arguments, "table", check=0)
    assert table.stdout.splitlines()[0] == f"new          {listed[0]['folder']}  data.label_noise.rate=0.2"
    assert max(map(len, table.stderr.splitlines())) <= 80
    sentences = " ".join(table.stderr.split())
    assert sentences.startswith("4 new of 4 trials 4 trials to train: about ")
    assert "no loss has a seed in common with the baseline categorical_crossentropy, so" in sentences


def test_the_forecast_is_in_the_metric_and_from_the_baseline_of_the_decision(lossbench, tmp_path):
    """Those of `sweep.decide`; a standard deviation without a name is of that metric; looks cost a little power."""
    decide = "sweep: {cases: [{loss: ce}, {loss: focal}], decide: {metric: nll, baseline: focal, max_seeds: 10}}\n"
    (tmp_path / "study.yaml").write_text(decide)
    done = lossbench("sweep", "--config", "study.yaml", "--dry-run", "--sd", "0.01", check=0)
    assert "10 seeds would show this difference in NLL from focal with 80 % probability" in " ".join(
        done.stderr.split()
    )
    assert re.search(r": 0\.010[0-4] \(standard deviation 0\.0100, as given\)", " ".join(done.stderr.split()))


def test_a_sweep_of_one_is_a_sweep(lossbench, tmp_path):
    """A configuration without the section; the run that `train` has trained is its one trial."""
    (tmp_path / "study.yaml").write_text(SHORT)
    lossbench("train", "--config", "study.yaml", check=0)
    assert "1 completed of 1 trial\n" in lossbench("sweep", "--config", "study.yaml", check=0).stderr


BAD = [
    (["--shard", "0/5"], r"--shard: expected I/N with 1 ≤ I ≤ N, e.g. 2/5, got '0/5'"),
    (["--shard", "6/5"], r"--shard: expected I/N"),
    (["--shard", "half"], r"--shard: expected I/N"),
    (["--jobs", "0"], r"--jobs"),
    (["--trial-timeout", "0"], r"--trial-timeout"),
    (["--seeds", "9-0"], r"expected ranges from low to high, 1,000,000 seeds at most, got '9-0'"),
    (["--seeds", "0-999999", "loss=ce,gce"], r"2,000,000 trials, more than 1,000,000; .* confirm with --yes"),
    (["optimizer.lerning_rate=1,2"], r"unknown key; did you mean 'learning_rate'"),
    (["loss=ce,nll"], r"the sweep has categorical_crossentropy-s0 twice: loss=ce and loss=nll; remove one"),
    (["--format", "csv"], r"--format: only the list of trials has a format; add --dry-run"),
    (["--sd", "0.2pp"], r"--sd: only the forecast uses it; add --dry-run"),
    (["--dry-run", "--sd", "0.2"], r"--sd: '0.2': a difference in accuracy needs a unit: 0.2pp"),
    (["--cpus-per-trial", "2"], r"--cpus-per-trial: this is for --executor ray"),
    (["--executor", "local", "--ray-address", "auto"], r"--ray-address: this is for --executor ray"),
]


@pytest.mark.parametrize(("options", "message"), BAD, ids=[" ".join(options) for options, _ in BAD])
def test_bad_input_gets_a_sentence(lossbench, tmp_path, options, message):
    """Where and what; no traceback, nothing on stdout, nothing trained."""
    (tmp_path / "study.yaml").write_text("loss: ce\n")
    done = lossbench("sweep", "--config", "study.yaml", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(message, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("runs/study/*-s*"))


def test_without_ray_it_says_what_to_type(new_process, tmp_path):
    """Exit 2, one line, nothing written."""
    (tmp_path / "study.yaml").write_text("loss: ce\n")
    (tmp_path / "ray.py").write_text("raise ImportError")
    search = f"{tmp_path}:{ROOT}"
    done = new_process("sweep", "--config", "study.yaml", "--executor", "ray", PYTHONPATH=search, check=2)
    sentence = f"error: --executor: ray needs the package Ray: {install_command('ray')}\n"
    assert (done.stdout, done.stderr) == ("", sentence)
    assert not list(tmp_path.glob("runs/study/*-s*"))
