"""Run folders that lossbench 0.1.0 wrote are read for ever; those of a lossbench to come are left as they are."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lossbench.config import resolve
from lossbench.errors import LossbenchError
from lossbench.inspect.numbers import read_numbers
from lossbench.inspect.verification import verify
from lossbench.metrics import METRICS
from lossbench.report import formats
from lossbench.runs import arrays, read
from lossbench.training import fail, identify, train

KEPT = Path(__file__).parent / "kept" / "0.1.0"
COMPLETED = KEPT / "runs" / "kept" / "focal-s0-c8ffce926b67"
DIVERGED = KEPT / "runs" / "kept" / "mean_squared_error-s0-8399e371a3aa"
IDENTITIES = {
    COMPLETED: "c8ffce926b673c63db13b6cca3b4800c4f152a3c168fc3e0b7c75ae81081548d",
    DIVERGED: "8399e371a3aab7711099f0080b2f8f3f9f38ff29d48c5837cd37cf5e07b7b481",
}
DATA = "fe2e939fec0db44cb70c5078a9431bb77241eed687f8c88e0e9740728b436a61"


def resolved(run):
    """The trial of a kept run: its own configuration, with the data where they are kept."""
    config = dict(read.read(run).config)
    return identify(resolve.from_mapping(config | {"data": config["data"] | {"path": str(KEPT / "data")}}))


def test_there_is_no_file_that_is_not_read_here():
    """All that a run can leave, in two folders."""
    names = {path.name for path in COMPLETED.iterdir()}
    assert names == {"config.yaml", "run.json", "metrics.csv", "per_class.csv", "confusion.csv", "predictions.npz",
                     "weights.npz", "log.txt"}  # fmt: skip
    assert {path.name for path in DIVERGED.iterdir()} == {"config.yaml", "run.json", "metrics.csv", "log.txt"}


def test_what_the_completed_run_says_of_itself():
    """`run.json` and `config.yaml`."""
    run = read.read(COMPLETED)
    assert (run.status, run.seed, run.loss) == ("completed", 0, "focal")
    assert run.metrics["test.last.accuracy"] == 0.6333333333333333
    assert run.metrics["test.best.nll"] == 1.7726827144703312
    assert run.metrics["val.last.ece"] == 0.39655370379741534
    assert run.metrics["val.best.temperature"] == 0.24592253441924425
    assert len(run.metrics) == 26
    assert run.summary["hashes"] == {"identity": IDENTITIES[COMPLETED], "data": DATA, "plugin": None}
    assert run.summary["versions"]["lossbench"] == "0.1.0"
    assert (run.summary["epochs"], run.summary["best_epoch"], run.summary["parameters"]) == (3, 2, 500)
    assert run.config["loss"] == {
        "name": "focal", "gamma": 2.0, "alpha": 1.0, "label_smoothing": 0.0, "stop_gradient": False,
    }  # fmt: skip
    assert run.config["data"]["label_noise"]["rate"] == 0.2
    assert run.config["optimizer"]["learning_rate"] == 0.01


def test_what_the_diverged_run_says_of_itself():
    """It has a reason, an epoch, and no metrics."""
    run, epochs = read.read(DIVERGED), read.history(DIVERGED)
    assert (run.status, run.loss, run.metrics) == ("diverged", "mean_squared_error", {})
    assert run.summary["reason"] == "the loss or the network's output is no longer finite"
    assert run.config["optimizer"]["learning_rate"] == 1e30
    assert [(row["epoch"], row["accuracy"]) for row in epochs] == [(0, 0.1875)]
    assert np.isnan(epochs[0]["loss"])
    assert "from epoch 0 on" in read.log(DIVERGED)


def test_the_tables_of_the_completed_run():
    """`metrics.csv`, `per_class.csv`, `confusion.csv` and `log.txt`."""
    assert [row["val_nll"] for row in read.history(COMPLETED)] == [2.11333175, 1.99883338, 1.90043699]
    assert read.history(COMPLETED)[2]["recovered"] == 0.50617284
    assert read.per_class(COMPLETED)[0] == {
        "at": "last", "class": 0, "precision": 0.619047619, "recall": 1, "f1": 0.764705882, "support": 13,
    }  # fmt: skip
    counts = read.confusion(COMPLETED)
    assert {at: (matrix.shape, matrix.trace(), matrix.sum()) for at, matrix in counts.items()} == {
        "last": ((10, 10), 76, 120),
        "best": ((10, 10), 76, 120),
    }
    assert "epoch 3/3  loss 1.4689" in read.log(COMPLETED)


def test_the_arrays_of_the_completed_run():
    """`predictions.npz` and `weights.npz`."""
    found = read.predictions(COMPLETED)
    assert {name: (array.dtype.name, array.shape) for name, array in found.items()} == {
        "labels": ("uint8", (120,)),
        **{f"{at}.predicted": ("uint8", (120,)) for at in ("last", "best")},
        **{f"{at}.log_probabilities": ("float16", (120, 10)) for at in ("last", "best")},
    }
    assert found["labels"][:5].tolist() == [7, 5, 9, 4, 3]
    assert found["last.predicted"][:5].tolist() == [7, 2, 9, 9, 3]
    assert found["last.log_probabilities"].sum(dtype=np.float64) == -2872.3017578125
    weights = arrays.load(COMPLETED / "weights.npz", max_bytes=1 << 20)
    assert [weights[f"{at}/dense_1/{name}"].shape for at in ("last", "best") for name in ("kernel", "bias")] == [
        (49, 10), (10,), (49, 10), (10,),
    ]  # fmt: skip
    assert weights["last/dense_1/kernel"].sum(dtype=np.float64) == -35.699377773562446


@pytest.mark.parametrize("run", IDENTITIES, ids=["completed", "diverged"])
def test_a_kept_configuration_is_still_the_same_trial(run):
    """Same identity, same folder: what was trained then is found, not trained again."""
    trial = resolved(run)
    assert (trial.identity, trial.folder, trial.data_sha256) == (IDENTITIES[run], run.name, DATA)
    assert train(trial, runs_dir=KEPT / "runs").was_done


@pytest.fixture
def runs(tmp_path):
    """A copy of the kept runs."""
    return shutil.copytree(KEPT / "runs", tmp_path / "runs")


def test_the_commands_that_read_understand_the_kept_runs(runs, lossbench, tmp_path):
    """`compare`, `show`, `diff`, `report`: no complaint, and the values are there."""
    compared = lossbench("compare", runs, check=0)
    assert compared.stderr == ""
    assert "63.33" in compared.stdout
    assert '"diverged": 1' in lossbench("compare", runs, "--format", "json", check=0).stdout
    assert "63.33" in lossbench("show", runs / "kept" / COMPLETED.name, check=0).stdout
    assert "1e+30" in lossbench("diff", *sorted((runs / "kept").iterdir()), check=0).stdout
    lossbench("report", runs, "-o", "page.html", check=0)
    page = (tmp_path / "page.html").read_text()
    assert "63.33" in page
    assert "no longer finite" in page


def test_metrics_that_were_added_later_are_empty(runs, lossbench):
    """In every form of a comparison, as the first metric too; a note says so, and nothing complains."""
    names = ",".join(("macro_f1", *METRICS))
    for form in formats.FORMATS:
        compared = lossbench("compare", runs, "--metric", names, "--sort", "macro_f1", "--format", form, check=0)
        assert compared.stderr == ""
    assert "no run has macro F1" in lossbench("compare", runs, "--metric", names, check=0).stdout
    (group, _) = json.loads(lossbench("compare", runs, "--format", "json", check=0).stdout)["groups"]
    assert (group["loss"], group["macro_f1_mean"]) == ("focal", None)
    (row, _) = csv.DictReader(lossbench("compare", runs, "--format", "csv", check=0).stdout.splitlines())
    assert (row["balanced_accuracy_mean"], row["accuracy_mean"][:6]) == ("", "0.6333")
    lossbench("compare", runs, "--metric", names, "--list", check=0)
    lossbench("compare", runs, "--metric", names, "--plots", "plots", check=0)
    lossbench("report", runs, "--metric", names, "-o", "page.html", check=0)
    gate = lossbench("compare", runs, "--fail-if", "macro_f1 < 0.5", check=3)
    assert "focal: missing evidence, a completed run has no macro F1" in gate.stderr
    (runs / DIVERGED.relative_to(KEPT / "runs") / "run.json").unlink()
    gate = lossbench("compare", runs, "--fail-if", "macro_f1 < 0.5", check=5)
    assert "no completed run with macro_f1, so nothing was judged" in gate.stderr


def test_a_run_is_verified_by_the_metrics_that_it_recorded():
    """Those that were added later are not compared; one that was recorded and is gone is."""
    recorded = read.read(COMPLETED)
    numbers = read_numbers(recorded)
    later = replace(recorded, metrics=dict(recorded.metrics) | {"test.last.macro_f1": 0.5})
    device = {"device": {"kind": "cpu"}}
    again = replace(later, summary=recorded.summary | device)
    assert verify(recorded, numbers, again, tolerance=0).status == "bit-equal"
    gone = {name: value for name, value in recorded.metrics.items() if name != "test.last.nll"}
    assert verify(recorded, numbers, replace(again, metrics=gone), tolerance=0).status == "different"


@pytest.fixture
def newer(runs):
    """The kept completed run, as if a lossbench to come had written it."""
    run = runs / "kept" / COMPLETED.name
    summary = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(summary | {"schema_version": 2, "metrics": {"all": "new"}}))
    return run


def contents(run):
    return {path.name: path.read_bytes() for path in run.iterdir()}


def test_a_run_of_a_newer_lossbench_is_named_and_not_counted(newer, runs, lossbench):
    """By `compare` beside the others, by `show` as the error that it is."""
    sentence = "written by a newer lossbench: expected schema_version 1 at most, got 2; update lossbench to read it"
    compared = lossbench("compare", runs, check=0)
    assert f"not counted: {newer}: run.json: {sentence}" in compared.stderr
    assert "focal" not in compared.stdout
    shown = lossbench("show", newer, check=2)
    assert (shown.stdout, shown.stderr) == ("", f"error: {newer}: run.json: {sentence}\n")


def test_a_run_of_a_newer_lossbench_is_not_trained_over(newer, runs):
    """Training says so; a sweep's note of a failure does not touch it either."""
    before, trial = contents(newer), resolved(COMPLETED)
    with pytest.raises(LossbenchError, match=r"written by a newer lossbench.*move the folder away") as caught:
        train(trial, runs_dir=runs)
    assert caught.value.exit_code == 1
    fail(newer, trial, "a reason", "a log")
    assert contents(newer) == before


@pytest.mark.slow
def test_a_sweep_leaves_a_run_of_a_newer_lossbench_as_it_is(newer, runs, lossbench, tmp_path):
    """The trial counts as failed, with the reason; the folder is the same to the byte."""
    before = contents(newer)
    shutil.copytree(KEPT / "data", tmp_path / "data")
    shutil.copy(KEPT / "kept.yaml", tmp_path)
    settings = ["loss=focal", "optimizer.learning_rate=0.01"]
    done = lossbench("sweep", "--config", "kept.yaml", *settings, "--jobs", "1", "--runs-dir", runs, check=4)
    assert "written by a newer lossbench" in done.stderr
    assert contents(newer) == before
