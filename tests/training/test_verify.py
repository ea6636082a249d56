"""A run trained once more, in this process: what it gives, and what is refused before anything is trained."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from lossbench import errors
from lossbench.config import resolve
from lossbench.inspect import numbers, verification
from lossbench.losses import plugin, registry
from lossbench.runs import read
from lossbench.training import identify, train, verify
from lossbench.training.progress import Silent

PLUGIN = """
from lossbench import ops

def squared(y_true, y_pred):
    return ops.sum((y_true - ops.softmax(y_pred)) ** 2, axis=-1)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small completed run, noise and all; not to be changed."""
    runs = tmp_path_factory.mktemp("runs")
    config = {
        "loss": {"name": "focal", "gamma": 1.5},
        "data": {"train_size": 500, "validation_size": 200, "label_noise": {"rate": 0.2}},
        "train": {"epochs": 2},
        "log": {"tensorboard": True},
    }
    return train(identify(resolve.from_mapping(config)), runs_dir=runs).run


@pytest.fixture
def copy(trained, tmp_path):
    """A copy that may be broken."""
    return shutil.copytree(trained, tmp_path / "copy")


def set_key(folder, key, value):
    """Write a key of run.json."""
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))


def state(folder):
    """Every byte of a folder, and when it was written."""
    return {path: (path.stat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in folder.rglob("*")}


def verified(folder, plugins=(), **options):
    run = read.read(folder)
    trial = verify.trial_of(run, plugins)
    with verify.trained_again(run, trial, plugins=plugins, **options) as again:
        return verification.verify(run, numbers.read_numbers(run), again, tolerance=1e-3)


def test_a_run_gives_its_numbers_again_bit_by_bit(trained):
    """Every number of every file, and nothing of the folder or beside it is touched."""
    before = state(trained)
    found = verified(trained)
    assert (found.status, found.environment) == ("bit-equal", ())
    assert found.numbers > 10_000 * 23
    assert state(trained) == before
    assert [path.name for path in trained.parent.iterdir() if path.name != ".locks"] == [trained.name]


def test_a_broken_number_is_found_where_it_stands(copy):
    """One log-probability of one image, one digit of metrics.csv: file, row, column, both values."""
    with np.load(copy / "predictions.npz", allow_pickle=False) as file:
        arrays = dict(file)
    expected = float(arrays["best.log_probabilities"][1234, 5])
    arrays["best.log_probabilities"][1234, 5] = -33
    np.savez(copy / "predictions.npz", **arrays)
    found = verified(copy)
    assert (found.status, found.different) == ("different", 1)
    first = found.first
    assert (first.file, first.row_is, first.row) == ("predictions.npz", "image", 1234)
    assert (first.column, first.recorded, first.again) == ("best.log_probabilities 5", -33, expected)


def test_the_recorded_number_of_threads_is_taken(copy):
    """Though the configuration leaves it open; what the process really has is what is compared."""
    run = read.read(copy)
    assert run.config["train"]["threads"] is None
    set_key(copy, "threads", 3)
    assert verify.trial_of(read.read(copy)).experiment.train.threads == 3


@pytest.mark.parametrize("threads", [0, -1, 10**9, "x", 1.5])
def test_threads_that_are_no_number_are_said(copy, threads):
    """In a file that anyone may have written."""
    set_key(copy, "threads", threads)
    with pytest.raises(errors.ConfigError, match=r"config\.yaml: train\.threads: expected"):
        verify.trial_of(read.read(copy))


@pytest.mark.parametrize("status", ["running", "interrupted", "failed", "diverged"])
def test_only_a_completed_run_is_verified(copy, status):
    """One line that says what it is."""
    set_key(copy, "status", status)
    with pytest.raises(errors.UsageError, match=f"copy: expected a completed run, got one that is {status}"):
        verify.trial_of(read.read(copy))


def test_other_data_are_refused(copy):
    """Both digests are shown."""
    hashes = read.read(copy).summary["hashes"]
    set_key(copy, "hashes", hashes | {"data": "\x1b[31m0123456789abcdef"})
    with pytest.raises(errors.DataError) as raised:
        verify.trial_of(read.read(copy))
    assert f"got '{hashes['data'][:12]}'" in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_a_changed_configuration_is_refused(copy):
    """It is no longer the one that run.json is about."""
    path = copy / "config.yaml"
    path.write_text(path.read_text().replace("gamma: 1.5", "gamma: 1.6"))
    with pytest.raises(errors.UsageError, match=r"config\.yaml: does not belong to run\.json"):
        verify.trial_of(read.read(copy))


def test_a_configuration_that_is_none_is_said(copy):
    """With its place."""
    path = copy / "config.yaml"
    path.write_text(path.read_text().replace("name: focal", "name: nonsense"))
    with pytest.raises(errors.ConfigError, match=r"copy/config\.yaml: loss.*unknown loss 'nonsense'"):
        verify.trial_of(read.read(copy))


def test_a_plugin_must_be_named_and_unchanged(small, tmp_path, users):
    """Not named: which file; named, but other bytes: both digests; as it was: bit-equal."""
    trial = identify(resolve.from_mapping(small | {"loss": "squared"}), [users])
    run = read.read(train(trial, runs_dir=tmp_path / "runs", plugins=[users]).run)
    with pytest.raises(errors.PluginError, match=r"with a loss of '.*users.py'; name that file in `plugins`"):
        verify.trial_of(run)
    assert verified(run.folder, [users]).status == "bit-equal"
    registry.clear_plugins()
    users.path.write_text(f"{PLUGIN}# changed\n")
    with pytest.raises(
        errors.PluginError, match=rf"users.py: has changed since.*expected .*'{users.sha256[:12]}', got"
    ):
        verify.trial_of(run, [plugin.load(users.path)])


def test_a_changed_module_beside_the_plugin_is_named(small, tmp_path):
    """`run.json` has the hash of each; bit-equal while they are the same."""
    path, helper = tmp_path / "mine.py", tmp_path / "helper.py"
    path.write_text(f"{PLUGIN}\nimport helper\n")
    helper.write_text("x = 1\n")
    loaded = plugin.load(path)
    trial = identify(resolve.from_mapping(small | {"loss": "squared"}), [loaded])
    run = read.read(train(trial, runs_dir=tmp_path / "runs", plugins=[loaded]).run)
    recorded = {"helper.py": hashlib.sha256(helper.read_bytes()).hexdigest()}
    assert run.summary["plugins"] == [{"path": str(path), "sha256": loaded.sha256, "imports": recorded}]
    assert run.summary["hashes"]["plugin"] == loaded.sha256
    assert verified(run.folder, [loaded]).status == "bit-equal"
    helper.write_text("x = 2\n")
    with pytest.raises(errors.PluginError, match=r"mine\.py: helper\.py, which it imports, has changed since"):
        verify.trial_of(run, [plugin.load(path)])


def test_a_signal_leaves_nothing_behind(trained, tmp_path, monkeypatch):
    """It says that the run is not verified, not that the same command continues."""
    import signal
    import tempfile

    class Stop(Silent):
        def epoch(self, _):
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(errors.InterruptedRunError, match=f"stopped; {trained} is not verified") as raised:
        verified(trained, progress=Stop())
    assert raised.value.exit_code == 143
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_training_is_one_line(trained, tmp_path, monkeypatch):
    """With the reason, and without the log of a folder that is gone."""
    import tempfile

    def fail(*_):
        raise MemoryError("no more")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("lossbench.training.trainer.Trainer.train", fail)
    with pytest.raises(errors.LossbenchError, match=f"{trained}: cannot be trained: MemoryError: no more$"):
        verified(trained)
