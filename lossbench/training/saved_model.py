"""The trained network of a run folder as a Keras model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from lossbench import models, ops
from lossbench.config import resolve
from lossbench.data import prepare
from lossbench.errors import ConfigError, UsageError
from lossbench.runs import arrays, paths, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lossbench.config.schema import Experiment
    from lossbench.data import Dataset
    from lossbench.runs.read import Run


def load(run: Run, at: Literal["last", "best"] = "last") -> Any:
    """Return the network of a run with its trained weights.

    Args:
        run: The run; it needs `weights.npz`.
        at: Epoch of the weights: the last, or the best by validation.

    Returns:
        A `keras.Model` of images `[batch, height, width, 1]` with pixels from 0 to 255, which returns logits
        `[batch, classes]`; normalisation is its first layer.

    Raises:
        UsageError: The run has no such weights, or they do not fit its configuration.
        DataError: The data of the run, which determine normalisation and number of classes, cannot be read.
    """
    weights = _weights(run, at)
    experiment = _experiment(run)
    dataset = prepare(experiment)
    keras = ops.quiet_keras()
    network = models.build(
        experiment.model,
        class_counts=dataset.class_counts,
        image_shape=dataset.image_shape,
        seed=experiment.seed,
        precision=experiment.train.precision,
    )
    _assign(network, weights, run)
    return keras.Sequential([keras.Input(network.input_shape[1:]), _normalization(dataset), network], name=network.name)


def _normalization(dataset: Dataset) -> Any:
    scale, shift = 1 / (255 * dataset.std), -dataset.mean / dataset.std
    return ops.quiet_keras().layers.Rescaling(scale, shift, dtype="float32", name="normalization")


def _weights(run: Run, at: str) -> Mapping[str, Any]:
    """Return the arrays of one epoch by their paths in the model."""
    if at not in {"last", "best"}:
        raise UsageError(f"expected last or best, got {at!r}", parameter="at")
    file = run.folder / paths.WEIGHTS
    if not file.exists():
        reason = f"is {run.status}" if run.status != "completed" else "was trained without `train.save_weights: true`"
        raise UsageError(f"{run.folder}: has no {paths.WEIGHTS}: the run {reason}")
    try:
        found = arrays.load(file, max_bytes=read.ARRAYS_BYTES)
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: {error}") from error
    weights = {name.removeprefix(f"{at}/"): array for name, array in found.items() if name.startswith(f"{at}/")}
    if not weights:
        raise UsageError(f"{file}: has no weights of the {at} epoch; only runs with validation images have a best one")
    return weights


def _experiment(run: Run) -> Experiment:
    """Return the configuration of a run, without its loss, which the network does not need."""
    try:
        return resolve.from_mapping({**run.config, "loss": "categorical_crossentropy"})
    except ConfigError as error:
        lines = [f"{run.folder / paths.CONFIG}: {line}" for line in str(error).splitlines()]
        raise ConfigError(lines, error.problems) from error


def _assign(network: Any, weights: Mapping[str, Any], run: Run) -> None:
    expected = {weight.path: tuple(weight.shape) for weight in network.weights}
    saved = {name: array.shape for name, array in weights.items()}
    if expected != saved:
        different = sorted(set(expected.items()) ^ set(saved.items()))
        name = different[0][0]
        raise UsageError(
            f"{run.folder / paths.WEIGHTS}: does not fit {paths.CONFIG}: {name}: "
            f"expected {_shape(expected.get(name))}, got {_shape(saved.get(name))}"
        )
    for weight in network.weights:
        weight.assign(weights[weight.path])


def _shape(shape: tuple[int, ...] | None) -> str:
    return "nothing" if shape is None else f"the shape {list(shape)}"
