"""The words of a loss map: its title, its cells, the names of losses in a cell, conclusions and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.analysis.loss_map import WHOLE
from lossbench.report import formatting, wording
from lossbench.report.comparison import columns, footnotes
from lossbench.report.formatting import clean
from lossbench.statistics import ALPHA, FEWEST_SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lossbench.analysis.map_result import LossMap, LossOverCells, MapCell
    from lossbench.analysis.result import Comparison
    from lossbench.runs.rows import Scalar


def of(comparison: Comparison) -> LossMap:
    """Return the map of a comparison that has one."""
    if comparison.loss_map is None:
        raise TypeError("this comparison has no map")
    return comparison.loss_map


def title(comparison: Comparison) -> str:
    """Return the settings that all runs share, the metric and the keys, in one line."""
    shared, measured = wording.background(comparison), wording.measured_on(comparison)
    return " · ".join(filter(None, (shared, measured, f"map of {' × '.join(map(clean, of(comparison).keys))}")))


def value_text(key: str, value: Scalar) -> str:
    """Return the value of a key; `all` where no value means all images."""
    return "all" if value is None and key in WHOLE else wording.value_text(value)


def setting(key: str, value: Scalar) -> str:
    """Return a key with its value: `data.train_size all`."""
    return f"{clean(key.removesuffix('.name').removesuffix('.type'))} {value_text(key, value)}"


def place(found: LossMap, values: Sequence[Scalar]) -> str:
    """Return the values of a cell: `0.4 · 1000`."""
    return " · ".join(value_text(key, value) for key, value in zip(found.keys, values, strict=True))


def settings(found: LossMap, values: Sequence[Scalar]) -> str:
    """Return the keys of a cell with their values: `data.label_noise.rate 0.4 · data.train_size 1000`."""
    return " · ".join(setting(key, value) for key, value in zip(found.keys, values, strict=True))


def names(cell: MapCell) -> str:
    """Return the losses that may be best, the best mean first; of many, those that are left out."""
    labels = [clean(entry.label) for entry in cell.best]
    others = [clean(entry.label) for entry in cell.entries if not entry.may_be_best]
    if not labels:
        return "-"
    if not others:
        return f"{labels[0]} and all {len(labels) - 1} others" if labels[2:] else " and ".join(labels)
    if len(labels) == 1:
        return labels[0]
    return f"{labels[0]} and all others but {', '.join(others)}" if len(labels) > len(others) + 1 else ", ".join(labels)


def seeds_text(cell: MapCell) -> str:
    """Return the number of seeds of each loss: `10`, or `8–10` where they differ."""
    fewest, most = cell.seeds
    return str(most) if fewest == most else f"{fewest}–{most}"


def regret_head(comparison: Comparison) -> str:
    """Return the title of a column of regrets, with their unit."""
    return f"regret {formatting.unit(comparison.query.metrics[0])}".rstrip()


def regret_text(comparison: Comparison, regret: float | None, none: str = "-") -> str:
    """Return a regret as tables show it."""
    return none if regret is None else formatting.value(comparison.query.metrics[0], regret)


def is_candidate(found: LossMap, loss: LossOverCells) -> bool:
    """Return whether a loss can be the single best: no diverged run, and an entry in as many cells as any such loss."""
    return loss.mean_regret is not None and loss.cells == found.losses[0].cells


def conclusions(comparison: Comparison) -> Iterator[str]:
    """Yield which loss to use everywhere, and which is the safest, with what they cost."""
    found = of(comparison)
    best, safest = found.loss(found.single_best), found.loss(found.safest)
    if best is None or safest is None:
        yield "Every loss has diverged runs in a cell, so none is safe to use everywhere."
        return
    if best.worst_regret == 0:
        yield f"{clean(best.label)} has the best mean in every cell."
        return
    if best is safest:
        yield (
            f"The best single loss is also the safest: always using {clean(best.label)} costs "
            f"{_mean_cost(comparison, best)}, {_worst_cost(comparison, best)}."
        )
        return
    yield (
        f"The best single loss is {clean(best.label)}: always using it costs {_mean_cost(comparison, best)}, "
        f"{_worst_cost(comparison, best)}."
    )
    yield (
        f"The safest choice is {clean(safest.label)}: it costs {_worst_cost(comparison, safest)}, "
        f"{_mean_cost(comparison, safest)}."
    )


def _mean_cost(comparison: Comparison, loss: LossOverCells) -> str:
    return f"{formatting.with_unit(comparison.query.metrics[0], loss.mean_regret or 0)} on average"


def _worst_cost(comparison: Comparison, loss: LossOverCells) -> str:
    size = formatting.with_unit(comparison.query.metrics[0], loss.worst_regret or 0)
    return f"at most {size} ({settings(of(comparison), loss.worst_at)})"


def notes(comparison: Comparison, *, with_tuning: bool = True) -> Iterator[str]:
    """Yield the meaning of the columns, then what a reader must know of cells, losses and runs."""
    found = of(comparison)
    if any(cell.winner for cell in found.cells):
        yield f"{columns.BEST} best alone: better than every other loss of the cell; below, the least of a column"
    yield (
        f"may be best: no other loss of the cell is better, p ≤ {ALPHA:g} by sign flips of the paired seeds, adjusted "
        "by max-T for all pairs of the cell; the best mean comes first"
    )
    yield from _regret_notes(comparison)
    yield f"{formatting.HIGHER} higher is better, {formatting.LOWER} lower is better"
    if any(entry.n > 1 for cell in found.cells for entry in cell.entries):
        yield "± standard deviation over seeds, of the loss with the best mean"
    yield from few_seeds(found)
    yield from _cell_notes(found)
    if found.unranked:
        metric = comparison.query.metrics[0]
        why = "the loss trains no softmax probabilities" if metric.needs_softmax else "no result, or not alike"
        yield f"not ranked ({why}): {', '.join(map(clean, found.unranked))}"
    if unlike := wording.unlike_groups(group for block in comparison.blocks for group in block.groups):
        yield unlike
    if comparison.plans:
        yield "seeds were added by a plan; the losses that may be best are found as if their number had been fixed"
    yield from footnotes.run_notes(comparison, with_tuning=with_tuning)


def _regret_notes(comparison: Comparison) -> Iterator[str]:
    """Yield what regrets are, of which loss, over which cells."""
    found = of(comparison)
    single = clean(found.single_best)
    in_cells = f"; in the cells: of {single}, the best single loss, which has the smallest mean regret"
    yield f"regret: how much worse the mean of a loss is than the best of the cell{in_cells * bool(found.single_best)}"
    most = found.losses[0].cells
    if most < len(found.cells):
        yield f"no loss without diverged runs is in all {len(found.cells)} cells; the best single loss is in {most}"


def few_seeds(found: LossMap) -> Iterator[str]:
    """Yield a warning if cells have too few seeds for any loss to be left out."""
    few = [cell.values for cell in found.cells if cell.entries and cell.seeds[1] < FEWEST_SEEDS]
    if few:
        where = "" if len(few) == len(found.cells) else f": {_places(found, few)}"
        yield f"below {FEWEST_SEEDS} seeds no loss can be left out, so all may be best{where}"


def _cell_notes(found: LossMap) -> Iterator[str]:
    """Yield the losses that lack cells, and those that diverged, with the cells."""
    missing: dict[tuple[str, ...], list[Sequence[Scalar]]] = {}
    diverged: dict[str, list[Sequence[Scalar]]] = {}
    for cell in found.cells:
        if cell.missing:
            missing.setdefault(cell.missing, []).append(cell.values)
        for entry in cell.entries:
            if entry.diverged:
                diverged.setdefault(entry.label, []).append(cell.values)
    for labels, where in missing.items():
        without = "no result" if len(labels) == len(found.losses) else f"without {formatting.first_few(labels)}"
        yield f"{without}: {_places(found, where)}"
    for label, where in diverged.items():
        yield f"{clean(label)} has diverged runs and is never best, the last of its cell: {_places(found, where)}"


def _places(found: LossMap, cells: Iterable[Sequence[Scalar]]) -> str:
    return formatting.first_few([place(found, values) for values in cells], "; ")
