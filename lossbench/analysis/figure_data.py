"""Data of the plots of a comparison: curves, calibration and confusion of each loss over its seeds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossbench.metrics import BEST_EPOCH, ECE_BINS, ece_bins
from lossbench.runs import paths, read
from lossbench.runs.index import BrokenRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lossbench.analysis.result import At, Comparison, Group
    from lossbench.runs.read import EpochRow
    from lossbench.runs.rows import Scalar

Floats: TypeAlias = NDArray[np.float64]

CURVES = (*(f"val_{name}" for name in BEST_EPOCH), "accuracy", "memorized", "recovered")
"""Columns of `metrics.csv` that can be compared between losses."""


@dataclass(frozen=True)
class Band:
    """A column of `metrics.csv` over seeds, per epoch, up to the last epoch that all seeds have."""

    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Reliability:
    """Accuracy per bin of confidence, with the bins of the ECE, over the images of all seeds; NaN in an empty bin.

    Attributes:
        share: Share of the images in the bin.
        confidence: Mean probability of the most probable class.
        accuracy: Share of the bin's images whose label is that class.
        low: Lowest accuracy of a seed.
        high: Highest accuracy of a seed.
    """

    share: Floats
    confidence: Floats
    accuracy: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Panel:
    """One loss in one condition; None or absent where its runs lack the files.

    Attributes:
        group: Its estimates.
        curves: By column of `metrics.csv`.
        reliability: Of the test set.
        confusion: Share of each true class (row) that was predicted as each class (column), mean over seeds.
        difference: `confusion` minus that of the baseline, over the seeds that both have.
    """

    group: Group
    curves: Mapping[str, Band]
    reliability: Reliability | None
    confusion: Floats | None
    difference: Floats | None


@dataclass(frozen=True)
class FigureData:
    """One condition: its losses, the best first, and the baseline."""

    condition: Mapping[str, Scalar]
    panels: tuple[Panel, ...]
    baseline: Panel | None


@dataclass(frozen=True)
class GroupFiles:
    """Contents of the files of one group, by seed; unreadable files are left out."""

    histories: dict[int, list[list[EpochRow]]] = field(default_factory=dict)
    bins: dict[int, list[Floats]] = field(default_factory=dict)
    shares: dict[int, list[Floats]] = field(default_factory=dict)


def read_figures(comparison: Comparison) -> tuple[list[FigureData], list[BrokenRun]]:
    """Read the data of the plots.

    Returns:
        One record per condition, and the files that could not be read.
    """
    faults: list[BrokenRun] = []
    found = list[FigureData]()
    baseline = None if comparison.baseline_is_file else comparison.baseline
    for block in comparison.blocks:
        classes = set[int]()
        files = {group.label: _read_files(group, comparison.query.at, classes, faults) for group in block.groups}
        reference = files.get(baseline) if baseline else None
        panels = {
            group.label: panel(group, files[group.label], None if group.unlike else reference) for group in block.groups
        }
        found.append(FigureData(block.condition, tuple(panels.values()), panels.get(baseline) if baseline else None))
    return found, faults


def panel(group: Group, files: GroupFiles, reference: GroupFiles | None) -> Panel:
    """Summarise the files of a group over its runs."""
    bands = {column: band(_joined(files.histories), column) for column in CURVES}
    return Panel(
        group=group,
        curves={column: each for column, each in bands.items() if each},
        reliability=reliability(_joined(files.bins)),
        confusion=_over_seeds(files.shares),
        difference=_differences(files.shares, reference.shares) if reference and reference is not files else None,
    )


def band(histories: Sequence[Sequence[EpochRow]], column: str) -> Band | None:
    """Compute mean, lowest and highest of a column over runs; None where no run has it."""
    epochs = min(map(len, histories), default=0)
    values = np.array([[row.get(column) for row in rows[:epochs]] for rows in histories], dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    if not epochs or np.isnan(values).all():
        return None
    return Band(values.mean(axis=0), values.min(axis=0), values.max(axis=0))


def binned(confidence: Floats, correct: NDArray[np.bool_]) -> Floats:
    """Compute number of images, sum of confidence and number of right predictions per bin of one run.

    Args:
        confidence: `[images]`, probability of the predicted class.
        correct: `[images]`.

    Returns:
        `[3, bins]`.
    """
    bins = ece_bins(confidence)
    weights = (np.ones(len(bins)), confidence, correct)
    return np.stack([np.bincount(bins, each, ECE_BINS) for each in weights])


def reliability(runs: Sequence[Floats]) -> Reliability | None:
    """Compute accuracy per bin of confidence over runs; None without a run.

    Args:
        runs: For each run, the sums that `binned` returns.
    """
    if not runs:
        return None
    images, confidence, correct = np.sum(runs, axis=0)
    accuracies = np.array([_ratio(right, counted) for counted, _, right in runs])
    return Reliability(
        share=_ratio(images, images.sum()),
        confidence=_ratio(confidence, images),
        accuracy=_ratio(correct, images),
        low=np.fmin.reduce(accuracies),
        high=np.fmax.reduce(accuracies),
    )


def shares(counts: NDArray[np.integer[Any]]) -> Floats:
    """Compute a confusion matrix as shares of each true class; NaN for a class without images."""
    return _ratio(counts, counts.sum(axis=1, keepdims=True))


def _read_files(group: Group, at: At, classes: set[int], faults: list[BrokenRun]) -> GroupFiles:
    """Read the files of each run once; adds the number of classes to `classes`, and unreadable files to `faults`."""
    files = GroupFiles()

    def add(seed: int, folder: Path, to: dict[int, list[Any]], reader: Callable[[Path], Any]) -> None:
        try:
            to.setdefault(seed, []).append(reader(folder))
        except read.BrokenRunError as error:
            faults.append(BrokenRun(folder, str(error)))

    for seed, folders in group.folders.items():
        for folder in map(Path, folders):
            add(seed, folder, files.histories, read.history)
            add(seed, folder, files.bins, lambda folder: _calibration(folder, at))
            add(seed, folder, files.shares, lambda folder: _confusion(folder, at, classes))
    return files


def _calibration(folder: Path, at: At) -> Floats:
    arrays = read.predictions(folder)
    try:
        labels, predicted, scores = (arrays[name] for name in ("labels", f"{at}.predicted", f"{at}.log_probabilities"))
        confidence = np.exp(np.max(scores, axis=1).astype(np.float64))
        return binned(confidence, predicted == labels)
    except (KeyError, ValueError, TypeError) as error:
        raise read.BrokenRunError(f"{paths.PREDICTIONS}: expected labels and predictions at the {at} epoch") from error


def _confusion(folder: Path, at: At, classes: set[int]) -> Floats:
    counts = read.confusion(folder).get(at)
    if counts is None:
        raise read.BrokenRunError(f"{paths.CONFUSION}: expected counts at the {at} epoch")
    if classes and len(counts) not in classes:
        raise read.BrokenRunError(f"{paths.CONFUSION}: expected {min(classes)} classes, got {len(counts)}")
    classes.add(len(counts))
    return shares(counts)


def _over_seeds(matrices: Mapping[int, Sequence[Floats]]) -> Floats | None:
    """Average over the runs of each seed, then over seeds."""
    means = [np.mean(each, axis=0) for each in matrices.values() if each]
    return np.mean(means, axis=0) if means else None


def _differences(ours: Mapping[int, Sequence[Floats]], theirs: Mapping[int, Sequence[Floats]]) -> Floats | None:
    """Average the differences over the seeds that both have."""
    shared = [seed for seed in ours if ours[seed] and theirs.get(seed)]
    differences = [np.mean(ours[seed], axis=0) - np.mean(theirs[seed], axis=0) for seed in shared]
    return np.mean(differences, axis=0) if differences else None


def _joined(runs: Mapping[int, Iterable[Any]]) -> list[Any]:
    return [each for of_seed in runs.values() for each in of_seed]


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    with np.errstate(invalid="ignore"):
        ratio: Floats = np.true_divide(part, whole)
    return ratio
