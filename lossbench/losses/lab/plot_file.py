"""What a plot of losses is drawn over, named before anything heavy is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from lossbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

Over: TypeAlias = Literal["all", "p_y", "margin", "simplex"]

AXES: Mapping[Over, str] = {
    "margin": r"margin $z_y - \max_{j \neq y} z_j$",
    "p_y": "probability $p_y$ of the true class",
}
"""The axes of curves, with their titles."""

MAX_TRIANGLES = 6
"""Maximum number of losses over the simplex, one per column."""


def check_count(losses: int, over: Over) -> None:
    """Check that so few losses are drawn over the simplex that they fit.

    Raises:
        UsageError: There are more.
    """
    if over == "simplex" and losses > MAX_TRIANGLES:
        raise UsageError(f"expected at most {MAX_TRIANGLES} losses over the simplex, got {losses}", parameter="over")
