"""`features.npz` of a run: the features are the network's own, the regions are what its head predicts."""

import numpy as np
import pytest

import lossbench
from lossbench.config import resolve
from lossbench.data import prepare
from lossbench.inspect.feature_plane import read_feature_plane
from lossbench.runs import arrays, read

TWO = {"name": "mlp", "hidden": [16], "features": 2}


def log_softmax(x):
    return x - x.max(axis=-1, keepdims=True) - np.log(np.exp(x - x.max(axis=-1, keepdims=True)).sum(-1, keepdims=True))


def linear(x, weights):
    return x @ weights["dense_3/kernel"] + weights["dense_3/bias"]


def cosine(x, weights):
    directions = weights["head/kernel"] / np.linalg.norm(weights["head/kernel"], axis=0)
    return 30 * (x @ directions) / np.linalg.norm(x, axis=1, keepdims=True)


def adaptive(x, weights):
    """All classes have equal counts up to one image: the order of the classes is read from the bincount."""
    root = log_softmax(x @ weights["head/root"])
    inside = log_softmax(x @ weights["head/projection_1"] @ weights["head/cluster_1"])
    return np.concatenate([root[:, :4], root[:, 4:] + inside], axis=1)


def train(folder, data, model, loss="ce"):
    config = {"loss": loss, "data": data, "model": model, "train": {"epochs": 1, "save_weights": True}}
    run = lossbench.train(config, runs_dir=folder).run
    found = arrays.load(run / "weights.npz", max_bytes=1 << 24)
    return run, {name.removeprefix("last/"): each for name, each in found.items() if name.startswith("last/")}


@pytest.mark.parametrize(
    ("model", "loss", "head"),
    [
        (TWO, "ce", linear),
        (TWO | {"head": "cosine"}, "arcface", cosine),
        pytest.param(TWO | {"head": {"name": "adaptive", "cutoffs": [4]}}, "ce", adaptive, marks=pytest.mark.slow),
        pytest.param({"name": "mlp", "hidden": [16, 2]}, "focal", linear, marks=pytest.mark.slow),
    ],
    ids=["linear", "cosine", "adaptive", "hidden"],
)
def test_features_and_regions_are_those_of_the_network(model, loss, head, few_images, tmp_path):
    """The features by NumPy from the saved weights; each cell of the grid is the argmax of the head at its middle."""
    run, weights = train(tmp_path, few_images, model, loss)
    plane = read_feature_plane(read.read(run))
    data = prepare(resolve.from_mapping({"data": few_images}))
    pixels = data.test.images.reshape(200, -1) / 255
    hidden = np.maximum(pixels @ weights["dense_1/kernel"] + weights["dense_1/bias"], 0)
    expected = hidden @ weights["dense_2/kernel"] + weights["dense_2/bias"]
    expected = expected if "features" in model else np.maximum(expected, 0)
    np.testing.assert_allclose(plane.features, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(plane.labels, data.test.labels)

    left, right, bottom, top = plane.box
    assert ((plane.features > [left, bottom]) & (plane.features < [right, top])).all()
    assert left < 0 < right
    assert bottom < 0 < top
    rows, columns = plane.regions.shape
    middles = [
        (left + (column + 0.5) * (right - left) / columns, bottom + (row + 0.5) * (top - bottom) / rows)
        for row in range(rows)
        for column in range(columns)
    ]
    logits = head(np.array(middles), weights)
    if head is adaptive:
        logits = logits[:, np.argsort(np.argsort(-data.class_counts, kind="stable"))]
    best = np.sort(logits, axis=1)
    clear = best[:, -1] - best[:, -2] > 1e-4
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(plane.regions.ravel()[clear], logits.argmax(axis=1)[clear])


def test_a_network_of_more_units_has_no_plane(few_images, tmp_path):
    """Its folder has the files that it always had."""
    run, _ = train(tmp_path, few_images, {"name": "mlp", "hidden": [4, 3]})
    assert not (run / "features.npz").exists()


def test_features_without_a_range_have_a_grid(few_images):
    """Two dead units: every image lies at the origin, and the box has a size."""
    import keras

    from lossbench.training.feature_plane import feature_plane

    images = keras.Input((28, 28, 1))
    dead = keras.layers.Dense(2, kernel_initializer="zeros")(keras.layers.Flatten()(images))
    model = keras.Model(images, keras.layers.Dense(10, bias_initializer="ones")(dead))
    plane = feature_plane(model, prepare(resolve.from_mapping({"data": few_images})))
    assert plane["box"].tolist() == [-1, 1, -1, 1]
