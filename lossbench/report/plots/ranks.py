"""Mean ranks over conditions: a row per loss, with a bar down to the last loss that is not shown to differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import rank_words
from lossbench.report.plots import canvas
from lossbench.report.plots.forest import label_right, row_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from lossbench.analysis.ranks import MeanRanks


def plot_ranks(ranks: MeanRanks | None, subtitles: Sequence[str]) -> Figure | None:
    """Plot mean ranks; return None where fewer than three losses are ranked."""
    if ranks is None or not ranks.labels:
        return None
    keys = [
        canvas.line_key("mean rank", marker="o", linestyle="none"),
        canvas.line_key("down to the last loss that is not shown to differ", color=canvas.PALE, linewidth=5),
    ]
    sentences = (rank_words.title(ranks), *subtitles, *rank_words.notes(ranks))
    figure, axis = row_figure(ranks.labels, sentences, keys)
    axis.set_xlim(0.5, len(ranks.labels) + 0.5)
    for place, (rank, last) in enumerate(zip(ranks.ranks, ranks.last, strict=True)):
        axis.plot([rank, ranks.ranks[last]], [place, place], color=canvas.PALE, linewidth=5, solid_capstyle="butt")
        axis.plot(rank, place, "o", color=canvas.INK, markersize=5)
    axis.set_xlabel(rank_words.AXIS)
    label_right(axis, rank_words.numbers(ranks))
    return figure
