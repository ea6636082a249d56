"""The plane of a run, read from its folder: what is missing or damaged is one sentence with what to do."""

import numpy as np
import pytest

from lossbench.errors import UsageError
from lossbench.inspect.feature_plane import read_feature_plane
from lossbench.runs import paths, read, write

TWO = {"model.features": 2}


def plane_of(folder):
    return read_feature_plane(read.read(folder))


def arrays(images=300, **changed):
    """A valid plane of so few images as a fabricated run may have."""
    features = np.random.default_rng(0).normal(size=(images, 2)).astype(np.float32)
    regions = np.random.default_rng(0).integers(0, 10, (8, 8)).astype(np.uint8)
    return {"features": features, "box": np.array([-5, 5, -4, 4], np.float32), "regions": regions} | changed


@pytest.mark.parametrize(
    ("model", "units"),
    [
        ({"model.hidden": [256]}, "has 256 units"),
        ({"model.hidden": [2, 64]}, "has 64 units"),
        ({"model.hidden": [256, 2], "model.features": 3}, "has 3 units"),
        ({"model": {"name": "cnn", "head": {"name": "linear"}}}, "has no hidden dense layer"),
    ],
    ids=str,
)
def test_a_run_of_another_model_is_told_what_to_train(model, units, fabricate, tmp_path):
    """With the units that it has, exit 2."""
    with pytest.raises(UsageError, match=rf"{units}.* needs two; train e.g. with model: {{name: mlp, .*features: 2}}"):
        plane_of(fabricate(tmp_path, config=model))


@pytest.mark.parametrize("model", [TWO, {"model.hidden": [256, 2]}], ids=str)
def test_an_earlier_run_is_trained_again(model, fabricate, tmp_path):
    """Two units, but of a lossbench that kept no features: the command that trains it again."""
    folder = fabricate(tmp_path, config=model)
    with pytest.raises(UsageError, match=r"has no features\.npz.*train .*config\.yaml again with `rerun`$"):
        plane_of(folder)


def test_a_run_without_results_says_its_status(fabricate, tmp_path):
    """A diverged run has no plane, and no other model would change that."""
    with pytest.raises(UsageError, match=r"has no features\.npz: the run is diverged"):
        plane_of(fabricate(tmp_path, status="diverged", config=TWO))


def test_what_was_written_is_read(fabricate, tmp_path):
    """Features, box and regions, with the labels of the predictions."""
    folder = fabricate(tmp_path, images=300, config=TWO)
    written = arrays()
    write.arrays(folder / paths.FEATURES, written)
    plane = plane_of(folder)
    np.testing.assert_array_equal(plane.features, written["features"])
    np.testing.assert_array_equal(plane.labels, read.predictions(folder)["labels"])
    assert (plane.box, plane.is_angular) == ((-5, 5, -4, 4), False)


@pytest.mark.parametrize(
    "broken",
    [
        arrays(images=299),
        arrays(features=np.zeros((300, 3), np.float32)),
        arrays(features=np.full((300, 2), np.nan, np.float32)),
        arrays(box=np.array([5, -5, 0, 1], np.float32)),
        arrays(box=np.zeros(3, np.float32)),
        arrays(regions=np.zeros(8, np.uint8)),
        arrays(regions=np.zeros((1, 8), np.uint8)),
        arrays(regions=np.zeros((8, 8), np.float32)),
        arrays(regions=np.zeros((0, 8), np.uint8)),
        arrays(regions=np.full((8, 8), 10**9)),
        arrays(regions=np.full((8, 8), -1)),
        {"features": np.zeros((300, 2), np.float32)},
    ],
    ids=[
        "images",
        "units",
        "nan",
        "box",
        "box size",
        "row",
        "one row",
        "floats",
        "empty",
        "many classes",
        "negative",
        "missing",
    ],
)
def test_a_damaged_plane_is_one_sentence(broken, fabricate, tmp_path):
    """Never a traceback, never a picture of it."""
    folder = fabricate(tmp_path, images=300, config=TWO)
    write.arrays(folder / paths.FEATURES, broken)
    with pytest.raises(read.BrokenRunError, match=r"features\.npz: "):
        plane_of(folder)
    (folder / paths.FEATURES).write_bytes(b"PK")
    with pytest.raises(read.BrokenRunError, match=r"features\.npz: "):
        plane_of(folder)
