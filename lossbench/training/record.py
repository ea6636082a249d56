"""Writer of a run folder during training: every file except the checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench import environment, files, metrics, softmax
from lossbench.config.dump import dump, to_yaml
from lossbench.losses import expression
from lossbench.losses.labels import label
from lossbench.runs import paths, read, write
from lossbench.training import epochs, provenance
from lossbench.training.tensorboard import Events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from lossbench.config.identity import Trial
    from lossbench.data import Dataset
    from lossbench.training.setup import Setup


class Record:
    """Writer of the files of a run folder; `summary` is the content of `run.json`.

    Args:
        run: The run folder.
        setup: The trial, set up.
        history: Rows of the epochs that are already finished.
        facts: Further keys of `run.json`.
    """

    def __init__(self, run: Path, setup: Setup, history: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> None:
        experiment = setup.trial.experiment
        self._run, self._setup = run, setup
        self.summary = {**_describe(setup), **facts}
        files.make_folder(run)
        files.remove_temporary_files(run)
        files.write_text(run / paths.CONFIG, to_yaml(experiment))
        write.table(run / paths.METRICS, paths.METRICS_COLUMNS, history)
        self.status("running", history)
        self.log(f"{provenance.now()} {self.summary['loss']}, seed {experiment.seed}: from epoch {len(history)} on")
        self._events = Events(run, dump(experiment), history) if experiment.log.tensorboard else None

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Append the row of an epoch to `metrics.csv`, its line to the log, its scalars to the events."""
        write.append_epoch(self._run / paths.METRICS, row)
        self.log(epochs.line(row, self._setup.trial.experiment.train.epochs))
        if self._events:
            self._events.epoch(row)

    def log(self, text: str) -> None:
        """Append text to `log.txt`."""
        write.append_log(self._run / paths.LOG, text)

    def status(self, status: str, history: Sequence[Mapping[str, Any]], reason: str | None = None) -> None:
        """Write `run.json` with a status, the reason for it, and the progress of the run."""
        seconds = {phase: round(spent, 3) for phase, spent in self._setup.stopwatch.seconds.items()}
        self.summary |= {
            "status": status,
            "reason": reason,
            "finished": None if status == "running" else provenance.now(),
            "seconds": {**seconds, "total": round(sum(seconds.values()), 3)},
            "epochs": len(history),
            "best_epoch": epochs.best_epoch(history),
        }
        if status != "running" and self._events:
            self._events.close()
        write.summary(self._run / paths.RUN, self.summary)

    def results(
        self,
        test: Mapping[str, NDArray[Any]],
        validation: Mapping[str, NDArray[Any]],
        history: Sequence[Mapping[str, Any]],
    ) -> None:
        """Write predictions, confusion and scores per class, and add the metrics to the summary.

        Args:
            test: Log-probabilities `[images, classes]` of the test set, for `last` and `best`.
            validation: Those of the validation set, which determine the temperature; empty without one.
            history: Rows of all epochs.
        """
        labels, classes = self._setup.dataset.test.labels, self._setup.dataset.classes
        counts = {at: metrics.confusion(scores.argmax(axis=1), labels, classes) for at, scores in test.items()}
        write.predictions(self._run / paths.PREDICTIONS, labels, test)
        write.confusion(self._run / paths.CONFUSION, counts)
        write.per_class(self._run / paths.PER_CLASS, {at: metrics.per_class(matrix) for at, matrix in counts.items()})
        self.summary["metrics"] = {
            **_validation_metrics(history),
            **{
                f"test.{at}.{name}": value
                for at, scores in test.items()
                for name, value in metrics.evaluate(scores, labels).items()
            },
            **_scaled_metrics(self._setup.dataset, test, validation),
        }

    def feature_plane(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write `features.npz`: the arrays of `feature_plane`."""
        write.arrays(self._run / paths.FEATURES, arrays)

    def weights(self, arrays: Mapping[str, Mapping[str, NDArray[Any]]]) -> None:
        """Write `weights.npz`, with names `AT/LAYER/VARIABLE`, AT being `last` or `best`."""
        named = {f"{at}/{name}": array for at, weights in arrays.items() for name, array in weights.items()}
        write.arrays(self._run / paths.WEIGHTS, named)


def fail(run: Path, trial: Trial, reason: str, log: str = "") -> None:
    """Mark a trial as `failed`; a folder of a finished run or of another trial is not changed.

    Args:
        run: The run folder, which need not exist. The caller holds its claim.
        trial: The trial that failed.
        reason: The reason, in one line.
        log: Text for `log.txt`.
    """
    summary = _describe_trial(trial)
    if (run / paths.RUN).exists():
        try:
            summary = read.read_summary(run)
        except read.BrokenRunError:
            return
        if summary["hashes"]["identity"] != trial.identity or summary["status"] in {"completed", "diverged"}:
            return
    else:
        files.make_folder(run)
        files.write_text(run / paths.CONFIG, to_yaml(trial.experiment))
        write.table(run / paths.METRICS, paths.METRICS_COLUMNS, [])
    write.append_log(run / paths.LOG, f"{provenance.now()} failed: {reason}\n{log}")
    write.summary(run / paths.RUN, summary | {"status": "failed", "reason": reason, "finished": provenance.now()})


def _validation_metrics(history: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    best = epochs.best_epoch(history)
    rows = {} if best is None else {"last": history[-1], "best": history[best]}
    return {f"val.{at}.{name}": row.get(f"val_{name}") for at, row in rows.items() for name in metrics.METRICS}


def _scaled_metrics(
    dataset: Dataset, test: Mapping[str, NDArray[Any]], validation: Mapping[str, NDArray[Any]]
) -> dict[str, float]:
    """Return the temperature fitted to the validation set, and the scaled metrics of both sets at it."""
    if dataset.validation is None:
        return {}
    parts = {"val": (validation, dataset.validation.labels), "test": (test, dataset.test.labels)}
    measured = {}
    for at, scores in validation.items():
        temperature = softmax.temperature(scores, dataset.validation.labels)
        measured[f"val.{at}.temperature"] = temperature
        for part, (of, labels) in parts.items():
            scaled = metrics.evaluate(softmax.log_softmax(of[at] / temperature), labels, metrics.SCALED)
            measured |= {f"{part}.{at}.{name}": value for name, value in scaled.items()}
    return measured


def _describe_trial(trial: Trial) -> dict[str, Any]:
    """Return the part of `run.json` that is known from the trial."""
    return {
        "schema_version": paths.SCHEMA_VERSION,
        "name": trial.experiment.name,
        "status": "running",
        "reason": None,
        "seed": trial.experiment.seed,
        "loss": label(trial.experiment.loss),
        "link": expression.link(trial.experiment.loss),
        "versions": provenance.versions(),
        "precision": trial.experiment.train.precision,
        "lossbench_commit": provenance.lossbench_commit(),
        "git": provenance.git(),
        "environment": environment.active(),
        "hashes": {"identity": trial.identity, "data": trial.data_sha256, "plugin": trial.plugin_sha256},
        "metrics": {},
    }


def _describe(setup: Setup) -> dict[str, Any]:
    """Return the part of `run.json` that is known before training."""
    dataset, machine = setup.dataset, setup.machine
    realised = dataset.realised_transition_matrix
    return {
        **_describe_trial(setup.trial),
        "device": {"kind": machine.kind, "name": machine.name},
        "threads": machine.threads,
        "parameters": setup.model.count_params(),
        "images": {
            "train": len(dataset.train.labels),
            "validation": len(dataset.validation.labels) if dataset.validation else 0,
            "test": len(dataset.test.labels),
        },
        "class_counts": dataset.class_counts.tolist(),
        "transition_matrix": None if realised is None else realised.tolist(),
    }
