"""`lossbench sweep` as a process."""

import json
import re

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
    after = lossbench("sweep", "--config", "study.yaml", "--dry-run", check=0)
    assert re.findall(r"^(\w+) ", after.stdout, re.MULTILINE) == ["completed", "diverged"] * 2


def test_a_trial_of_a_sweep_is_the_trial_alone(lossbench, tmp_path):
    """Same folder, same bytes as `train` makes of the same keys, though other trials ran before in the process."""
    settings = ("data.train_size=500", "data.validation_size=100", "train.epochs=1", "train.save_weights=true")
    (tmp_path / "study.yaml").write_text("loss: ce\n")
    lossbench("sweep", "--config", "study.yaml", "--seeds", "0-1", *settings, check=0)
    alone = lossbench("train", "--config", "study.yaml", "seed=1", "--runs-dir", "alone", *settings, check=0)
    swept = tmp_path / alone.stdout.strip().replace("alone", "runs")
    for name in ("predictions.npz", "per_class.csv", "weights.npz"):
        assert (swept / name).read_bytes() == (tmp_path / alone.stdout.strip() / name).read_bytes()


def test_a_device_that_is_not_there_stops_the_sweep_with_one_line(lossbench, tmp_path):
    """Exit 2, nothing on stdout."""
    (tmp_path / "study.yaml").write_text(TEXT)
    done = lossbench("sweep", "--config", "study.yaml", "--device", "gpu")
    assert (done.returncode, done.stdout, done.stderr.count("no GPU")) == (2, "", 1)


def test_train_says_that_a_sweep_is_for_sweep(lossbench, tmp_path):
    """Exit 2, and nothing is trained."""
    (tmp_path / "study.yaml").write_text(TEXT)
    done = lossbench("train", "--config", "study.yaml")
    assert done.returncode == 2
    assert "`lossbench sweep` trains all of it" in done.stderr


def test_run_json_of_each_trial_is_its_own(lossbench, tmp_path):
    """Loss and seed in the folder are those of the trial."""
    (tmp_path / "study.yaml").write_text("data: {train_size: 500}\ntrain: {epochs: 1}\n")
    lossbench("sweep", "--config", "study.yaml", "loss=ce,gce", "--seeds", "0,3", "--quiet", check=0)
    found = {
        (s["loss"], s["seed"]) for s in map(json.loads, (p.read_text() for p in tmp_path.glob("runs/*/*/run.json")))
    }
    assert found == {
        (loss, seed) for loss in ("categorical_crossentropy", "generalized_crossentropy") for seed in (0, 3)
    }
