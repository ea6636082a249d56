"""The content of a map's figure: plots draw it with Matplotlib, the page as a coloured table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lossbench.report import figures, formatting, wording
from lossbench.report.comparison import map_words
from lossbench.report.formatting import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lossbench.analysis.map_result import LossMap, MapCell
    from lossbench.analysis.result import Comparison
    from lossbench.runs.rows import Scalar

PALETTE = ("#77aadd", "#eedd88", "#ee8866", "#99ddff", "#44bb99", "#ffaabb", "#bbcc33", "#aaaa00")
"""Paul Tol's light scheme: fills that the colour-blind can tell apart, for black text; neighbours differ in grey."""

OTHERS = "#dddddd"
"""The fill of further losses, and of cells without a loss to choose."""

TIED = "hatched: several losses may be best; colour and number are of the best mean"

MOST_NAMES = 3
"""Names per cell; of more, the first and the number of the others."""


@dataclass(frozen=True)
class Tile:
    """A cell of the figure.

    Attributes:
        row: Number of the row, from 0.
        column: Number of the column, from 0.
        names: The losses that may be best, the best mean first, as far as there is room.
        mean: The best mean with its standard deviation.
        regret: The regret of the best single loss; empty where it has none.
        colour: Number of the fill in `PALETTE`; None for `OTHERS`.
        is_tied: Whether several losses may be best.
    """

    row: int
    column: int
    names: tuple[str, ...]
    mean: str
    regret: str
    colour: int | None
    is_tied: bool


@dataclass(frozen=True)
class MapFigure:
    """The figure: sentences above it, axes with their ticks, cells, and the losses that have a colour, in its order."""

    sentences: tuple[str, ...]
    row_key: str
    column_key: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    tiles: tuple[Tile, ...]
    losses: tuple[str, ...]

    @property
    def has_ties(self) -> bool:
        """Whether a cell is hatched."""
        return any(tile.is_tied for tile in self.tiles)


def map_figure(comparison: Comparison) -> MapFigure:
    """Return the figure of a comparison with a map: the last key across, the first of two keys down."""
    found, metric = map_words.of(comparison), comparison.query.metrics[0]
    *outer, inner = found.keys
    ticks = [tuple(map_words.value_text(key, value) for value in axis) for key, axis in _axes(found)]
    losses = _coloured(found)
    return MapFigure(
        sentences=(
            f"losses that may be best: {figures.axis_title(metric)}, {comparison.query.at} epoch",
            wording.background(comparison),
            *map_words.conclusions(comparison),
            *map_words.few_seeds(found),
        ),
        row_key=_axis_title(outer[0]) if outer else "",
        column_key=_axis_title(inner),
        rows=ticks[0] if outer else ("",),
        columns=ticks[-1],
        tiles=tuple(_tile(cell, found, comparison, losses) for cell in found.cells),
        losses=tuple(map(clean, losses)),
    )


def _axes(found: LossMap) -> list[tuple[str, tuple[Scalar, ...]]]:
    return list(zip(found.keys, found.axes, strict=True))


def _axis_title(key: str) -> str:
    return figures.TREND_AXES.get(key, clean(key))


def _coloured(found: LossMap) -> Mapping[str, int]:
    """Return the number of the colour of each loss that has the best mean in a cell, those of most cells first."""
    counts = Counter(cell.best[0].label for cell in found.cells if cell.best and len(cell.entries) > 1)
    order = sorted(counts, key=lambda label: (-counts[label], label))
    return {label: number for number, label in enumerate(order[: len(PALETTE)])}


def _tile(cell: MapCell, found: LossMap, comparison: Comparison, losses: Mapping[str, int]) -> Tile:
    metric, single = comparison.query.metrics[0], cell.entry(found.single_best)
    labels = [clean(entry.label) for entry in cell.best]
    more = len(labels) - MOST_NAMES
    shown = labels if more <= 0 else [labels[0], f"or {len(labels) - 1} others"]
    return Tile(
        row=found.axes[0].index(cell.values[0]) if len(found.keys) > 1 else 0,
        column=found.axes[-1].index(cell.values[-1]),
        names=tuple(shown) or ("no result",),
        mean=formatting.estimate(metric, cell.best[0].estimate) if cell.best else "",
        regret=formatting.with_unit(metric, single.regret) if single and single.regret is not None else "",
        colour=losses.get(cell.best[0].label) if cell.best and len(cell.entries) > 1 else None,
        is_tied=len(labels) > 1,
    )
