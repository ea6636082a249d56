"""The records of one request to compare runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lossbench.analysis.gate import GateResult
    from lossbench.analysis.images import ImageComparison
    from lossbench.analysis.result import Comparison
    from lossbench.runs.index import BrokenRun


@dataclass(frozen=True)
class Answer:
    """A comparison and what belongs to it.

    Attributes:
        comparison: The groups, their differences and verdicts, as they are to be shown.
        broken: The folders that could not be read.
        gate_results: Each threshold applied to each group.
        image_comparisons: Each group compared with its reference image by image.
    """

    comparison: Comparison
    broken: tuple[BrokenRun, ...] = ()
    gate_results: tuple[GateResult, ...] = ()
    image_comparisons: tuple[ImageComparison, ...] = ()
