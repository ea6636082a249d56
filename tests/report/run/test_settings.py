"""A configuration in a few words."""

from __future__ import annotations

from typing import Any

import pytest

from lossbench.report.run import settings


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"name": "mlp", "hidden": [256], "dropout": 0.2, "batch_norm": None}, "mlp · hidden [256] · dropout 0.2"),
        ({"name": "cnn", "head": {"name": "cosine", "scale": 30.0}}, "cnn · head cosine (scale 30)"),
        ({"momentum": 0.0, "nesterov": True, "schedule": {"name": "constant"}}, "nesterov · schedule constant"),
        ({"batch_norm": {"momentum": 0.9, "epsilon": 1e-5}}, "batch_norm (momentum 0.9, epsilon 1e-05)"),
        ({"l1": 0.0, "l2": 0, "include_bias": False}, ""),
        ({"early_stopping": {}}, ""),
        (None, ""),
        ("focal", "focal"),
    ],
)
def test_sections(value: Any, expected: str) -> None:
    """Names come first without their key; what is null, false or zero is left out."""
    assert expected == settings.phrase(value)


def test_losses_are_complete() -> None:
    """Of the loss nothing is left out: gamma 0 matters; a weighted list is a sum."""
    loss = [{"name": "focal", "weight": 1.0, "gamma": 0.0}, {"name": "rce", "weight": 10.0, "flag": False, "x": None}]
    assert settings.phrase(loss, everything=True) == (
        "focal · weight 1 · gamma 0 + rce · weight 10 · flag false · x null"
    )


def test_hostile_text_is_clean() -> None:
    """Escapes in names and values do not reach the terminal."""
    assert settings.phrase({"\x1b[31mkey": "\x1b[2Jvalue", "list": ["\x1b[1m"]}) == 'key value · list ["\\u001b[1m"]'
