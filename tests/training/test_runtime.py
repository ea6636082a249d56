"""How CPU threads are put to use."""

import pytest

from lossbench.config import resolve
from lossbench.training import runtime


@pytest.mark.parametrize(
    ("model", "batch_size", "threads", "expected"),
    [
        ("mlp", 64, 1, (1, 1)),
        ("mlp", 8, 2, (2, 1)),
        ("mlp", 1024, 8, (4, 2)),
        ({"name": "mlp", "hidden": [128, 32]}, 64, 4, (2, 2)),
        ({"name": "mlp", "hidden": [32, 32]}, 64, 2, (1, 2)),
        ({"name": "mlp", "hidden": [32, 1600]}, 64, 2, (1, 2)),
        ({"name": "mlp", "hidden": [32, 65_000]}, 64, 8, (4, 2)),
        ("cnn", 128, 12, (8, 1)),
        ("lenet5", 48, 4, (3, 1)),
        ("cnn_bn", 128, 2, (1, 2)),
        ("linear", 128, 2, (1, 2)),
    ],
)
def test_threads_go_to_parts_of_16_images_or_blocks_of_weights_then_into_operations(
    model, batch_size, threads, expected
):
    """Batch normalisation and softmax regression keep both whole."""
    experiment = resolve.from_mapping({"model": model, "train": {"batch_size": batch_size}})
    assert runtime.distribute(threads, experiment) == expected


@pytest.mark.parametrize(("model", "expected"), [("mlp", 1), ("cnn_bn", 1), ("linear", 1), ("cnn", 4), ("lenet5", 4)])
def test_the_batch_of_convolutions_is_divided(model, expected):
    """An MLP's is not: its weights are."""
    experiment = resolve.from_mapping({"model": model, "train": {"batch_size": 64}})
    assert runtime.parts(9, experiment) == expected


@pytest.mark.parametrize(
    ("model", "batch_size", "expected"),
    [("cnn", 128, 8), ("cnn_bn", 64, 8), ("mlp", 64, 4), ("mlp", 1024, 4), ("mlp", 16, 4), ("linear", 128, 1)],
)
def test_small_networks_take_no_more_threads_than_blocks(model, batch_size, expected, monkeypatch):
    """Of eight cores; convolutions take them all."""
    monkeypatch.setattr(runtime, "cores", lambda: 8)
    experiment = resolve.from_mapping({"model": model, "train": {"batch_size": batch_size}})
    assert runtime.default_threads(experiment) == expected
