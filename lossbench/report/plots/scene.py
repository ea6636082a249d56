"""What the figures of one condition have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lossbench.analysis.figure_data import Panel
    from lossbench.analysis.measure import At


@dataclass(frozen=True)
class Scene:
    """One condition to be drawn.

    Attributes:
        panels: Its losses, the best first.
        baseline: The one that the others are held against; it need not be among the panels.
        sentences: What stands below the title of each figure.
        confidence: Of the intervals, as a word: `95 %`.
        at: The epoch whose weights were tested.
    """

    panels: tuple[Panel, ...]
    baseline: Panel | None
    sentences: tuple[str, ...]
    confidence: str
    at: At
