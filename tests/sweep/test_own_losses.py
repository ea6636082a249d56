"""Users' losses that training would refuse stop a sweep before any of its trials."""

import subprocess

import pytest

import lossbench as lb
from lossbench.config import resolve
from lossbench.errors import PluginError
from lossbench.losses import plugin, registry
from lossbench.sweep import own_losses
from lossbench.sweep.executors.messages import WorkerSettings
from lossbench.sweep.plan import PlannedTrial
from lossbench.sweep.scheduler import Rules
from lossbench.sweep.status import SweepStatus
from lossbench.training import checks, identify

LOSSES = '''
import os
import time

from lossbench import ops


def good(y_true, y_pred, *, scale: float = 1.0):
    """Cross-entropy."""
    return -scale * ops.sum(y_true * ops.log_softmax(y_pred), axis=-1)


def of_probabilities(y_true, y_pred, *, power: float = 1.0):
    """Compute the logarithm of what should be a probability."""
    return -ops.sum(y_true * ops.log(y_pred) ** power, axis=-1)


def flat(y_true, y_pred):
    """Count the mistakes, which has no gradient."""
    return ops.cast(ops.argmax(y_true, -1) != ops.argmax(y_pred, -1), "float32")


def scores(y_true, y_pred):
    """Return one number per class."""
    return y_true * y_pred


def fails(y_true, y_pred):
    """Use a name that does not exist."""
    return nothing(y_true, y_pred)


def of_integers(y_true, y_pred):
    """Encode the labels itself."""
    return -ops.sum(ops.one_hot(ops.cast(y_true, "int32"), 10) * ops.log_softmax(y_pred), axis=-1)


def ends(y_true, y_pred):
    """End the process."""
    os._exit(0)


def sleeps(y_true, y_pred):
    """Never return."""
    time.sleep(600)
'''
REFUSED = ["of_probabilities", "flat", "scores", "fails", "of_integers"]


@pytest.fixture
def file(tmp_path):
    """A file of losses, loaded."""
    path = tmp_path / "mine.py"
    path.write_text(LOSSES)
    plugin.load(path)
    yield path
    registry.clear_plugins()


@pytest.fixture
def calls(monkeypatch):
    """The requests to another process, which answers that all is well."""
    made = []

    def run(command, *, input, **_):  # noqa: A002 - the name of the original
        made.append(input)
        return subprocess.CompletedProcess(command, 0, '""', "")

    monkeypatch.setattr(own_losses.subprocess, "run", run)
    return made


def plan(file, *losses, seeds=(0,), **config):
    """The status of one trial per loss and seed."""
    loaded = [plugin.load(file)]
    experiments = [resolve.from_mapping({"loss": loss, "seed": seed, **config}) for seed in seeds for loss in losses]
    return SweepStatus([PlannedTrial(identify(each, loaded), {}) for each in experiments])


def check(status, file, **rules):
    """Check the losses of the trials that are left."""
    own_losses.check(status, WorkerSettings("runs", plugins=[str(file)]), Rules(**rules))


def sentence(loss):
    """What `validate` says about a loss."""
    with pytest.raises(PluginError) as caught:
        checks.call_own_losses([resolve.from_mapping({"loss": loss})])
    return str(caught.value)


def test_every_loss_that_validate_refuses_stops_a_sweep(lossbench, file, tmp_path):
    """Exit 2, one line for each with the words of `validate`; the good losses are not trained, nothing is written."""
    names = ", ".join(["ce", "good", *REFUSED])
    (tmp_path / "study.yaml").write_text(f"data: {{train_size: 500}}\nsweep: {{parameters: {{loss: [{names}]}}}}\n")
    done = lossbench("sweep", "--config", "study.yaml", "--plugin", file, "--jobs", "1", check=2)
    assert (done.stdout, done.stderr) == ("", "".join(f"error: {sentence(name)}\n" for name in REFUSED))
    assert not (tmp_path / "runs").exists()


def test_a_loss_with_a_parameter_of_that_name_is_told_the_attribute(file):
    """As the key of the configuration sets the parameter."""
    file.write_text(
        "from lossbench import ops\n\n\ndef mine(y_true, y_pred, *, outputs: float = 1.0):\n"
        "    return -outputs * ops.sum(y_true * ops.log(y_pred), axis=-1)\n"
    )
    plugin.load(file)
    assert 'set `mine.outputs = "probabilities"` in the file' in sentence("mine")


@pytest.mark.slow
def test_sweep_in_python_raises_the_same(file, tmp_path):
    """Before any trial; a hyperparameter that is at fault is one that some trials have."""
    config = {"sweep": {"parameters": {"loss": ["ce", "good", "flat"]}}}
    with pytest.raises(PluginError) as caught:
        lb.sweep(config, plugins=[file], runs_dir=tmp_path / "runs")
    assert str(caught.value) == sentence("flat")
    assert not (tmp_path / "runs").exists()


def test_losses_in_memory_are_called_in_this_process(tmp_path):
    """Before any trial, those of other names too."""

    def level(y_true, y_pred):
        return 0 * y_true[:, 0] + 0 * y_pred[:, 0]

    try:
        with pytest.raises(PluginError, match=r"level.*no gradient reaches the logits"):
            lb.sweep({"sweep": {"parameters": {"loss": ["ce", level]}}}, runs_dir=tmp_path / "runs")
    finally:
        registry.clear_plugins()
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("losses", "statuses", "rules", "called"),
    [
        (["ce", "focal"], [], {}, 0),
        (["ce", "good"], [], {}, 1),
        (["good", {"name": "good", "scale": 2}, [{"name": "good"}, {"name": "ce"}]], [], {}, 3),
        (["ce", "good"], ["new", "completed"], {}, 0),
        (["ce", "good"], ["new", "diverged"], {}, 0),
        (["ce", "good"], ["new", "failed"], {}, 0),
        (["ce", "good"], ["new", "failed"], {"retry_failed": True}, 1),
        (["ce", "good"], ["new", "interrupted"], {}, 1),
    ],
)
def test_each_choice_of_hyperparameters_is_called_once_if_it_is_still_to_be_trained(
    file, calls, losses, statuses, rules, called
):
    """Not once per seed; built-in losses alone start no process."""
    status = plan(file, *losses, seeds=(0, 1))
    for number in range(len(status.trials)):
        if statuses:
            status.set_status(number, statuses[number % len(losses)])
    check(status, file, **rules)
    assert [request.count('"loss":') for request in calls] == ([called] if called else [])


@pytest.mark.slow
def test_the_process_gets_losses_as_the_configuration_has_them(file):
    """Mappings with whole numbers as keys, and lists, arrive unchanged."""
    file.write_text(
        "from lossbench import ops\n\n\n"
        "def weighted(y_true, y_pred, *, weights: dict = {0: 2.0}, order: list = [1]):\n"
        "    assert weights[3] == 5.0 and isinstance(order, list)\n"
        "    return -weights[3] * ops.sum(y_true * ops.log_softmax(y_pred), axis=-1)\n"
    )
    good = plan(file, {"name": "weighted", "weights": {3: 5.0}, "order": [2, 1]})
    check(good, file)
    bad = plan(file, {"name": "weighted", "weights": {4: 5.0}})
    with pytest.raises(PluginError, match=r"mine\.py:5: KeyError: 3"):
        check(bad, file)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rules"), [("ends", {}), ("sleeps", {"timeout": 20.0})])
def test_a_loss_that_ends_its_process_or_hangs_is_left_to_its_trial(file, name, rules):
    """As the log of the trial says more, and other trials can be trained."""
    check(plan(file, name), file, **rules)
