"""File and axis of a plot, checked before anything heavy is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from lossbench.errors import MachineError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

Over: TypeAlias = Literal["margin", "p_y"]

AXES: dict[Over, str] = {
    "margin": r"margin $z_y - \max_{j \neq y} z_j$",
    "p_y": "probability $p_y$ of the true class",
}
"""The horizontal axes, with their titles."""


def check_file(path: Path) -> None:
    """Check that a plot can be written to a file.

    Raises:
        UsageError: If the file's name does not end in .png.
        MachineError: If its folder does not exist.
    """
    if path.suffix != ".png":
        raise UsageError(f"expected a file name that ends in .png, got {path}", parameter="plot")
    if not path.parent.is_dir():
        raise MachineError(f"{path}: cannot be written: No such file or directory")
