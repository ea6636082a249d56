"""One trial from configuration to run folder."""

from __future__ import annotations

import traceback
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench.config import identity
from lossbench.data import sha256
from lossbench.errors import ConfigError, InterruptedRunError, LossbenchError, MachineError, UnfinishedRunError
from lossbench.runs import lock, paths, read, replace
from lossbench.training import checkpoint, epochs, provenance, runtime
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


@dataclass(frozen=True)
class TrainResult:
    """How a trial ended: its folder, its `run.json`, and whether it had been done before."""

    run: Path
    summary: Mapping[str, Any]
    was_done: bool = False

    @property
    def status(self) -> str:
        """`completed` or `diverged`."""
        return str(self.summary["status"])


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
    """Train a trial, or find it done, or continue it where it was interrupted.

    Args:
        trial: What to train.
        runs_dir: The run goes to `runs_dir/<name>/<folder>`.
        device: `auto`, `cpu`, `gpu` or `gpu:N`.
        rerun: Train anew even if it is done; the old run is replaced when the new one is complete.
        claimed: The caller holds the claim of the run already.
        plugins: The files of the user's own losses; those that the trial uses are named in `run.json`.
        argv: The command line, for `run.json`.
        progress: Hears how it goes.

    Returns:
        The result, `completed` or `diverged`.

    Raises:
        UsageError: Configuration, data, loss or device do not fit together; nothing has been written.
        TakenRunError: Another process trains it.
        InterruptedRunError: A signal stopped it; the same call continues.
        UnfinishedRunError: Training raised an error; the folder says `failed`, and its log why.
        MachineError: The folder cannot be written.
    """
    run = run_folder(trial, runs_dir)
    target = replace.rerun_folder(run) if rerun else run
    if not rerun and (done := _done(run, trial)):
        return done
    from lossbench.training.record import Record
    from lossbench.training.setup import set_up
    from lossbench.training.trainer import Trainer

    begun = _begun(target)
    # Another number of threads could change the last digits of a run that is continued.
    setup = set_up(trial, device=device, threads=_threads(begun))
    with stop_request() as stop, nullcontext() if claimed else lock.claim(run):
        replace.recover(run)
        if not rerun and (done := _done(run, trial)):
            return done
        trainer = Trainer(target, setup, progress or Silent(), stop)
        trainer.restore()
        started = begun.get("started") or provenance.now()
        facts = {"started": started, "argv": list(argv), "plugins": _used(trial, plugins)}
        record = Record(target, setup, trainer.history, facts)
        with runtime.on(setup.machine):
            _to_the_end(trainer, record, save_weights=trial.experiment.train.save_weights)
        checkpoint.remove(target)
        if rerun:
            replace.promote(run)
    return TrainResult(run, record.summary)


def run_folder(trial: Trial, runs_dir: Path) -> Path:
    """Where the run of a trial is."""
    return paths.run_folder(runs_dir, trial.experiment.name, trial.folder)


def identify(experiment: Experiment, plugins: Sequence[PluginLoaded] = ()) -> Trial:
    """The trial of an experiment: with the digest of its data and, if its loss comes from one, of the plugin."""
    if experiment.sweep is not None:
        raise ConfigError([f"{experiment.name}: the configuration has a sweep; `lossbench sweep` trains all of it"])
    digests = {name: plugin.sha256 for plugin in plugins for name in plugin.names}
    return identity.trial(experiment, data_sha256=sha256(experiment.data), plugins=digests)


def _used(trial: Trial, plugins: Sequence[PluginLoaded]) -> list[dict[str, str]]:
    names = {term.name for term in trial.experiment.loss}
    return [
        {"path": str(each.path.resolve()), "sha256": each.sha256} for each in plugins if names.intersection(each.names)
    ]


def _to_the_end(trainer: Trainer, record: Record, *, save_weights: bool) -> None:
    """Train and test; an error leaves the run `failed`, unless the run can just be continued."""
    try:
        trainer.train(record)
        test = {} if epochs.diverged(trainer.history[-1]) else trainer.test()
        if test and all(np.isfinite(scores).all() for scores in test.values()):
            record.results(test, trainer.validation(), trainer.history)
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


def _done(run: Path, trial: Trial) -> TrainResult | None:
    """The result of a run that is there already, completed or diverged."""
    summary = _summary(run)
    if not summary:
        return None
    if summary.get("hashes", {}).get("identity") != trial.identity:
        raise LossbenchError(f"{run}: this folder is another trial's; move it away, or choose another `runs_dir`")
    if summary["status"] not in {"completed", "diverged"}:
        return None
    checkpoint.remove(run)  # its process may have been killed before it came to that
    return TrainResult(run, summary, was_done=True)


def _summary(run: Path) -> Mapping[str, Any] | None:
    """What `run.json` says; None where there is no run yet.

    Raises:
        LossbenchError: There is one that cannot be read: it may be finished, so it is not overwritten.
    """
    if not (run / paths.RUN).exists():
        return None
    try:
        return read.read(run).summary
    except read.BrokenRunError as error:
        raise LossbenchError(f"{run}: {error}; move the folder away, or retrain it with `rerun`") from error


def _begun(run: Path) -> Mapping[str, Any]:
    """What is known of an unfinished run that is continued, if anything."""
    try:
        return read.read(run).summary
    except read.BrokenRunError:
        return {}


def _threads(begun: Mapping[str, Any]) -> int | None:
    threads = begun.get("threads")
    return threads if type(threads) is int and threads > 0 else None
