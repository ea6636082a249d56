"""Sizes with units: the standard deviation of differences."""

from __future__ import annotations

import pytest

from lossbench.errors import UsageError
from lossbench.metrics import find
from lossbench.sizes import parse_sd

ACCURACY = find("accuracy")


@pytest.mark.parametrize(
    ("text", "name", "size"),
    [
        ("0.2pp", "accuracy", 0.002),
        (" 0.2 % ", "accuracy", 0.002),
        ("accuracy=1pp", "accuracy", 0.01),
        ("nll=0.005", "nll", 0.005),
        ("recall.5=.5pp", "recall.5", 0.005),
        ("train_seconds=3", "train_seconds", 3),
    ],
)
def test_a_standard_deviation_has_the_unit_of_its_metric(text: str, name: str, size: float) -> None:
    """The metric is accuracy unless the text names another."""
    metric, found = parse_sd(text, ACCURACY)
    assert metric.name == name
    assert found == pytest.approx(size)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wide", "sd: expected a size such as 0.2pp or nll=0.005, got 'wide'"),
        ("-1pp", "sd: expected a size such as"),
        ("0.2", "sd: '0.2': a difference in accuracy needs a unit"),
        ("0pp", "sd: expected a size above 0 and up to 100pp, got '0pp'"),
        ("150pp", "sd: expected a size above 0 and up to 100pp, got '150pp'"),
        ("ece=2", "sd: expected a size above 0 and up to 1, got 'ece=2'"),
        ("nll=0", "sd: expected a size above 0, got 'nll=0'"),
        ("nll=1pp", "sd: 'nll=1pp': nll is not a share of images"),
        ("acuracy=1pp", "sd: metric 'acuracy': expected one of"),
        ("loss=1", "sd: metric 'loss': the losses of two losses"),
    ],
)
def test_other_texts_are_refused(text: str, message: str) -> None:
    """Where, what was expected, what came."""
    with pytest.raises(UsageError) as refused:
        parse_sd(text, ACCURACY)
    assert str(refused.value).startswith(message)
    assert refused.value.parameter == "sd"
