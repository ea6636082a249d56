"""Runs in MLflow, read back by MLflow's own search; a real SQLite store."""

import json
import os
import statistics
from importlib.util import find_spec
from pathlib import Path

import pytest
from hostile import hostile

from lossbench.extras import install_command
from lossbench.runs import read

ROOT = Path(__file__).parents[2]
needs_mlflow = pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow is not installed")


@pytest.fixture
def runs(tmp_path, fabricate):
    """Two losses of two seeds; one more run that is still training."""
    for loss in ("categorical_crossentropy", "focal"):
        for seed in range(2):
            fabricate(tmp_path / "runs", loss, seed)
    folder = fabricate(tmp_path / "runs", "focal", 2)
    change_status(folder, "running")
    return tmp_path / "runs"


def change_status(folder, status):
    summary = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(summary | {"status": status}))


def stored(tmp_path):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("lossbench").experiment_id
    return client, client.search_runs([experiment])


@needs_mlflow
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # MLflow's, of SQLAlchemy
def test_mlflow_finds_parameters_curves_files_and_parents(lossbench, tmp_path, runs):
    """What the run folder says, number by number."""
    done = lossbench("export", "mlflow", "runs", check=0)
    assert done.stdout == "sqlite:///mlflow.db, experiment lossbench: 5 new, 0 known\n"
    client, found = stored(tmp_path)
    by_name = {each.info.run_name: each for each in found}
    assert len(by_name) == 7  # five runs, two parents
    for folder in (path.parent for path in runs.rglob("run.json")):
        logged, run = by_name[folder.name], read.read(folder)
        assert logged.data.params["train.epochs"] == str(run.config["train"]["epochs"])
        assert logged.data.params["seed"] == str(run.seed)
        assert logged.data.metrics["test.last.accuracy"] == run.metrics["test.last.accuracy"]
        points = client.get_metric_history(logged.info.run_id, "val_accuracy")
        assert [(each.step, each.value) for each in sorted(points, key=lambda each: each.step)] == [
            (epoch, row["val_accuracy"]) for epoch, row in enumerate(read.history(folder))
        ]
        assert {"config.yaml", "metrics.csv", "run.json"} <= {
            each.path for each in client.list_artifacts(logged.info.run_id)
        }
        assert by_name[run.loss].info.run_id == logged.data.tags["mlflow.parentRunId"]
        assert logged.info.status == {"completed": "FINISHED", "running": "RUNNING"}[run.status]


@needs_mlflow
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # MLflow's, of SQLAlchemy
def test_a_parent_has_mean_deviation_and_number_of_its_seeds(lossbench, tmp_path, runs):
    """Of every test metric over the completed runs; they follow when a further run is completed."""
    lossbench("export", "mlflow", "runs", check=0)
    for count in (2, 3):
        (logged,) = [each.data.metrics for each in stored(tmp_path)[1] if each.info.run_name == "focal"]
        members = [read.read(path.parent) for path in runs.rglob("run.json")]
        done = [each.metrics for each in members if (each.loss, each.status) == ("focal", "completed")]
        assert len(done) == count
        for name in ("test.last.accuracy", "test.best.nll", "test.last.ece_scaled"):
            values = [each[name] for each in done]
            assert logged[f"{name}.n"] == count
            assert logged[f"{name}.mean"] == pytest.approx(statistics.fmean(values), rel=1e-12)
            assert logged[f"{name}.sd"] == pytest.approx(statistics.stdev(values), rel=1e-9)
        for path in list(runs.rglob("run.json")):
            change_status(path.parent, "completed")
        lossbench("export", "mlflow", "runs", check=0)


@needs_mlflow
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # MLflow's, of SQLAlchemy
def test_again_does_not_double_and_a_run_that_went_on_is_replaced(lossbench, tmp_path, runs):
    """Nothing new; then the one whose status has changed, once."""
    lossbench("export", "mlflow", "runs", check=0)
    assert lossbench("export", "mlflow", "runs", check=0).stdout.endswith(": 0 new, 5 known\n")
    (folder,) = (path.parent for path in runs.rglob("run.json") if '"running"' in path.read_text())
    change_status(folder, "completed")
    assert lossbench("export", "mlflow", "runs", check=0).stdout.endswith(": 1 new, 4 known\n")
    assert [each.info.status for each in stored(tmp_path)[1] if each.info.run_name == folder.name] == ["FINISHED"]


@needs_mlflow
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # MLflow's, of SQLAlchemy
def test_hostile_run_folders_are_text_and_bring_no_other_file(lossbench, tmp_path):
    """Without device and time, with escapes everywhere; a link is not followed; a run with a bad table is named."""
    escapes = "\x1b]0;owned\x07\x9b"
    run = hostile(tmp_path / "runs", escapes, label=f"focal{escapes}", device=None, started="<now>", finished=[1])
    (tmp_path / "private").write_text("private")
    (run / "link.txt").symlink_to(tmp_path / "private")
    (run / "tb").symlink_to(tmp_path)
    bad = hostile(tmp_path / "runs", escapes, 1, label="bad")
    (bad / "metrics.csv").write_text("epoch\n1,2\n")
    done = lossbench("export", "mlflow", "runs", check=0)
    assert done.stdout == "sqlite:///mlflow.db, experiment lossbench: 1 new, 0 known\n"
    assert f"{bad.name}: metrics.csv: a row has more or fewer cells than the header" in done.stderr
    client, found = stored(tmp_path)
    (logged,) = [each for each in found if each.info.run_name == run.name]
    told = [*logged.data.params.items(), *logged.data.tags.items()]
    assert all(text.isprintable() for pair in told for text in pair)
    names = {each.path for each in client.list_artifacts(logged.info.run_id)}
    assert "predictions.npz" in names
    assert not names & {"link.txt", "tb"}


@needs_mlflow
@pytest.mark.slow
@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    "uri", ["sqlite:////proc/nowhere/mlflow.db", "sqlite:///text.db", "http://127.0.0.1:9", "odd://x"]
)
def test_a_store_that_cannot_be_used_is_one_line(lossbench, tmp_path, uri):
    """A folder that cannot be, a file that is no database, nobody listening, a scheme that nobody knows: exit 1."""
    (tmp_path / "text.db").write_text("no database " * 100)
    done = lossbench("export", "mlflow", "runs", "--tracking-uri", uri)
    assert (done.returncode, done.stdout) == (1, "")
    assert [line.startswith(f"error: --tracking-uri: {uri}: ") for line in done.stderr.splitlines()] == [True]


@pytest.mark.usefixtures("runs")
def test_without_mlflow_it_says_what_to_type(new_process, tmp_path):
    """Exit 2, one line, nothing written."""
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "mlflow.py").write_text("raise ImportError")
    done = new_process("export", "mlflow", "runs", PYTHONPATH=f"{tmp_path / 'without'}{os.pathsep}{ROOT}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: lossbench export mlflow needs MLflow: {install_command('mlflow')}\n"
    assert not list(tmp_path.glob("mlflow.db"))
