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
    ("model", "expected"), [("mlp", True), ("linear", True), ("lenet5", True), ("cnn", False), ("cnn_bn", False)]
)
def test_convolutions_of_many_filters_are_not_xlas(model, expected):
    """Those of oneDNN are faster."""
    experiment = resolve.from_mapping({"model": model})
    assert runtime.is_worth_compiling(experiment, 55_000) is expected
    assert not runtime.is_worth_compiling(experiment, 2000), "few steps are over before they are compiled"
