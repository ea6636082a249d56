"""Axes of a plot, named before anything heavy is imported."""

from __future__ import annotations

from typing import Literal, TypeAlias

Over: TypeAlias = Literal["margin", "p_y"]

AXES: dict[Over, str] = {
    "margin": r"margin $z_y - \max_{j \neq y} z_j$",
    "p_y": "probability $p_y$ of the true class",
}
"""The horizontal axes, with their titles."""
