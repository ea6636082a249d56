"""One trial to its run folder, in this process: what is written, found done, continued, diverged, failed."""

import csv
import json
import signal
from dataclasses import replace

import numpy as np
import pytest

from lossbench import errors, metrics, softmax
from lossbench.config import resolve
from lossbench.runs import read
from lossbench.runs.paths import METRICS_COLUMNS
from lossbench.training import checkpoint, identify, provenance, train
from lossbench.training.progress import Silent

TIMELESS = slice(None, METRICS_COLUMNS.index("seconds"))
"""The columns of `metrics.csv` before `seconds`."""


def run(config, runs_dir, **options):
    plugins = options.get("plugins", ())
    return train(identify(resolve.from_mapping(config, name="small"), plugins), runs_dir=runs_dir, **options)


def rows(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return [[cell for name, cell in row.items() if name != "seconds"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("device", ["tpu", "gpu:99", "cuda:99", "", "mps"])
def test_a_device_is_judged_alike_for_a_finished_run(device, small, tmp_path, fabricate):
    """With the sentence of a run that is still to be trained."""
    trial = identify(resolve.from_mapping(small))
    messages = []
    for _ in range(2):
        with pytest.raises(errors.DeviceError) as caught:
            train(trial, runs_dir=tmp_path, device=device)
        messages.append(str(caught.value))
        if not (tmp_path / "small").exists():
            done = fabricate(tmp_path / "made", "categorical_crossentropy", 0)
            summary = json.loads((done / "run.json").read_text())
            summary["hashes"]["identity"] = trial.identity
            (done / "run.json").write_text(json.dumps(summary))
            (tmp_path / "small").mkdir()
            done.rename(tmp_path / "small" / trial.folder)
    assert messages[0] == messages[1]
    assert train(trial, runs_dir=tmp_path, device="CPU:0").was_done


class StopAfter(Silent):
    """Sends SIGTERM to the run once a number of epochs and a share of the next are done."""

    def __init__(self, epochs, share=0.0):
        self._wanted = epochs + share

    def steps(self, epoch, *, share, **_):
        """Stop if it is time."""
        if epoch + share >= self._wanted:
            self._wanted = float("inf")
            signal.raise_signal(signal.SIGTERM)


@pytest.fixture
def often(monkeypatch):
    """Chunks of 16 batches, so that a run can be stopped in the middle of an epoch."""
    monkeypatch.setattr("lossbench.training.trainer.CHUNK_SECONDS", 1e-9)


def test_a_run_folder_is_complete_and_agrees_with_itself(small, tmp_path):
    """Every file of the design; accuracy from predictions, confusion, per class and run.json is one number."""
    outcome = run(small, tmp_path)
    files = sorted(path.name for path in outcome.run.iterdir())
    assert files == [
        "config.yaml",
        "confusion.csv",
        "log.txt",
        "metrics.csv",
        "per_class.csv",
        "predictions.npz",
        "run.json",
    ]
    summary = json.loads((outcome.run / "run.json").read_text())
    assert (summary["status"], summary["epochs"]) == ("completed", 2)
    assert summary["lossbench_commit"] == provenance.lossbench_commit()
    saved = read.predictions(outcome.run)
    for at in ("last", "best"):
        confusion = read.confusion(outcome.run)[at]
        expected = summary["metrics"][f"test.{at}.accuracy"]
        assert (saved[f"{at}.predicted"] == saved["labels"]).mean() == expected
        assert (confusion.sum(), confusion.trace() / 10_000) == (10_000, expected)
        nll = metrics.nll(saved[f"{at}.log_probabilities"].astype(float), saved["labels"])
        assert nll == pytest.approx(summary["metrics"][f"test.{at}.nll"], abs=1e-3)
    assert len(rows(outcome.run)) == 2


def test_the_written_configuration_is_the_same_trial(small, tmp_path):
    """config.yaml can be run again and leads to the same folder."""
    first = run(small, tmp_path)
    again = identify(resolve.load(first.run / "config.yaml"))
    assert again.folder == first.run.name
    assert train(again, runs_dir=tmp_path).was_done


def test_equal_seeds_give_equal_bytes(small, tmp_path):
    """Same seed: same files but for time. Another seed: others."""
    first, again = run(small, tmp_path / "a"), run(small, tmp_path / "b")
    assert rows(first.run) == rows(again.run)
    for name in ("per_class.csv", "confusion.csv", "predictions.npz"):
        assert (first.run / name).read_bytes() == (again.run / name).read_bytes()
    assert rows(first.run) != rows(run(small | {"seed": 1}, tmp_path).run)


@pytest.mark.usefixtures("often")
def test_a_checkpoint_from_before_a_metric_was_added_is_continued(small, tmp_path, monkeypatch):
    """The epochs trained before have empty cells of the metric, the others have its values."""
    added = ("val_macro_f1", "val_balanced_accuracy")
    before = [name for name in METRICS_COLUMNS if name not in added]
    undisturbed = run(small, tmp_path / "a")
    save = checkpoint.save

    def save_as_before(folder, identity, state):
        history = [{name: row[name] for name in before} for row in state.position.history]
        save(folder, identity, replace(state, position=replace(state.position, history=history)))

    monkeypatch.setattr(checkpoint, "save", save_as_before)
    with pytest.raises(errors.InterruptedRunError):
        run(small, tmp_path / "b", progress=StopAfter(1, 0.5))
    monkeypatch.undo()
    continued = run(small, tmp_path / "b")
    first, last = read.history(continued.run)
    assert [first[name] for name in added] == [None, None]
    assert last["val_macro_f1"] == pytest.approx(continued.summary["metrics"]["val.last.macro_f1"])
    expected = read.history(undisturbed.run)
    assert [row["val_nll"] for row in (first, last)] == [row["val_nll"] for row in expected]


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    ("model", "epochs", "share"), [("mlp", 0, 0.3), ("mlp", 0, 1.0), ("mlp", 1, 0.5), ("cnn_bn", 1, 0.5)]
)
@pytest.mark.slow
def test_an_interrupted_run_ends_with_the_numbers_of_an_undisturbed_one(
    small, few_images, tmp_path, model, epochs, share
):
    """Stopped in an epoch or between two, with dropout, batch norm and Adam's moments, then continued."""
    small |= {"model": model, "train": small["train"] | {"batch_size": 16}}
    small |= {"data": few_images} if model == "cnn_bn" else {}
    undisturbed = run(small, tmp_path / "a")
    with pytest.raises(errors.InterruptedRunError) as stopped:
        run(small, tmp_path / "b", progress=StopAfter(epochs, share))
    folder = tmp_path / "b" / "small" / undisturbed.run.name
    assert (stopped.value.exit_code, read.read(folder).status) == (143, "interrupted")
    continued = run(small, tmp_path / "b")
    assert not continued.was_done
    assert rows(continued.run) == rows(undisturbed.run)
    assert (folder / "predictions.npz").read_bytes() == (undisturbed.run / "predictions.npz").read_bytes()
    assert not (folder / "checkpoint").exists()


def test_a_diverging_run_keeps_its_rows_and_is_a_result(small, tmp_path):
    """Status diverged, the row with NaN there, no test metrics; calling again trains nothing."""
    small["optimizer"] = {"name": "sgd", "learning_rate": 1e38}
    small["loss"] = "squentropy"
    outcome = run(small, tmp_path)
    assert (outcome.status, outcome.summary["metrics"]) == ("diverged", {})
    assert rows(outcome.run)[-1][2] in {"nan", "inf"}
    assert run(small, tmp_path).was_done


def test_rerun_replaces_a_finished_run_only_when_the_new_one_is_complete(small, tmp_path):
    """Interrupted, the old run is untouched; finished, the new one stands in its place and nothing else is left."""
    first = run(small, tmp_path)
    started = first.summary["started"], (first.run / "run.json").stat().st_ino
    with pytest.raises(errors.InterruptedRunError):
        run(small, tmp_path, rerun=True, progress=StopAfter(0))
    assert (first.run / "run.json").stat().st_ino == started[1]
    again = run(small, tmp_path, rerun=True)
    assert (again.was_done, again.run) == (False, first.run)
    assert (again.run / "run.json").stat().st_ino != started[1]
    assert sorted(path.name for path in again.run.parent.iterdir()) == [".locks", again.run.name]


@pytest.mark.parametrize("damage", [("run.json", '{"schema_version": 2}'), ("run.json", "{"), ("config.yaml", ":")])
def test_a_run_that_cannot_be_read_is_not_overwritten(small, tmp_path, damage):
    """It may be finished, and by a newer lossbench; --rerun replaces it."""
    first, (name, text) = run(small, tmp_path), damage
    (first.run / name).write_text(text)
    with pytest.raises(errors.LossbenchError, match=f"{name}.*move the folder away, or retrain it with `rerun`"):
        run(small, tmp_path)
    assert (first.run / name).read_text() == text
    assert run(small, tmp_path, rerun=True).status == "completed"


def test_threads_that_are_no_number_are_not_taken(small, tmp_path):
    """From the run.json of an unfinished run, which anyone may have written."""
    first = run(small, tmp_path)
    (first.run / "run.json").write_text(json.dumps({**first.summary, "status": "interrupted", "threads": "x"}))
    assert run(small, tmp_path).status == "completed"


def test_early_stopping_and_weights_and_noise_columns(small, tmp_path):
    """A rate of 0-like size never improves: stops after patience; weights.npz holds last and best; noise is counted.

    The kernel is whole, though it was trained in blocks.
    """
    small["optimizer"] = {"name": "sgd", "learning_rate": 1e-12}
    small["train"] |= {"epochs": 9, "early_stopping": {"patience": 2}, "save_weights": True}
    small["data"] |= {"label_noise": {"type": "symmetric", "rate": 0.5}}
    outcome = run(small, tmp_path)
    table = read.history(outcome.run)
    assert len(table) == 3
    with np.load(outcome.run / "weights.npz", allow_pickle=False) as weights:
        assert sorted({name.partition("/")[0] for name in weights.files}) == ["best", "last"]
        assert weights["last/dense_1/kernel"].shape == (784, 256)
    memorized, recovered = table[0]["memorized"], table[0]["recovered"]
    assert 0 < memorized < 0.3
    assert 0 < recovered < 0.3
    noise = 1 - np.trace(np.array(outcome.summary["transition_matrix"])) / 10
    assert noise == pytest.approx(0.5, abs=0.05)


def test_without_validation_columns_stay_empty_and_there_is_no_best(small, tmp_path):
    """`val_*` cells are empty, metrics only `last`."""
    small["data"]["validation_size"] = 0
    outcome = run(small, tmp_path)
    assert all(cell == "" for row in rows(outcome.run) for cell in row[3:8])
    assert {name.split(".")[1] for name in outcome.summary["metrics"]} == {"last"}


def test_tensorboard_reads_back_what_was_written(small, tmp_path):
    """Keras' tags, a point an epoch, the values of metrics.csv; also after the run was interrupted and continued."""
    import tensorflow as tf
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    small["log"] = {"tensorboard": True}
    with pytest.raises(errors.InterruptedRunError):
        run(small, tmp_path, progress=StopAfter(1))
    outcome = run(small, tmp_path)
    for part, column in (("train", "loss"), ("validation", "val_loss")):
        events = EventAccumulator(str(outcome.run / "tb" / part)).Reload()
        points = [(e.step, tf.make_ndarray(e.tensor_proto).item()) for e in events.Tensors("epoch_loss")]
        expected = [(row["epoch"], pytest.approx(row[column], rel=1e-6)) for row in read.history(outcome.run)]
        assert points == expected


def test_tensorboard_has_the_configuration_as_hyperparameters(small, tmp_path):
    """In TensorBoard's own HParams record: dotted keys with their values, one session under the folder's name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    outcome = run(small | {"log": {"tensorboard": True}, "seed": 4}, tmp_path)
    (content,) = EventAccumulator(str(outcome.run / "tb")).Reload().PluginTagToContent("hparams").values()
    session = metadata.parse_session_start_info_plugin_data(content)
    told = {key: getattr(value, value.WhichOneof("kind")) for key, value in session.hparams.items()}
    expected = {"seed": 4, "train.epochs": 2, "optimizer.learning_rate": 0.001, "loss.name": "categorical_crossentropy"}
    assert {key: told[key] for key in expected} == expected
    assert (session.group_name, "data.label_noise" in told) == (outcome.run.name, False)


PLUGIN = '''
"""Losses of a user."""
import keras

def squared(y_true, y_pred, *, power=2.0):
    """Powers of the difference."""
    return keras.ops.mean(abs(y_true - keras.ops.softmax(y_pred)) ** power, axis=-1)

def fails_later(y_true, y_pred):
    """Fails on the batches of validation only."""
    if (y_pred.shape[0] or 0) > 499:
        raise RuntimeError("a fault of the loss")
    return -keras.ops.sum(y_true * keras.ops.log_softmax(y_pred), axis=-1)
'''


def test_a_plugins_path_and_hash_are_recorded(small, tmp_path, users):
    """In run.json, for the trial that uses it; and in no other."""
    outcome = run(small | {"loss": {"name": "squared", "power": 1.5}}, tmp_path, plugins=[users])
    assert outcome.summary["plugins"] == [{"path": str(users.path), "sha256": users.sha256}]
    assert outcome.summary["hashes"]["plugin"] == users.sha256
    other = run(small, tmp_path, plugins=[users])
    assert (other.summary["plugins"], other.summary["hashes"]["plugin"]) == ([], None)


def test_a_loss_that_fails_in_training_leaves_a_failed_run_that_is_tried_again(small, tmp_path, users):
    """Status failed with the reason, the traceback in the log, the user's own line in the message."""
    with pytest.raises(errors.PluginError, match=r"users.py:12: RuntimeError: a fault of the loss"):
        run(small | {"loss": "fails_later"}, tmp_path, plugins=[users])
    (folder,) = (path for path in (tmp_path / "small").iterdir() if not path.name.startswith("."))
    assert read.read(folder).status == "failed"
    assert "a fault of the loss" in read.read(folder).summary["reason"]
    assert "Traceback" in (folder / "log.txt").read_text()


def test_a_batch_larger_than_the_training_set_is_refused_before_anything_is_written(small, tmp_path):
    """Exit 2, with both numbers."""
    small["train"]["batch_size"] = 2001
    with pytest.raises(errors.ConfigError, match="expected at most the 2000 training images, got 2001"):
        run(small, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_temperature_comes_from_validation_and_scales_both_sets(small, tmp_path):
    """Scaled metrics for last and best; on validation NLL gains, the test's follow from its predictions."""
    outcome = run(small | {"loss": "hinge"}, tmp_path)
    saved, measured = read.predictions(outcome.run), outcome.summary["metrics"]
    for at in ("last", "best"):
        assert measured[f"val.{at}.nll_scaled"] < measured[f"val.{at}.nll"] - 0.02
        logits = saved[f"{at}.log_probabilities"].astype(float) / measured[f"val.{at}.temperature"]
        expected = metrics.evaluate(softmax.log_softmax(logits), saved["labels"], metrics.SCALED)
        assert expected == pytest.approx({name: measured[f"test.{at}.{name}"] for name in expected}, abs=2e-3)


def test_no_temperature_without_validation(small, tmp_path):
    """Nothing is fitted on the test set or on the training set."""
    small["data"]["validation_size"] = 0
    assert run(small, tmp_path).summary["metrics"].keys() == {f"test.last.{name}" for name in metrics.METRICS}


def test_an_adaptive_head_trains_on_its_own_likelihood(small, tmp_path):
    """Ten classes in three groups reach what a linear head reaches, within a few per cent."""
    linear, adaptive = (
        {**small, "model": {"head": head}} for head in ("linear", {"name": "adaptive", "cutoffs": [4, 7]})
    )
    expected, actual = (run(each, tmp_path).summary["metrics"]["test.last.accuracy"] for each in (linear, adaptive))
    assert actual > expected - 0.05


def test_cutoffs_beyond_the_classes_are_refused_before_anything_is_written(small, tmp_path):
    """The largest cutoff must leave a class for the last cluster."""
    with pytest.raises(errors.ConfigError, match=r"model\.head\.cutoffs: expected numbers below 10, the number of cla"):
        run(small | {"model": {"head": {"name": "adaptive", "cutoffs": [4, 10]}}}, tmp_path)
    assert not list(tmp_path.iterdir())
