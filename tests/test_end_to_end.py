"""The command line end to end: processes, signals and MNIST."""

import csv
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lossbench import __version__

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(path for path in (ROOT / "configs").glob("*.yaml") if "\nsweep:" not in path.read_text())
FASHION = ROOT.parent / "shared" / "data" / "fashion_mnist"
SMALL = ["data.train_size=2000", "data.validation_size=500", "train.epochs=2", "train.threads=1"]
SETTINGS = "data: {train_size: 2000, validation_size: 500}\ntrain: {epochs: 4, threads: 1, batch_size: 8}\n"


def rows(run):
    """The rows of `metrics.csv` without the seconds."""
    with (run / "metrics.csv").open(newline="") as file:
        return [{name: cell for name, cell in row.items() if name != "seconds"} for row in csv.DictReader(file)]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
@pytest.mark.slow
def test_every_shipped_configuration_trains(config, lossbench, few_images, tmp_path):
    """On few images; stdout is the folder's path and nothing else, one line per epoch goes to stderr."""
    plugin = ["--plugin", ROOT / "configs" / "my_losses.py"] if config.stem == "custom" else []
    data = few_images | {"train_size": 1800}
    settings = [f"data.{key}={value}" for key, value in data.items()]
    done = lossbench("train", "--config", config, *plugin, *settings, "train.epochs=2", "train.threads=1", check=0)
    run = tmp_path / done.stdout.strip()
    assert run.parent == tmp_path / "runs" / config.stem
    assert json.loads((run / "run.json").read_text())["status"] == "completed"
    assert len(re.findall(r"^epoch \d/2 ", done.stderr, re.MULTILINE)) == len(rows(run)) == 2


def test_training_twice_is_said_and_comparing_tabulates(lossbench, tmp_path):
    """Two seeds of two losses; the second call trains nothing; compare groups by loss over seeds."""
    for loss in ("focal", "ce"):
        (tmp_path / f"{loss}.yaml").write_text(f"loss: {loss}\n")
        for seed in (0, 1):
            lossbench("train", "--config", f"{loss}.yaml", "--seed", seed, *SMALL, check=0)
    again = lossbench("train", "--config", "focal.yaml", *SMALL, check=0)
    assert "already done" in again.stderr
    assert "epoch" not in again.stderr
    table = lossbench("compare", "runs", "--format", "csv", check=0)
    found = {row["loss"]: row["n"] for row in csv.DictReader(table.stdout.splitlines())}
    assert found == {"focal": "2", "categorical_crossentropy": "2"}
    assert table.stderr == ""
    assert lossbench("compare", "runs/ce", check=0).stdout.isascii() is False
    (tmp_path / "nothing").mkdir()
    assert lossbench("compare", "nothing").returncode == 5


def test_json_and_quiet_are_for_scripts(new_process, tmp_path):
    """--json prints run.json, --quiet nothing but the result; nor does TensorFlow print anything as it starts."""
    (tmp_path / "a.yaml").write_text(SETTINGS)
    done = new_process("train", "--config", "a.yaml", "--quiet", "--json", *SMALL, check=0)
    assert done.stderr == ""
    assert json.loads(done.stdout)["metrics"]["test.last.accuracy"] > 0.5


