"""Records of a loss map: its cells, the losses in each, and every loss over all cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lossbench.analysis.result import Estimate
    from lossbench.runs.rows import Scalar


@dataclass(frozen=True)
class MapEntry:
    """A loss in a cell.

    Attributes:
        label: The loss.
        estimate: The map's metric over its completed seeds.
        n: Number of seeds with a completed run.
        diverged: Number of seeds that diverged; with any, the loss is never best, and last among the ranks.
        may_be_best: Whether no other loss of the cell is significantly better.
        rank: Rank of its mean, from 1; equal means share the mean of their ranks.
        regret: What its mean lacks to the best mean of the cell, at least 0; None where runs diverged.
    """

    label: str
    estimate: Estimate
    n: int
    diverged: int
    may_be_best: bool
    rank: float
    regret: float | None


@dataclass(frozen=True)
class MapCell:
    """One condition of the map.

    Attributes:
        values: The values of the map's keys.
        entries: The losses that can be ranked, the best mean first, those with diverged runs last.
        missing: Losses of other cells without a result here.
    """

    values: tuple[Scalar, ...]
    entries: tuple[MapEntry, ...]
    missing: tuple[str, ...]

    @property
    def best(self) -> tuple[MapEntry, ...]:
        """The losses that may be best, the best mean first."""
        return tuple(entry for entry in self.entries if entry.may_be_best)

    @property
    def winner(self) -> str | None:
        """The loss that is better than every other one of the cell; None if there is none, or no other."""
        return self.best[0].label if len(self.best) == 1 and len(self.entries) > 1 else None

    @property
    def seeds(self) -> tuple[int, int]:
        """The smallest and the largest number of seeds of a loss."""
        counts = [entry.n + entry.diverged for entry in self.entries]
        return min(counts, default=0), max(counts, default=0)

    def entry(self, label: str | None) -> MapEntry | None:
        """Return the entry of a loss; None if it has none here."""
        return next((entry for entry in self.entries if entry.label == label), None)


@dataclass(frozen=True)
class LossOverCells:
    """A loss over all cells in which it has an entry.

    Attributes:
        label: The loss.
        cells: Number of these cells.
        best_in: Number of cells in which it may be best.
        wins: Number of cells in which it is better than every other loss.
        mean_rank: Mean of its ranks.
        mean_regret: Mean of its regrets; None where runs of a cell diverged.
        worst_regret: The largest of its regrets; None where runs of a cell diverged.
        worst_at: Values of the cell with the largest regret, or of the first in which runs diverged.
    """

    label: str
    cells: int
    best_in: int
    wins: int
    mean_rank: float
    mean_regret: float | None
    worst_regret: float | None
    worst_at: tuple[Scalar, ...]


@dataclass(frozen=True)
class LossMap:
    """Which losses may be best where, and what the same loss everywhere would cost.

    Attributes:
        keys: The keys that make the cells, one or two.
        axes: The values of each key, in order.
        cells: The cells with runs, by the first key and then the second.
        losses: Every loss that is ranked in a cell, the smallest mean regret first.
        single_best: The loss with the smallest mean regret, among those with entries in most cells and no diverged run.
        safest: The loss with the smallest worst regret among the same losses.
        unranked: Losses that are ranked in no cell, because the metric judges probabilities that they do not train, or
            because they are not alike.
    """

    keys: tuple[str, ...]
    axes: tuple[tuple[Scalar, ...], ...]
    cells: tuple[MapCell, ...]
    losses: tuple[LossOverCells, ...]
    single_best: str | None
    safest: str | None
    unranked: tuple[str, ...]

    def loss(self, label: str | None) -> LossOverCells | None:
        """Return a loss over all cells; None if it is not ranked."""
        return next((each for each in self.losses if each.label == label), None)
