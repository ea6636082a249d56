"""Training of one trial, from its configuration to its run folder."""

from __future__ import annotations

import traceback
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench.config import identity
from lossbench.config.dump import to_yaml
from lossbench.data import sha256
from lossbench.errors import ConfigError, InterruptedRunError, LossbenchError, MachineError, UnfinishedRunError
from lossbench.losses import expression, labels, registry
from lossbench.runs import lock, paths, plain_yaml, read, replace
from lossbench.training import checkpoint, epochs, provenance, runtime, settings
from lossbench.training.gpus import parse_device
from lossbench.training.progress import Progress, Silent
from lossbench.training.signals import stop_request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lossbench.config.identity import Trial
    from lossbench.config.schema import Experiment
    from lossbench.losses.plugin import PluginLoaded
    from lossbench.training.record import Record
    from lossbench.training.trainer import Trainer


@dataclass(frozen=True, repr=False)
class TrainResult:
    """Result of training a trial.

    Attributes:
        run: The run folder.
        summary: `run.json`.
        was_done: Whether the run had been finished before, so that nothing was trained.
    """

    run: Path
    summary: Mapping[str, Any]
    was_done: bool = False

    @property
    def status(self) -> str:
        """`completed` or `diverged`."""
        return str(self.summary["status"])

    def __repr__(self) -> str:
        """Return e.g. `<TrainResult focal, seed 0: completed, test accuracy 97.62 %, runs/mnist/focal-s0-c28>`."""
        accuracy = self.summary["metrics"].get("test.last.accuracy")
        score = "" if accuracy is None else f", test accuracy {accuracy:.2%}".replace("%", " %")
        trial = f"{self.summary['loss']}, seed {self.summary['seed']}"
        return f"<TrainResult {trial}: {self.status}{score}, {self.run}>"


def train(
    trial: Trial,
    *,
    runs_dir: Path,
    device: str = "auto",
    rerun: bool = False,
    claimed: bool = False,
    plugins: Sequence[PluginLoaded] = (),
    argv: Sequence[str] = (),
    progress: Progress | None = None,
) -> TrainResult:
    """Train a trial, continue it where it was interrupted, or return the finished run.

    Args:
        trial: The trial.
        runs_dir: Parent folder of `<name>/<folder>`, the run folder.
        device: `auto`, `cpu`, `gpu` or `gpu:N`; `cuda` means `gpu`. It is checked even if the run is finished.
        rerun: Retrain a finished run, and replace it once the new one is complete; so is a run with a loss in memory.
        claimed: Whether the caller already holds the claim of the run.
        plugins: Files with the user's own losses; `run.json` names those that the trial uses.
        argv: The command line, for `run.json`.
        progress: Receives the progress of the run.

    Returns:
        The result, of status `completed` or `diverged`.

    Raises:
        UsageError: Configuration, data, loss or device do not fit together; nothing has been written.
        TakenRunError: Another process trains this run.
        InterruptedRunError: A signal stopped the run; the same call continues it.
        UnfinishedRunError: Training raised an error. The run has status `failed`, and its log has the traceback.
        MachineError: The folder cannot be written.
    """
    device = parse_device(device)
    run = run_folder(trial, runs_dir)
    in_memory = any(each.in_memory is not None for each in _used(trial, plugins))
    rerun = rerun or (in_memory and _finished(run, trial) is not None)
    target = replace.rerun_folder(run) if rerun else run
    if not rerun and (done := _finished(run, trial)):
        runtime.check_device(device)
        return done
    from lossbench.training.record import Record
    from lossbench.training.setup import set_up
    from lossbench.training.trainer import Trainer

    unfinished = _unfinished(target)
    with ExitStack() as stack:
        stack.enter_context(settings.restored())
        # A continued run keeps its number of threads: another number could change the last digits.
        setup = set_up(trial, device=device, threads=_threads(unfinished))
        stop = stack.enter_context(stop_request())
        if not claimed:
            stack.enter_context(lock.claim(run))
        replace.recover(run)
        if not rerun and (done := _finished(run, trial)):
            return done
        progress = progress or Silent()
        for note in setup.notes:
            progress.note(note)
        trainer = Trainer(target, setup, progress, stop)
        trainer.restore()
        started = unfinished.get("started") or provenance.now()
        facts = {"started": started, "argv": list(argv), "plugins": _used_plugins(trial, plugins)}
        record = Record(target, setup, trainer.history, facts)
        stack.callback(setup.loop.release)
        with runtime.on(setup.machine):
            _train_and_test(trainer, record, save_weights=trial.experiment.train.save_weights)
        checkpoint.remove(target)
        if rerun:
            replace.promote(run)
    return TrainResult(run, record.summary)


