"""Suggestions for unknown words."""

import pytest

from lossbench.errors import did_you_mean

KNOWN = ("gamma", "alpha", "glorot_uniform", "glorot_normal", "Focal.yaml")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("gama", "gamma"),
        ("GAMMA", "gamma"),
        ("focal.yml", "Focal.yaml"),
        ("glorot", "glorot_normal"),
        ("uniform", "glorot_uniform"),
        (7, None),
        ("a", None),
        ("", None),
        ("entirely different", None),
    ],
)
def test_the_nearest_known_word_is_suggested(word, expected):
    """A part of a word comes before a likeness, case does not count, and nothing near is no suggestion."""
    suggestion = f"; did you mean {expected!r}?" if expected else ""
    assert did_you_mean(word, KNOWN) == suggestion
