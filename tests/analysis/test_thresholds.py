"""Thresholds and the region of equivalence, parsed from text."""

from __future__ import annotations

import pytest

from lossbench.analysis.thresholds import parse_threshold
from lossbench.errors import UsageError
from lossbench.metrics import find
from lossbench.sizes import parse_rope


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accuracy", "expected a threshold such as 'delta.accuracy < -0.2pp' or 'accuracy < 0.97'"),
        ("delta.accuracy < -0.2 percent", "expected a threshold such as"),
        ("delta.accuracy == 0", "expected a threshold such as"),
        ("delta.accuracy < -0.2pp; import os", "expected a threshold such as"),
        ("delta.nll > 0.2pp", "nll is not a share of images; write the number without pp"),
        ("delta.acc < 0", r"metric 'acc': .* accuracy, .*, f1.CLASS, e.g. recall.5; did you mean 'accuracy'\?"),
        ("val_loss > 1", "the losses of two losses are different quantities, so they rank nothing"),
        ("accuracy < 97", "accuracy lies between 0 and 1: write 97 % as 97% or 0.97"),
    ],
)
def test_what_is_no_threshold(text: str, message: str) -> None:
    """The sentence says what one looks like."""
    with pytest.raises(UsageError, match=message):
        parse_threshold(text)


@pytest.mark.parametrize(
    ("text", "size"), [("0.1pp", 0.001), ("accuracy=0.1pp", 0.001), ("accuracy = 0.1 %", 0.001), ("1e-1pp", 0.001)]
)
def test_the_rope(text: str, size: float) -> None:
    """With or without the metric's name, in points or per cent."""
    assert parse_rope(text, find("accuracy")) == pytest.approx(size)


@pytest.mark.parametrize(
    ("text", "message"),
    [("-1pp", "expected a size such as"), ("nll=0.1", "the verdict is on accuracy; name nll first in `metrics`"),
     ("x=1", "metric 'x'")],
)  # fmt: skip
def test_what_is_no_rope(text: str, message: str) -> None:
    """A size is positive and of the first metric."""
    with pytest.raises(UsageError, match=message):
        parse_rope(text, find("accuracy"))
    with pytest.raises(UsageError, match="not a share of images"):
        parse_rope("0.1pp", find("nll"))
