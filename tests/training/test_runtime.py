"""How a model is put to a processor's use."""

import pytest

from lossbench.config import resolve
from lossbench.training import runtime


@pytest.mark.parametrize(
    ("model", "batch_size", "expected"),
    [
        ("mlp", 64, 2), ("mlp", 128, 2), ("mlp", 129, 1), ("mlp", 63, 1), ("linear", 64, 1), ("lenet5", 32, 2),
        ("cnn", 32, 8), ("cnn_bn", 64, 8),
    ],
)  # fmt: skip
def test_what_xla_compiles_takes_few_threads_and_other_convolutions_all_cores(model, batch_size, expected, monkeypatch):
    """Of eight cores."""
    monkeypatch.setattr(runtime, "cores", lambda: 8)
    experiment = resolve.from_mapping({"model": model, "train": {"batch_size": batch_size}})
    assert runtime.default_threads(experiment) == expected


@pytest.mark.parametrize(
    ("model", "epochs", "expected"),
    [
        ("mlp", 2, False), ("mlp", 3, True), ("lenet5", 2, False), ("lenet5", 3, True), ("linear", 6, False),
        ("linear", 7, True), ("cnn", 99, False), ("cnn_bn", 99, False),
    ],
)  # fmt: skip
def test_xla_compiles_many_steps_but_no_convolutions_of_many_filters(model, epochs, expected):
    """859 steps per epoch; the linear model saves less per step than a network. oneDNN convolves faster than XLA."""
    experiment = resolve.from_mapping({"model": model, "train": {"batch_size": 64, "epochs": epochs}})
    assert runtime.is_worth_compiling(experiment, 55_000) is expected
