"""Comparison of two losses image by image, from saved predictions.

Both seeds and images are samples here: the interval is for other seeds on other images of the same kind.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lossbench import statistics
from lossbench.errors import UsageError
from lossbench.runs import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lossbench.analysis.result import At, Comparison, Group
    from lossbench.runs.rows import Scalar
    from lossbench.statistics import Interval


@dataclass(frozen=True)
class Image:
    """A test image that one loss gets right and the other wrong in most seeds.

    Attributes:
        index: Its position in the test set, from 0.
        label: Its true class.
        predicted: The class that the wrong loss most often predicts.
        seeds: Number of seeds in which the one was right and the other wrong.
    """

    index: int
    label: int
    predicted: int
    seeds: int


@dataclass(frozen=True)
class ImageComparison:
    """A group compared with its reference image by image, over the seeds that both completed.

    Attributes:
        label: The group's label.
        reference: The reference's label.
        condition: The condition of both.
        seeds: The shared seeds.
        images: Number of test images.
        only_group: Number of images that the group alone gets right, by seed (McNemar's count).
        only_reference: Number of images that the reference alone gets right, by seed.
        mean: The difference in accuracy, group minus reference.
        interval: Over seeds × images; None for fewer than two seeds.
        gained: Images that the group gets right and the reference wrong in more than half of the seeds.
        lost: Images that the reference gets right and the group wrong in more than half of the seeds.
    """

    label: str
    reference: str
    condition: Mapping[str, Scalar]
    seeds: tuple[int, ...]
    images: int
    only_group: Mapping[int, int]
    only_reference: Mapping[int, int]
    mean: float
    interval: Interval | None
    gained: tuple[Image, ...]
    lost: tuple[Image, ...]

    @property
    def alone(self) -> tuple[float, float]:
        """Mean of `only_group` and of `only_reference` over seeds."""
        ours, theirs = (sum(counts.values()) / len(counts) for counts in (self.only_group, self.only_reference))
        return ours, theirs


def compare_images(comparison: Comparison) -> list[ImageComparison]:
    """Compare every group that is alike and shares completed seeds with its reference, image by image.

    Raises:
        UsageError: There is no baseline among the runs; predictions are missing, or are of different images.
    """
    if comparison.baseline is None or comparison.baseline_is_file:
        raise UsageError(
            "images are compared with a baseline among the runs; choose one with `baseline`",
            parameter="images",
            mentions=("baseline",),
        )
    return [
        _paired(group, group.reference, block.condition, comparison)
        for block in comparison.blocks
        for group in block.groups
        if group.reference and not group.unlike and set(group.seeds) & set(group.reference.seeds)
    ]


def _paired(group: Group, reference: Group, condition: Mapping[str, Scalar], comparison: Comparison) -> ImageComparison:
    seeds = tuple(sorted(set(group.seeds) & set(reference.seeds)))
    at, confidence = comparison.query.at, comparison.query.confidence
    labels, ours = _predicted(group, seeds, at)
    their_labels, theirs = _predicted(reference, seeds, at)
    if labels.shape != their_labels.shape or (labels != their_labels).any():
        raise _error(f"{group.label} and {reference.label} were not tested on the same images")
    right, their_right = ours == labels, theirs == labels
    gains, losses = right & ~their_right, ~right & their_right
    differences = right.astype(np.float64) - their_right
    return ImageComparison(
        label=group.label,
        reference=reference.label,
        condition=condition,
        seeds=seeds,
        images=len(labels),
        only_group=dict(zip(seeds, gains.sum(axis=1).tolist(), strict=True)),
        only_reference=dict(zip(seeds, losses.sum(axis=1).tolist(), strict=True)),
        mean=float(differences.mean()),
        interval=statistics.two_way_interval(differences, confidence),
        gained=_in_most_seeds(gains, labels, theirs),
        lost=_in_most_seeds(losses, labels, ours),
    )


def _predicted(group: Group, seeds: Sequence[int], at: At) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the true labels `[images]` and the predictions `[seeds, images]`."""
    labels, predicted = [], []
    for seed in seeds:
        folder, *others = group.folders[seed]
        if others:
            raise _error(f"{group.label} has several runs of seed {seed}; compare by loss")
        try:
            arrays = read.predictions(Path(folder))
            labels.append(arrays["labels"])
            predicted.append(arrays[f"{at}.predicted"])
        except (read.BrokenRunError, KeyError) as error:
            reason = error if isinstance(error, read.BrokenRunError) else f"predictions.npz lacks {error}"
            raise _error(f"{folder}: {reason}") from error
    if any(each.shape != labels[0].shape or each.ndim != 1 for each in (*labels, *predicted)):
        raise _error(f"the runs of {group.label} were not tested on the same number of images")
    if any((each != labels[0]).any() for each in labels):
        raise _error(f"the runs of {group.label} were not tested on the same images")
    return labels[0], np.stack(predicted)


def _in_most_seeds(marked: NDArray[np.bool_], labels: NDArray[Any], wrong: NDArray[Any]) -> tuple[Image, ...]:
    """Return the images marked in more than half of the seeds, those of most seeds first."""
    counts = marked.sum(axis=0)
    chosen = np.flatnonzero(2 * counts > len(marked)).tolist()
    images = [
        Image(index, int(labels[index]), _most_common(wrong[marked[:, index], index]), int(counts[index]))
        for index in chosen
    ]
    return tuple(sorted(images, key=lambda image: (-image.seeds, image.index)))


def _most_common(values: NDArray[Any]) -> int:
    return int(Counter(values.tolist()).most_common(1)[0][0])


def _error(message: str) -> UsageError:
    return UsageError(message, parameter="images")
