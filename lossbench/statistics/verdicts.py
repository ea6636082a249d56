"""Verdicts that a significant difference may lead to, given the runs that diverged."""

from __future__ import annotations

from typing import Literal


def direction(gain: float, *, loss_diverged: bool, baseline_diverged: bool) -> Literal["better", "worse"] | None:
    """Return the verdict of a significant gain: a side with diverged runs is never the better one.

    Args:
        gain: Mean gain over the baseline, positive for an improvement.
        loss_diverged: Whether a run of the loss diverged.
        baseline_diverged: Whether a run of the baseline diverged.

    Returns:
        None where the gain decides nothing.
    """
    if gain > 0 and not loss_diverged:
        return "better"
    if gain < 0 and not baseline_diverged:
        return "worse"
    return None
