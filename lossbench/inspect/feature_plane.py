"""The plane of a run whose penultimate layer has two units, from its run folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossbench.errors import UsageError
from lossbench.runs import arrays, paths, read

if TYPE_CHECKING:
    from lossbench.runs.read import Run

Array: TypeAlias = NDArray[Any]

UNITS, MOST_CLASSES = 2, 256


@dataclass(frozen=True)
class FeaturePlane:
    """Where the test images of a run lie at its last epoch, and which class each point is taken for.

    Attributes:
        run: The run.
        features: `[images, 2]`, the input of the head.
        labels: `[images]`, the true classes.
        box: Left, right, bottom and top of the grid.
        regions: `[rows, columns]`, the class predicted in each cell of the box, from the bottom left.
    """

    run: Run
    features: NDArray[np.floating[Any]]
    labels: NDArray[np.integer[Any]]
    box: tuple[float, float, float, float]
    regions: NDArray[np.integer[Any]]

    @property
    def head(self) -> str:
        """Name of the head."""
        model = self.run.config["model"]
        head = model.get("head") if isinstance(model, dict) else None
        return str(head.get("name") if isinstance(head, dict) else head)

    @property
    def is_angular(self) -> bool:
        """Whether the head judges the angle of the features and not their length."""
        return self.head == "cosine"


def read_feature_plane(run: Run) -> FeaturePlane:
    """Read the features of the test images and the regions around them.

    Raises:
        UsageError: The run has no `features.npz`; the message says what to train.
        BrokenRunError: A file is damaged.
    """
    file = run.folder / paths.FEATURES
    if not file.exists():
        raise _missing(run)
    try:
        found = arrays.load(file, max_bytes=read.ARRAYS_BYTES)
    except (OSError, ValueError) as error:
        raise read.BrokenRunError(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    found |= {"labels": read.predictions(run.folder).get("labels", np.empty(0))}
    features, box, regions, labels = (found.get(name, np.empty(0)) for name in ("features", "box", "regions", "labels"))
    if not _are_valid(features, box, regions, labels):
        raise read.BrokenRunError(f"{file}: expected two features per label of {paths.PREDICTIONS}, a box and a grid")
    left, right, bottom, top = box.tolist()
    return FeaturePlane(run, features, labels, (left, right, bottom, top), regions)


def _are_valid(features: Array, box: Array, regions: Array, labels: Array) -> bool:
    if any(not each.size or not np.isfinite(each).all() for each in (features, box, regions, labels)):
        return False
    if not all(each.dtype.kind in "iu" and 0 <= each.min() <= each.max() < MOST_CLASSES for each in (regions, labels)):
        return False
    grid = regions.ndim == UNITS and min(regions.shape) > 1
    shapes = grid and labels.ndim == 1 and features.shape == (len(labels), UNITS) and box.shape == (4,)
    return bool(shapes and box[0] < box[1] and box[2] < box[3])


def _missing(run: Run) -> UsageError:
    """Return the error of a run without a plane: why it has none, and how to train one that has."""
    if run.status != "completed":
        return UsageError(f"{run.folder}: has no {paths.FEATURES}: the run is {run.status}")
    if (units := _penultimate_units(run.config.get("model"))) == UNITS:
        config = run.folder / paths.CONFIG
        return UsageError(
            f"{run.folder}: has no {paths.FEATURES}: it was trained by an earlier lossbench; "
            f"train {config} again with `rerun`",
            mentions=("rerun",),
        )
    has = "has no hidden dense layer" if units is None else f"has {units} units in its penultimate layer"
    needed = "model: {name: mlp, hidden: [256], features: 2}"
    return UsageError(f"{run.folder}: {has}, and a picture needs two; train e.g. with {needed}")


def _penultimate_units(model: object) -> int | None:
    if not isinstance(model, dict) or model.get("name") != "mlp":
        return None
    hidden = model.get("hidden")
    units = model.get("features") or (hidden[-1] if isinstance(hidden, list) and hidden else None)
    return units if isinstance(units, int) else None
