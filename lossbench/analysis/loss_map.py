"""Loss map: the losses that may be best in each cell of one or two keys, and the regret of always using one loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lossbench import statistics
from lossbench.analysis import alike, pivot
from lossbench.analysis.map_result import LossMap, LossOverCells, MapCell, MapEntry
from lossbench.errors import UsageError
from lossbench.runs import likeness
from lossbench.runs.grouping import differing_keys, sort_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.analysis.query import Query
    from lossbench.analysis.result import Block, Comparison, Group
    from lossbench.metrics import Metric
    from lossbench.runs.rows import RunRow, Scalar

MOST_KEYS = 2

WHOLE = frozenset({"data.train_size"})
"""Keys that select a part of the images: without a value they take all, so none is their largest value."""


def check(rows: Sequence[RunRow], query: Query) -> None:
    """Raise a `UsageError` unless the map has one or two keys that can make conditions and that vary."""
    keys = query.map_keys
    if len(keys) > MOST_KEYS:
        raise UsageError(
            f"expected one or two keys, got {len(keys)}: {', '.join(keys)}; select one value of the others by `where`",
            parameter="map",
            mentions=("where",),
        )
    if len(set(keys)) < len(keys):
        raise UsageError(f"{keys[0]} is named twice; choose two different keys, or one", parameter="map")
    for key in keys:
        pivot.check(rows, query, key, "map")
        values = {likeness.value(row, key) for row in rows}
        if len(values) == 1:
            others = ", ".join(each for each in differing_keys(rows) if each.partition(".")[0] != "loss")
            vary = f"these vary: {others}" if others else "no key varies"
            raise UsageError(f"{key} is {_text(*values)} in all of these runs; {vary}", parameter="map")


def loss_map(comparison: Comparison) -> LossMap:
    """Return the map of a comparison whose outermost conditions are the values of the map's keys.

    Raises:
        UsageError: A further key varies within a cell, or no cell has two losses that can be ranked.
    """
    keys, metric = comparison.query.map_keys, comparison.query.metrics[0]
    ranked = {values: _ranked(block, comparison, metric) for values, block in _cells(comparison, keys).items()}
    if all(len(groups) <= 1 for groups in ranked.values()):
        raise _nothing_to_rank(comparison)
    labels = dict.fromkeys(group.label for groups in ranked.values() for group in groups)
    cells = tuple(_cell(values, groups, labels, metric) for values, groups in ranked.items())
    losses = tuple(sorted((_over_cells(label, cells) for label in labels), key=_order))
    candidates = [each for each in losses if each.mean_regret is not None and each.cells == losses[0].cells]
    every = {group.label for block in comparison.blocks for group in block.groups}
    return LossMap(
        keys=keys,
        axes=tuple(_sorted({values[number] for values in ranked}, key) for number, key in enumerate(keys)),
        cells=cells,
        losses=losses,
        single_best=candidates[0].label if candidates else None,
        safest=min(candidates, key=lambda each: each.worst_regret or 0).label if candidates else None,
        unranked=tuple(sorted(every - labels.keys())),
    )


def _cells(comparison: Comparison, keys: Sequence[str]) -> dict[tuple[Scalar, ...], Block]:
    """Return the block of each cell, by the values of the keys, in order.

    Raises:
        UsageError: A cell has several blocks.
    """
    blocks: dict[tuple[Scalar, ...], Block] = {}
    for block in comparison.blocks:
        values = tuple(block.condition[key] for key in keys)
        if values in blocks:
            raise _third_key(comparison, keys)
        blocks[values] = block
    order = sorted(blocks, key=lambda values: [_position(*pair) for pair in zip(keys, values, strict=True)])
    return {values: blocks[values] for values in order}


def _sorted(values: Iterable[Scalar], key: str) -> tuple[Scalar, ...]:
    return tuple(sorted(values, key=lambda value: _position(key, value)))


def _position(key: str, value: Scalar) -> tuple[bool, object]:
    """Return the sort key of a value: none before numbers, but after them where it stands for all images."""
    return (key in WHOLE and value is None, sort_key((value,)))


def _third_key(comparison: Comparison, keys: Sequence[str]) -> UsageError:
    """Return the error of a key that varies within a cell, the one with the most values."""
    found: dict[str, set[Scalar]] = {}
    for block in comparison.blocks:
        same = [each for each in comparison.blocks if all(each.condition[key] == block.condition[key] for key in keys)]
        for key in block.condition.keys() - set(keys):
            found[key] = max(found.get(key, set()), {each.condition[key] for each in same}, key=len)
    key = max(sorted(found), key=lambda key: len(found[key]))
    values = _sorted(found[key], key)
    first, *others = [value for value in values if value is not None]
    is_beside = any(key.rpartition(".")[0] == each.rpartition(".")[0] for each in keys)
    condition = " and ".join(f"{key}!={each!r}" for each in others) if is_beside and others else f"{key}=={first!r}"
    add = ", or add it to the keys of the map" * (len(keys) < MOST_KEYS and not is_beside)
    return UsageError(
        f"{key} varies within a cell ({', '.join(map(_text, values))}), and a cell is one condition; select one, "
        f'e.g. `where` "{condition}"{add}',
        parameter="map",
        mentions=("where",),
    )


def _text(value: Scalar) -> str:
    return "none" if value is None else str(value)


def _ranked(block: Block, comparison: Comparison, metric: Metric) -> list[Group]:
    """Return the groups that can be ranked: alike, trained for what the metric judges, with a result or diverged."""
    baseline = None if comparison.baseline_is_file else comparison.baseline
    rivals = alike.rivals(block.groups, baseline, alike.unlikeness(comparison.hidden, comparison.query))
    return [
        group
        for group in rivals
        if (group.metrics[metric.name].mean is not None or group.diverged)
        and (group.link == "softmax" or not metric.needs_softmax)
    ]


def _nothing_to_rank(comparison: Comparison) -> UsageError:
    labels = sorted({group.label for block in comparison.blocks for group in block.groups})
    if len(labels) == 1:
        return UsageError(f"a map needs two losses or more; these runs have only {labels[0]}", parameter="map")
    if comparison.unlike:
        return UsageError(
            f"no two losses of a cell are alike: {', '.join(comparison.unlike)}; `allow_different` ranks them all the "
            "same",
            parameter="map",
            mentions=("allow_different",),
        )
    return UsageError(
        f"no cell has results of two losses that {comparison.query.metrics[0].title} can rank; there are "
        f"{', '.join(labels)}",
        parameter="map",
    )


def _cell(values: tuple[Scalar, ...], groups: Sequence[Group], labels: Iterable[str], metric: Metric) -> MapCell:
    """Return a cell: which losses may be best there, with ranks and regrets."""
    ended = [group for group in groups if not group.diverged]
    gains = {group.label: metric.gain(group.metrics[metric.name].mean or 0) for group in ended}
    best = _possibly_best(ended, metric)
    top = max((gains[label] for label in best), default=0.0)
    ranks = _ranks(groups, gains)
    entries = [
        MapEntry(
            label=group.label,
            estimate=group.metrics[metric.name],
            n=group.n,
            diverged=len(group.diverged),
            may_be_best=group.label in best,
            rank=ranks[group.label],
            regret=max(0.0, top - gains[group.label]) if group.label in gains else None,
        )
        for group in groups
    ]
    present = {group.label for group in groups}
    return MapCell(
        values,
        tuple(sorted(entries, key=lambda entry: (entry.rank, entry.label))),
        tuple(sorted(label for label in labels if label not in present)),
    )


def _possibly_best(groups: Sequence[Group], metric: Metric) -> set[str]:
    """Return the losses that no other one beats, from all pairs of losses without diverged runs."""
    seeds = sorted({seed for group in groups for seed in group.metrics[metric.name].values})
    scores = [[metric.gain(group.metrics[metric.name].values.get(seed, np.nan)) for group in groups] for seed in seeds]
    kept = statistics.possibly_best(np.array(scores)) if groups else ()
    return {group.label for group, is_kept in zip(groups, kept, strict=True) if is_kept}


def _ranks(groups: Sequence[Group], gains: Mapping[str, float]) -> dict[str, float]:
    """Return the rank of each loss; losses with diverged runs share the last ranks."""
    sizes = {group.label: gains.get(group.label, -np.inf) for group in groups}
    return {
        label: sum(other > size for other in sizes.values()) + (sum(other == size for other in sizes.values()) + 1) / 2
        for label, size in sizes.items()
    }


def _over_cells(label: str, cells: Iterable[MapCell]) -> LossOverCells:
    found = [(cell, entry) for cell in cells if (entry := cell.entry(label))]
    regrets = [entry.regret for _, entry in found if entry.regret is not None]
    has_diverged = len(regrets) < len(found)
    worst, _ = max(found, key=lambda each: np.inf if each[1].regret is None else each[1].regret)
    return LossOverCells(
        label=label,
        cells=len(found),
        best_in=sum(entry.may_be_best for _, entry in found),
        wins=sum(cell.winner == label for cell, _ in found),
        mean_rank=float(np.mean([entry.rank for _, entry in found])),
        mean_regret=None if has_diverged else float(np.mean(regrets)),
        worst_regret=None if has_diverged else max(regrets),
        worst_at=worst.values,
    )


def _order(loss: LossOverCells) -> tuple[bool, int, float, float, str]:
    """Return the sort key of a loss: without diverged runs, in most cells, with the smallest mean regret first."""
    return (loss.mean_regret is None, -loss.cells, loss.mean_regret or 0, loss.mean_rank, loss.label)