def start(tmp_path, *arguments):
    """A training process whose stderr can be read line by line."""
    command = [sys.executable, "-m", "lossbench", "train", "--config", "a.yaml", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def wait_for(process, text):
    """Read stderr until a line begins with `text`."""
    for line in process.stderr:
        if line.startswith(text):
            return
    pytest.fail(f"the process ended before it said {text!r}")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, trainings):
    """The rows of SETTINGS trained to the end."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "a.yaml").write_text(SETTINGS)
    done = trainings("train", "--config", "a.yaml", cwd=folder)
    assert done.code == 0, done.err
    return rows(folder / done.out.strip())


@pytest.mark.parametrize(
    ("signum", "code", "status"),
    [
        (signal.SIGINT, 130, "interrupted"),
        pytest.param(signal.SIGTERM, 143, "interrupted", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, "interrupted", marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, -9, "running", marks=pytest.mark.slow),
    ],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else str(value),
)
def test_a_stopped_run_continues_to_the_numbers_of_an_undisturbed_one(
    lossbench, undisturbed, tmp_path, signum, code, status
):
    """Stopped in the third of four epochs; kill -9 too, which leaves no time for a checkpoint."""
    (tmp_path / "a.yaml").write_text(SETTINGS)
    process = start(tmp_path)
    wait_for(process, "epoch 2/4")
    process.send_signal(signum)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    (run,) = (path for path in (tmp_path / "runs" / "a").iterdir() if not path.name.startswith("."))
    assert json.loads((run / "run.json").read_text())["status"] == status
    if status == "interrupted":
        assert "the same command continues" in said
    assert lossbench("show", run, check=0).stdout
    lossbench("train", "--config", "a.yaml", check=0)
    assert rows(run) == undisturbed


@pytest.mark.slow
def test_two_processes_do_not_train_one_run(lossbench, tmp_path):
    """The second says so and ends with exit code 1; the first is not disturbed."""
    (tmp_path / "a.yaml").write_text(SETTINGS + "loss: focal\n")
    process = start(tmp_path, "train.epochs=1000")
    wait_for(process, "epoch 1/1000")
    second = lossbench("train", "--config", "a.yaml", "train.epochs=1000")
    assert second.returncode == 1
    assert "another process trains this run" in second.stderr
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_a_diverging_run_ends_with_4_and_keeps_its_rows(lossbench, tmp_path):
    """The loss becomes NaN; compare counts the run as diverged."""
    (tmp_path / "a.yaml").write_text("loss: squentropy\noptimizer: {name: sgd, learning_rate: 1e+38}\n")
    done = lossbench("train", "--config", "a.yaml", *SMALL)
    assert done.returncode == 4
    assert "diverged" in done.stderr
    assert len(rows(tmp_path / done.stdout.strip())) == 1
    assert "diverged" in lossbench("compare", "runs").stdout


BAD = [
    ("", "gama: 2", r"a\.yaml:1:1: gama: unknown key"),
    (
        "",
        "loss: {name: focal, gama: 2}",
        r"a\.yaml:1:\d+: .*unknown key 'gama' in loss 'focal'; did you mean 'gamma'\?",
    ),
    ("", "loss: focla", r"unknown loss 'focla'.*did you mean 'focal'"),
    ("", "model: mpl", r"a\.yaml:1:\d+: model.*mlp"),
    ("", "optimizer: adamm", r"a\.yaml:1:\d+: optimizer.*adam"),
    ("", "loss: {name: gce, q: 2}\ntrain: {epochs: many}", r"(?s)a\.yaml:1:.*q.*\n.*a\.yaml:2:.*epochs"),
    ("", "loss: {name: focal, labels: integer}", r"the engine fills it in"),
    ("", "loss: {name: weighted_crossentropy, class_counts: [1]}", r"the engine fills it in"),
    ("", "seed: 1\nseed: 2", r"a\.yaml:2:1: .*duplicate key"),
    ("", "name: ../x", r"a\.yaml:1:\d+: name"),
    ("", f"name: {'x' * 300}", r"a\.yaml:1:\d+: name"),
    ("", "name: CON", r"a\.yaml:1:\d+: name"),
    ("", "data: {name: idx, path: nowhere}", r"nowhere.*no such folder"),
    ("", "data: {validation_size: 50000, train_size: 20000}", r"data.train_size: 20000 training and 50000 validation"),
    ("", "data: {train_size: 100}\ntrain: {batch_size: 101}", r"train.batch_size: expected at most the 100"),
    ("", "data: {path: x}", r"data\.path"),
    ("", "train: {early_stopping: {patience: 2}}\ndata: {validation_size: 0}", r"early_stopping.*validation"),
    ("", "", r"a\.yaml: empty; `lossbench init`"),
    ("--device gpu", "seed: 1", r"--device: TensorFlow found no GPU"),
    ("--device tpu", "seed: 1", r"--device: expected auto, cpu, gpu or gpu:N"),
    ("--plugin none.py", "seed: 1", r"none\.py: cannot be read"),
    ("loss.gama=1", "loss: focal", r"command line: .*gama"),
]


@pytest.mark.parametrize(("options", "config", "message"), BAD, ids=[f"{o} {c}"[:50] for o, c, _ in BAD])
def test_bad_input_gets_a_sentence_and_exit_code_2(lossbench, tmp_path, options, config, message):
    """Where and what; no traceback, nothing on stdout, no run folder."""
    (tmp_path / "a.yaml").write_text(config)
    done = lossbench("train", "--config", "a.yaml", *options.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(message, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]


def test_a_runs_folder_that_is_a_file_is_one_line_and_exit_code_1(lossbench, tmp_path):
    """Said before any training."""
    (tmp_path / "a.yaml").write_text("seed: 0\n")
    (tmp_path / "runs").write_text("")
    done = lossbench("train", "--config", "a.yaml", *SMALL)
    assert done.returncode == 1
    assert re.fullmatch(r"error: runs/a.*: cannot be written: .*\n", done.stderr), done.stderr


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_exit_code_1_and_then_the_run_continues(lossbench, tmp_path):
    """A limit of 100 kB a file stands for the full disk: the predictions do not fit, and nothing half is left."""
    (tmp_path / "a.yaml").write_text("seed: 0\n")
    command = [sys.executable, "-m", "lossbench", "train", "--config", "a.yaml", *SMALL]
    full = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert full.returncode == 1
    assert re.fullmatch(r"error: .*predictions\.npz: cannot be written: File too large", full.stderr.splitlines()[-1])
    (run,) = (path for path in (tmp_path / "runs" / "a").iterdir() if not path.name.startswith("."))
    assert {path.name for path in run.iterdir()} <= {"config.yaml", "run.json", "metrics.csv", "log.txt"}
    lossbench("train", "--config", "a.yaml", *SMALL, check=0)
    assert (run / "predictions.npz").exists()


def test_doctor_says_what_this_machine_has(lossbench):
    """Versions, devices, data and disk, all fit for training."""
    done = lossbench("doctor", check=0)
    assert re.search(r"^ok  data +MNIST, embedded: 60000 \+ 10000 images", done.stdout, re.MULTILINE)
    assert "NO" not in done.stdout.split()
    found = json.loads(lossbench("doctor", "--json", check=0).stdout)
    assert found["devices"].startswith("CPU")
    assert found["lossbench"] == __version__


@pytest.mark.slow
def test_focal_reaches_97_5_percent(lossbench):
    """`configs/focal.yaml` as it stands."""
    done = lossbench("train", "--config", ROOT / "configs" / "focal.yaml", "--json", check=0)
    assert json.loads(done.stdout)["metrics"]["test.last.accuracy"] >= 0.975


@pytest.mark.slow
def test_the_cnn_reaches_98_5_percent_in_three_epochs(lossbench):
    """`configs/cnn.yaml` with three epochs."""
    done = lossbench("train", "--config", ROOT / "configs" / "cnn.yaml", "train.epochs=3", "--json", check=0)
    assert json.loads(done.stdout)["metrics"]["test.last.accuracy"] >= 0.985


@pytest.mark.slow
@pytest.mark.skipif(not FASHION.exists(), reason="the Fashion-MNIST files are not beside the repository")
def test_fashion_mnist_by_path_reaches_86_percent(lossbench, tmp_path):
    """The default MLP on any four IDX files."""
    (tmp_path / "a.yaml").write_text(f"data: {{name: idx, path: {FASHION}}}\n")
    done = lossbench("train", "--config", "a.yaml", "--json", check=0)
    assert json.loads(done.stdout)["metrics"]["test.last.accuracy"] >= 0.86


def test_startup_is_bounded_by_typers(new_process):
    """`--help` against `import typer`, interleaved; the goal is 3, a machine in trouble is given 6."""
    code = [sys.executable, "-c", "import typer"]
    ratios = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(code, check=True)
        middle = time.perf_counter()
        new_process("--help", check=0)
        ratios.append((time.perf_counter() - middle) / (middle - began))
    assert sorted(ratios)[2] < 6


def test_a_plugin_that_leaves_python_is_a_plugin_error(lossbench, tmp_path):
    """`raise SystemExit(0)` must not look like success."""
    (tmp_path / "a.yaml").write_text("seed: 0\n")
    (tmp_path / "p.py").write_text("raise SystemExit(0)\n")
    done = lossbench("train", "--config", "a.yaml", "--plugin", "p.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "p.py:1: SystemExit: 0" in done.stderr


def test_a_plugin_that_imports_keras_brings_no_chatter(new_process, tmp_path):
    """TensorFlow's start-up messages stay off, in listing too."""
    (tmp_path / "p.py").write_text(
        "import keras\n\n\nclass Mine(keras.losses.Loss):\n    '''My own.'''\n\n"
        "    def call(self, y_true, y_pred):\n        return keras.ops.sum(y_pred * y_true, axis=-1)\n"
    )
    assert new_process("losses", "Mine", "--plugin", "p.py", check=0).stderr == ""
