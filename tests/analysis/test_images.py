"""Image by image: McNemar's counts, the digits on which two losses disagree, an interval over seeds and images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lossbench import statistics
from lossbench.analysis import loading
from lossbench.analysis.comparison import compare
from lossbench.analysis.images import Image, compare_images
from lossbench.analysis.query import Query
from lossbench.analysis.result import Baseline
from lossbench.errors import UsageError
from lossbench.runs import read, write

if TYPE_CHECKING:
    from pathlib import Path

CE = "categorical_crossentropy"


def predict(folder: Path, predicted: list[int], labels: list[int]) -> None:
    """Replace a run's predictions."""
    logs = np.log(np.full((len(labels), 10), 0.01) + 0.9 * np.eye(10)[predicted])
    write.predictions(folder / "predictions.npz", np.array(labels), {"last": logs})


@pytest.fixture
def study(tmp_path: Path, fabricate: Any) -> Path:
    """Three seeds of two losses on six images whose labels are 0 to 5."""
    labels = [0, 1, 2, 3, 4, 5]
    ours = [[0, 1, 2, 9, 4, 9], [0, 1, 2, 9, 4, 9], [0, 9, 2, 3, 4, 9]]
    theirs = [[9, 1, 8, 3, 4, 9], [9, 1, 8, 3, 4, 9], [9, 1, 7, 3, 4, 9]]
    for seed in range(3):
        predict(fabricate(tmp_path, "focal", seed), ours[seed], labels)
        predict(fabricate(tmp_path, CE, seed), theirs[seed], labels)
    return tmp_path


def test_image_by_image(study: Path) -> None:
    """Counts by seed, the images in most seeds, what the wrong one took them for, most seeds first."""
    (found,) = compare_images(compare(loading.rows([study])[0], Query()))
    assert (found.label, found.reference, found.seeds, found.images) == ("focal", CE, (0, 1, 2), 6)
    assert (found.only_group, found.only_reference) == ({0: 2, 1: 2, 2: 2}, {0: 1, 1: 1, 2: 1})
    assert found.gained == (Image(0, 0, 9, 3), Image(2, 2, 8, 3))
    assert found.lost == (Image(3, 3, 9, 2),)
    assert found.mean == pytest.approx(1 / 6)
    differences = np.array([[1, 0, 1, -1, 0, 0], [1, 0, 1, -1, 0, 0], [1, -1, 1, 0, 0, 0]], dtype=float)
    assert found.interval == statistics.two_way_interval(differences)
    assert found.alone == (2.0, 1.0)


@pytest.mark.parametrize("at", ["last", "best"])
def test_the_difference_is_that_of_the_accuracies(tmp_path: Path, fabricate: Any, at: Any) -> None:
    """McNemar's counts add up to the difference in accuracy of `run.json`; one seed has no interval."""
    fabricate(tmp_path, "focal", 0, strength=3.0)
    fabricate(tmp_path, CE, 0, strength=2.0)
    comparison = compare(loading.rows([tmp_path])[0], Query(at=at))
    (found,) = compare_images(comparison)
    (difference,) = [group.difference for group in comparison.blocks[0].groups if group.difference]
    assert difference.values[0] == pytest.approx((found.only_group[0] - found.only_reference[0]) / 500)
    assert found.mean == pytest.approx(difference.mean)
    assert found.interval is None


def test_what_cannot_be_paired(study: Path, fabricate: Any) -> None:
    """No baseline, a stored one, other images, missing or damaged predictions: a sentence each."""
    rows, _ = loading.rows([study])
    with pytest.raises(UsageError, match="images are compared with a baseline among the runs"):
        compare_images(compare([each for each in rows if each["loss"] != CE], Query()))
    with pytest.raises(UsageError, match="images are compared with a baseline among the runs"):
        compare_images(compare(rows, Query(), Baseline("main.json", rows)))
    folder = fabricate(study, "gce", 0)
    with pytest.raises(UsageError, match=f"gce and {CE} were not tested on the same images"):
        compare_images(compare(loading.rows([study])[0], Query()))
    (folder / "predictions.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(UsageError, match=r"images: .*gce.*: predictions\.npz: ") as caught:
        compare_images(compare(loading.rows([study])[0], Query()))
    assert "\n" not in str(caught.value)
    predict(folder, [0, 1], [0, 1])
    with pytest.raises(UsageError, match="not tested on the same images"):
        compare_images(compare(loading.rows([study])[0], Query()))
    assert read.predictions(folder)["labels"].tolist() == [0, 1]
