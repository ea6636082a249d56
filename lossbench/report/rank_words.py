"""The words of the diagram of mean ranks, on the page and in the plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report.formatting import clean
from lossbench.statistics import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossbench.analysis.ranks import MeanRanks

MEANING = (
    "rank by the mean over seeds, averaged over conditions; bar: down to the last loss that is not shown to differ"
)
AXIS = "← better, mean rank"


def title(ranks: MeanRanks) -> str:
    """Return what is drawn."""
    return f"Ranks by {ranks.metric.title} over {ranks.conditions} conditions"


def numbers(ranks: MeanRanks) -> list[str]:
    """Return the mean ranks as text."""
    return [f"{rank:.2f}" for rank in ranks.ranks]


def notes(ranks: MeanRanks) -> Iterator[str]:
    """Yield the critical difference, and the losses left out."""
    if ranks.labels:
        yield f"critical difference {ranks.critical:.2f}: Nemenyi's test of all pairs, p ≤ {ALPHA:g}"
    else:
        yield "fewer than three losses can be ranked in every condition"
    for label, why in ranks.left_out.items():
        yield f"left out: {clean(label)}: {why}"