def run_folder(trial: Trial, runs_dir: Path) -> Path:
    """Return the run folder of a trial, whether it exists or not."""
    return paths.run_folder(runs_dir, trial.experiment.name, trial.folder)


def identify(experiment: Experiment, plugins: Sequence[PluginLoaded] = ()) -> Trial:
    """Return the trial of an experiment, with the digests of its data and of the plugin that defines its loss.

    Raises:
        ConfigError: The experiment has a sweep, or its loss has a value that `config.yaml` cannot hold.
        DataError: The data cannot be read.
    """
    if experiment.sweep is not None:
        raise ConfigError([f"{experiment.name}: the configuration has a sweep; `lossbench sweep` trains all of it"])
    _check_recordable(experiment)
    digests = {name: plugin.sha256 for plugin in plugins for name in plugin.names}
    return identity.trial(experiment, data_sha256=sha256(experiment.data), plugins=digests)


def _check_recordable(experiment: Experiment) -> None:
    """Refuse a user's loss with values that `config.yaml` would not give back, before anything is trained."""
    if not any(registry.find(term.name).plugin for term in experiment.loss):
        return
    text = to_yaml(experiment)
    if len(text.encode()) > read.CONFIG_BYTES:
        raise ConfigError([f"loss: its values take more than the {read.CONFIG_BYTES >> 10} KiB of a recorded run"])
    try:
        recorded = plain_yaml.parse(text)["loss"]
    except ValueError:
        recorded = None
    if recorded != expression.dump(experiment.loss):
        raise ConfigError([f"loss: {labels.label(experiment.loss)[:80]}: a value cannot be recorded with the run"])


def _used(trial: Trial, plugins: Sequence[PluginLoaded]) -> list[PluginLoaded]:
    names = {term.name for term in trial.experiment.loss}
    return [each for each in plugins if names.intersection(each.names)]


def _used_plugins(trial: Trial, plugins: Sequence[PluginLoaded]) -> list[dict[str, Any]]:
    """Return what `run.json` records of the users' losses; one in memory has a name instead of a path."""
    return [
        {"in_memory": each.names[0], "sha256": each.sha256}
        if each.in_memory is not None
        else {"path": str(each.path.resolve()), "sha256": each.sha256}
        | ({"imports": dict(each.imports)} if each.imports else {})
        for each in _used(trial, plugins)
    ]


def _train_and_test(trainer: Trainer, record: Record, *, save_weights: bool) -> None:
    """Train and test. An error leaves the run `failed`, unless the same command can continue it."""
    try:
        trainer.train(record)
        test = {} if epochs.diverged(trainer.history[-1]) else trainer.test()
        if test and all(np.isfinite(scores).all() for scores in test.values()):
            record.results(test, trainer.validation(), trainer.history)
            if plane := trainer.feature_plane():
                record.feature_plane(plane)
            if save_weights:
                record.weights(trainer.named_weights())
            record.status("completed", trainer.history)
        else:
            record.status("diverged", trainer.history, "the loss or the network's output is no longer finite")
    except (InterruptedRunError, MachineError):
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        record.log(traceback.format_exc())
        record.status("failed", trainer.history, reason)
        if isinstance(error, LossbenchError):
            raise
        raise UnfinishedRunError(f"training failed: {reason}; the log in the run folder holds the rest") from error


def _finished(run: Path, trial: Trial) -> TrainResult | None:
    """Return the result of a completed or diverged run; None if the run is not finished."""
    summary = _summary(run)
    if not summary:
        return None
    if summary.get("hashes", {}).get("identity") != trial.identity:
        raise LossbenchError(
            f"{run}: this folder is another trial's; move it away, or choose another `runs_dir`", mentions=("runs_dir",)
        )
    if summary["status"] not in {"completed", "diverged"}:
        return None
    checkpoint.remove(run)  # the process may have been killed before it removed the checkpoint
    return TrainResult(run, summary, was_done=True)


def _summary(run: Path) -> Mapping[str, Any] | None:
    """Return `run.json`; None if there is no run yet.

    Raises:
        LossbenchError: The run cannot be read. It may be finished, so it is not overwritten.
    """
    if not (run / paths.RUN).exists():
        return None
    try:
        return read.read(run).summary
    except read.BrokenRunError as error:
        raise LossbenchError(
            f"{run}: {error}; move the folder away, or retrain it with `rerun`", mentions=("rerun",)
        ) from error


def _unfinished(run: Path) -> Mapping[str, Any]:
    """Return `run.json` of the unfinished run to continue; empty if there is none."""
    try:
        return read.read(run).summary
    except read.BrokenRunError:
        return {}


def _threads(summary: Mapping[str, Any]) -> int | None:
    threads = summary.get("threads")
    return threads if type(threads) is int and threads > 0 else None
