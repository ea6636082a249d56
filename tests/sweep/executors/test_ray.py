"""Ray: real clusters of real processes, on this machine."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from run_tables import tables

pytest.importorskip("ray")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("alone")]

ROOT = Path(__file__).parents[3]
PORT = "6391"
RAY = Path(sys.executable).with_name("ray")
TEXT = """
data: {train_size: 2000, validation_size: 500}
train: {epochs: 6, batch_size: 8}
sweep: {cases: [{loss: ce}, {loss: gce}, {loss: focal}], parameters: {data.label_noise.rate: [0.2, 0.4]}, seeds: 0-2}
"""


def raylets():
    """The nodes of the cluster, in the order in which they were started."""
    listed = subprocess.run(
        ["/usr/bin/pgrep", "-f", f"raylet/raylet .*:{PORT}"], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in listed.stdout.split()]


@pytest.fixture
def alone():
    """One of these tests at a time, whichever processes run them: `ray stop` ends every cluster of this machine."""
    with (Path(tempfile.gettempdir()) / "lossbench-tests-ray.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def cluster(monkeypatch, tmp_path_factory):
    """Two nodes of one CPU each that know each other by a token; `cluster(hide)` hides a folder from the second."""
    token = tmp_path_factory.mktemp("ray") / "token"
    token.write_text("0123456789abcdef" * 4)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # else tests beside these leave the tasks no time
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def start(hide=None):
        common = ["--num-cpus", "1", "--disable-usage-stats"]
        head = [RAY, "start", "--head", "--port", PORT, "--include-dashboard", "false", *common]
        second = [RAY, "start", "--address", f"127.0.0.1:{PORT}", *common]
        if hide:
            hidden = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(hide)]
            second = [*hidden, *second]
        for command in (head, second):
            subprocess.run(command, check=True, capture_output=True, timeout=120)

    yield start
    subprocess.run([RAY, "stop", "--force"], check=False, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """What local workers make of the same sweep."""
    folder = tmp_path_factory.mktemp("local")
    (folder / "study.yaml").write_text(TEXT)
    command = [sys.executable, "-m", "lossbench", "sweep", "--config", "study.yaml", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=500)
    return tables(folder / "runs" / "study")


@pytest.mark.parametrize("shared", [True, False], ids=["shared folder", "folder carried"])
def test_a_cluster_that_loses_a_node_trains_the_same_folders_with_the_same_numbers(cluster, local, tmp_path, shared):
    """18 trials on two nodes, one of which is killed midway: all complete, nothing of Ray's own on the screen."""
    (tmp_path / "study.yaml").write_text(TEXT)
    (tmp_path / "runs").mkdir()
    if not shared and os.geteuid() != 0:
        pytest.skip("only root can hide a folder from a node")
    cluster(hide=None if shared else tmp_path / "runs")
    address = ["--ray-address", f"127.0.0.1:{PORT}"]
    command = [sys.executable, "-m", "lossbench", "sweep", "--config", "study.yaml", "--json", *address]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONUNBUFFERED": "1"}, **pipes) as sweep:
        completed = 0
        for line in sweep.stdout:
            completed += json.loads(line)["event"] == "completed"
            if completed == 4:
                break
        time.sleep(1)  # in the middle of the next trials
        os.kill(raylets()[-1], signal.SIGKILL)
        _, said = sweep.communicate(timeout=400)
    assert (sweep.returncode, said) == (0, "18 completed of 18 trials\nnext: lossbench compare runs/study\n")
    assert tables(tmp_path / "runs" / "study") == local
    events = [json.loads(line) for line in (tmp_path / "runs" / "study" / "sweep.jsonl").read_text().splitlines()]
    assert sum(each["event"] == "completed" for each in events) == 18
    assert any(each["event"] == "retried" for each in events)


def test_a_cluster_that_ends_midway_is_one_line_and_the_same_command_continues(cluster, tmp_path, new_process):
    """`ray stop` while trials are training: exit 1, no traceback; what is done stays."""
    (tmp_path / "study.yaml").write_text(TEXT)
    cluster()
    command = ["sweep", "--config", "study.yaml"]
    address = ["--ray-address", f"127.0.0.1:{PORT}", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    lost = subprocess.Popen(
        [sys.executable, "-m", "lossbench", *command, *address], cwd=tmp_path, env=environment, **pipes
    )
    with lost as sweep:
        next(line for line in sweep.stdout if json.loads(line)["event"] == "completed")
        subprocess.run([RAY, "stop", "--force"], check=False, capture_output=True, timeout=60)
        _, said = sweep.communicate(timeout=120)
    gone = "error: the Ray cluster is gone; what is done stays, and the same command continues on another one\n"
    assert (sweep.returncode, said) == (1, gone)
    assert "18 completed of 18 trials" in new_process(*command, check=0).stderr


def test_a_cluster_of_ones_own_needs_no_address(new_process, tmp_path):
    """--executor ray alone: started, used, gone; called again it has nothing to do."""
    (tmp_path / "study.yaml").write_text("data: {train_size: 500, validation_size: 100}\ntrain: {epochs: 1}\n")
    arguments = ("sweep", "--config", "study.yaml", "--executor", "ray", "--seeds", "0-2", "--jobs", "2")
    done = new_process(*arguments, check=0)
    assert (done.stdout, "3 completed of 3 trials" in done.stderr) == ("runs/study\n", True)
    again = new_process(*arguments, check=0)
    assert again.stderr.splitlines()[0] == "3 completed of 3 trials"


@pytest.mark.parametrize("address", ["127.0.0.1:9", "auto", "silent"])
def test_an_address_where_no_cluster_answers_is_one_line_within_twenty_seconds(new_process, tmp_path, address):
    """Nothing listens; no cluster is known; something listens that is no cluster. Exit 1, nothing trained."""
    import socket

    (tmp_path / "study.yaml").write_text("loss: ce\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}" if address == "silent" else address
        began = time.monotonic()
        done = new_process("sweep", "--config", "study.yaml", "--ray-address", where, RAY_ADDRESS="")
        assert time.monotonic() - began < 25
    assert (done.returncode, done.stdout) == (1, "")
    assert [line.startswith(f"error: --ray-address: {where}: ") for line in done.stderr.splitlines()] == [True]
    assert "ray start --head" in done.stderr


TUNED = """
data: {train_size: 500, validation_size: 100}
train: {epochs: 1}
sweep:
  cases: [{loss: ce}, {loss: gce}]
  seeds: [0]
  tune: {trials: 2, seeds: [100], parameters: {optimizer.learning_rate: [0.001, 0.01]}}
"""


def test_a_tuning_over_ray_makes_the_same_choices_from_the_same_runs(new_process, tmp_path):
    """Both stages: the file of the tuning is equal to the byte, the runs of each stage to the last digit."""
    found = {}
    for executor in ("local", "ray"):
        folder = tmp_path / executor
        folder.mkdir()
        (folder / "study.yaml").write_text(TUNED)
        arguments = ("sweep", "--config", "study.yaml", "--executor", executor, "--jobs", "2", "--quiet")
        new_process(*arguments, cwd=folder, check=0)
        study = folder / "runs" / "study"
        found[executor] = ((study / "tuning.json").read_bytes(), tables(study / "tuning"), tables(study))
    recorded, tuned, compared = found["local"]
    assert found["ray"] == found["local"]
    assert all(each["choice"] is not None for each in json.loads(recorded)["losses"])
    assert len({name.partition("/")[0] for name in tuned}) == 4
    assert {name.partition("-s")[0] for name in compared} == {
        "categorical_crossentropy",
        "generalized_crossentropy",
    }
