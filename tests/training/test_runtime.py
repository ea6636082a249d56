"""How a model is put to a processor's use."""

import pytest

from lossbench.config import resolve
from lossbench.training import runtime


@pytest.mark.parametrize(("model", "expected"), [("mlp", 4), ("linear", 4), ("cnn", 8), ("cnn_bn", 8), ("lenet5", 8)])
def test_dense_layers_take_few_threads_and_convolutions_all_cores(model, expected, monkeypatch):
    """Of eight cores."""
    monkeypatch.setattr(runtime, "cores", lambda: 8)
    assert runtime.default_threads(resolve.from_mapping({"model": model})) == expected


@pytest.mark.parametrize(
    ("model", "expected"), [("mlp", True), ("linear", True), ("lenet5", True), ("cnn", False), ("cnn_bn", False)]
)
def test_convolutions_of_many_filters_are_not_xlas(model, expected):
    """Those of oneDNN are faster."""
    assert runtime.is_compiled_whole(resolve.from_mapping({"model": model})) is expected
