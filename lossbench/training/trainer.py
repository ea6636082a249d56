"""Training of a trial epoch by epoch: batches, validation, rows, checkpoints, early stopping, signals."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench import __version__, metrics, seeding, softmax
from lossbench.errors import InterruptedRunError
from lossbench.training import checkpoint, epochs
from lossbench.training.checkpoint import Checkpoint, Position
from lossbench.training.feature_plane import feature_plane
from lossbench.training.schedules import learning_rates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from lossbench.data import Split
    from lossbench.training.progress import Progress
    from lossbench.training.record import Record
    from lossbench.training.setup import Setup
    from lossbench.training.signals import StopRequest

CHUNK_SECONDS = 0.5
"""Target duration of one call of the compiled loop, and so the delay of progress and of the reaction to a signal."""


class Trainer:
    """Training state of a trial.

    Args:
        run: The run folder; checkpoints are written there.
        setup: The trial, set up.
        progress: Receives the progress of the run.
        stop: Tells whether a signal requested to stop.
    """

    def __init__(self, run: Path, setup: Setup, progress: Progress, stop: StopRequest) -> None:
        self._run, self._setup, self._progress, self._stop = run, setup, progress, stop
        self._experiment = setup.trial.experiment
        self._loop, self._dataset = setup.loop, setup.dataset
        train, images = self._experiment.train, len(setup.dataset.train.labels)
        self._complete_batches, remainder = divmod(images, train.batch_size)
        self._steps = self._complete_batches + bool(remainder and not train.drop_remainder)
        self._rates = learning_rates(self._experiment.optimizer, epochs=train.epochs, steps_per_epoch=self._steps)
        self._position = Position()
        self._best_weights: list[NDArray[Any]] = []
        self._validated: NDArray[np.float64] | None = None
        self._chunk, self._saved_at = 16, time.perf_counter()

    @property
    def history(self) -> list[dict[str, Any]]:
        """Rows of the finished epochs."""
        return self._position.history

    def restore(self) -> None:
        """Continue from the checkpoint in the run folder, if there is one of this version that fits the model."""
        variables = self._loop.variables
        numbers = sum(math.prod(variable.shape) for variable in variables)
        found = checkpoint.load(self._run, self._setup.trial.identity, numbers=numbers)
        if found is None:
            return
        if found.lossbench != __version__:
            reason = f"numbers of lossbench {found.lossbench} and {__version__} differ in their last digits"
            self._progress.note(f"{self._run}: training starts again: {reason}")
            return
        if not _fits(found.variables, variables):
            return
        if len(found.best_weights) and not _fits(found.best_weights, self._setup.model.weights):
            return
        self._position, self._best_weights = found.position, list(found.best_weights)
        for phase, seconds in found.position.seconds.items():
            self._setup.stopwatch.add(phase, seconds)
        for variable, array in zip(variables, found.variables, strict=True):
            variable.assign(array.astype(variable.numpy().dtype))  # `_plain` may have changed it

    def train(self, record: Record) -> None:
        """Train the remaining epochs; after a row that diverged, no more.

        Args:
            record: Receives the row of each epoch.

        Raises:
            InterruptedRunError: A signal requested to stop; a checkpoint has been written.
        """
        train = self._experiment.train
        self._progress.begin(self._run, epochs=train.epochs, done=len(self.history))
        while len(self.history) < train.epochs and not epochs.is_over(self.history, train.early_stopping):
            self._train_epoch(record)
            row = self._finish_epoch()
            record.epoch(row)
            self._progress.epoch(row)
            if epochs.diverged(row):
                return
            if len(self.history) < train.epochs:
                self._save_or_stop(record)

    def test(self) -> dict[str, NDArray[np.float64]]:
        """Return log-probabilities `[images, classes]` of the test set, which nothing else reads.

        The keys are `last` and, with validation images, `best`.
        """
        with self._setup.stopwatch.phase("test"):
            return self._predict(self._dataset.test, self._log_probabilities(self._dataset.test))

    def validation(self) -> dict[str, NDArray[np.float64]]:
        """Return log-probabilities of the validation set for `last` and `best`; empty without validation images."""
        split = self._dataset.validation
        if split is None:
            return {}
        with self._setup.stopwatch.phase("validation"):
            last = self._log_probabilities(split) if self._validated is None else self._validated
            return self._predict(split, last)

    def feature_plane(self) -> dict[str, NDArray[Any]] | None:
        """Return the plane of the penultimate layer at the last epoch; None unless it has two units."""
        with self._setup.stopwatch.phase("test"):
            return feature_plane(self._setup.model, self._dataset)

    def named_weights(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Return the weights for `last` and, with validation images, `best`, by their paths in the model."""
        at = {"last": self._weights()} | ({"best": self._best_weights} if self._best_weights else {})
        paths = [weight.path for weight in self._setup.model.weights]
        return {which: dict(zip(paths, weights, strict=True)) for which, weights in at.items()}

    def _train_epoch(self, record: Record) -> None:
        """Train on the remaining batches of the current epoch; between chunks, a signal can stop the run."""
        epoch, position = len(self.history), self._position
        order = self._order(epoch)
        rates = self._rates[epoch * self._steps :]
        if position.batches == 0:
            self._loop.begin_epoch(epoch)
        while position.batches < self._steps:
            began = time.perf_counter()
            position.batches = self._train_chunk(order, rates)
            self._count_seconds(time.perf_counter() - began)
            if not self._report(epoch):
                return
            self._save_or_stop(record)

    def _order(self, epoch: int) -> NDArray[np.int32]:
        generator = seeding.generator(self._experiment.seed, f"batches of epoch {epoch}")
        return generator.permutation(len(self._dataset.train.labels)).astype(np.int32)

    def _train_chunk(self, order: NDArray[np.int32], rates: NDArray[np.float64]) -> int:
        """Train on a chunk of complete batches, or on the smaller batch at the end; return how many are done."""
        begin, complete = self._position.batches, self._complete_batches
        whole, rest = np.split(order, [complete * self._experiment.train.batch_size])
        if begin == complete:
            self._loop.steps(rest[np.newaxis], rates[complete : complete + 1])
            return begin + 1
        end = min(begin + self._chunk, complete)
        self._loop.steps(whole.reshape(complete, -1), rates[:complete], begin, end)
        return end

    def _count_seconds(self, seconds: float) -> None:
        """Add the time spent, and double or halve the chunk so that it takes about `CHUNK_SECONDS`."""
        self._setup.stopwatch.add("train", seconds)
        self._position.epoch_seconds += seconds
        if seconds < CHUNK_SECONDS / 2:
            self._chunk *= 2
        elif seconds > CHUNK_SECONDS:
            self._chunk = max(1, self._chunk // 2)

    def _report(self, epoch: int) -> bool:
        """Report the progress of the epoch; return whether its loss is still finite."""
        sums = self._loop.sums
        loss, accuracy = sums.loss / sums.images, sums.correct / sums.images
        self._progress.steps(epoch, share=self._position.batches / self._steps, loss=loss, accuracy=accuracy)
        return bool(np.isfinite(loss))

    def _finish_epoch(self) -> dict[str, Any]:
        """Validate, append the row of the epoch to the history, and keep the weights if it is the best so far."""
        epoch, began = len(self.history), time.perf_counter()
        with self._setup.stopwatch.phase("validation"):
            validation = self._validate()
        seconds = self._position.epoch_seconds + time.perf_counter() - began
        sums = self._loop.sums
        steps = math.ceil(sums.images / self._experiment.train.batch_size)  # fewer than planned if it diverged
        row = {
            "epoch": epoch,
            **epochs.means(sums),
            **validation,
            "learning_rate": float(self._rates[epoch * self._steps + steps - 1]),
            "seconds": round(seconds, 3),
        }
        self.history.append(row)
        self._position.batches, self._position.epoch_seconds = 0, 0.0
        if epochs.best_epoch(self.history) == epoch:
            self._best_weights = self._weights()
        return row

    def _validate(self) -> Mapping[str, float | None]:
        split = self._dataset.validation
        if split is None:
            return dict.fromkeys(metrics.VALIDATION_COLUMNS)
        logits = self._loop.logits(split.images)
        self._validated = softmax.log_softmax(logits)
        measured: dict[str, float | None] = {
            **metrics.evaluate(self._validated, split.labels),
            "loss": self._loop.objective(logits, split.labels),
        }
        return {f"val_{name}": value for name, value in measured.items()}

    def _predict(self, split: Split, last: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return `last` and, with validation images, the log-probabilities of the best weights."""
        best = epochs.best_epoch(self.history)
        if best is None:
            return {"last": last}
        if best == len(self.history) - 1:
            return {"last": last, "best": last}
        weights = self._weights()
        self._assign(self._best_weights)
        scores = self._log_probabilities(split)
        self._assign(weights)
        return {"last": last, "best": scores}

    def _log_probabilities(self, split: Split) -> NDArray[np.float64]:
        return softmax.log_softmax(self._loop.logits(split.images))

    def _save_or_stop(self, record: Record) -> None:
        """Write a checkpoint if one is due; stop if a signal requested it."""
        if self._stop.signum is None:
            if time.perf_counter() - self._saved_at > checkpoint.SECONDS_BETWEEN:
                self._save()
            return
        self._save()
        done, of = len(self.history), self._experiment.train.epochs
        record.status("interrupted", self.history, f"stopped by signal {self._stop.signum}")
        raise InterruptedRunError(
            f"stopped after {done} of {of} epochs; the same command continues {self._run}", self._stop.signum
        )

    def _save(self) -> None:
        self._position.seconds = dict(self._setup.stopwatch.seconds)
        variables = [_plain(variable.numpy()) for variable in self._loop.variables]
        checkpoint.save(
            self._run, self._setup.trial.identity, Checkpoint(self._position, variables, self._best_weights)
        )
        self._saved_at = time.perf_counter()

    def _weights(self) -> list[NDArray[Any]]:
        return [weight.numpy() for weight in self._setup.model.weights]

    def _assign(self, weights: list[NDArray[Any]]) -> None:
        for weight, array in zip(self._setup.model.weights, weights, strict=True):
            weight.assign(array)


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array in a type that NumPy can write; bfloat16 becomes float32."""
    return array.astype(np.float32) if array.dtype.kind == "V" else array


def _fits(arrays: Any, variables: Any) -> bool:
    return [tuple(array.shape) for array in arrays] == [tuple(variable.shape) for variable in variables]
