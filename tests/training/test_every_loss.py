"""Every loss of the catalogue trains the default MLP."""

import math

import pytest

from lossbench.config import resolve
from lossbench.losses import expression, registry
from lossbench.training import identify, train

AT_CHANCE = 0.15
"""Test accuracy below which a loss has learnt nothing in an epoch."""


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.signatures())
def test_one_epoch_on_10_000_images_learns_and_is_finite(name, tmp_path):
    """Accuracy well above a tenth, NLL finite."""
    config = {"loss": name, "data": {"train_size": 10_000}, "train": {"epochs": 1, "threads": 1}}
    if expression.needs_head(expression.parse(name)):
        config["model"] = {"name": "mlp", "head": "cosine"}
    outcome = train(identify(resolve.from_mapping(config)), runs_dir=tmp_path)
    measured = outcome.summary["metrics"]
    print(f"| {name} | {measured['test.last.accuracy']:.4f} | {measured['test.last.nll']:.4f} |")  # noqa: T201 - a table, with -s
    assert outcome.status == "completed"
    assert measured["test.last.accuracy"] > AT_CHANCE
    assert math.isfinite(measured["test.last.nll"])
