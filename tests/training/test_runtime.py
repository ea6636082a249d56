"""How CPU threads are put to use."""

import pytest

from lossbench.config import resolve
from lossbench.training import runtime


@pytest.mark.parametrize(
    ("model", "batch_size", "threads", "expected"),
    [
        ("mlp", 64, 1, (1, 1)),
        ("mlp", 64, 2, (2, 1)),
        ("mlp", 64, 8, (4, 2)),
        ("mlp", 31, 2, (1, 2)),
        ("mlp", 8, 2, (1, 2)),
        ("cnn", 128, 12, (8, 1)),
        ("lenet5", 48, 4, (3, 1)),
        ("cnn_bn", 128, 2, (1, 2)),
        ("linear", 128, 2, (1, 2)),
    ],
)
def test_threads_go_to_parts_of_16_images_then_into_operations(model, batch_size, threads, expected):
    """Batch normalisation and softmax regression keep a batch whole."""
    experiment = resolve.from_mapping({"model": model, "train": {"batch_size": batch_size}})
    assert runtime.share(threads, experiment) == expected


@pytest.mark.parametrize(
    ("model", "batch_size", "expected"),
    [("cnn", 128, 8), ("cnn_bn", 64, 8), ("mlp", 64, 4), ("mlp", 1024, 8), ("mlp", 16, 1), ("linear", 128, 1)],
)
def test_small_networks_take_no_more_threads_than_parts(model, batch_size, expected, monkeypatch):
    """Of eight cores; convolutions take them all."""
    monkeypatch.setattr(runtime, "cores", lambda: 8)
    experiment = resolve.from_mapping({"model": model, "train": {"batch_size": batch_size}})
    assert runtime.default_threads(experiment) == expected
