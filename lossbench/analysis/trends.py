"""A measure against a condition that has a size: label noise, imbalance, or any other number that varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lossbench.analysis.result import Block, Comparison, Estimate
    from lossbench.runs.rows import Scalar

SWITCHED_OFF = {"data.label_noise.rate": 0.0, "data.imbalance.ratio": 1.0}
"""The size of what is not there: without noise no label is wrong, balanced classes are equally large."""


@dataclass(frozen=True)
class Trend:
    """How each loss fares as one key grows and nothing else changes.

    Attributes:
        key: What grows.
        condition: The other keys that vary, here constant.
        sizes: The values of the key, ascending.
        lines: By label: an estimate at each size, None where the loss has no run.
        baseline: The label that the others are held against, if it is there.
    """

    key: str
    condition: Mapping[str, Scalar]
    sizes: tuple[float, ...]
    lines: Mapping[str, Sequence[Estimate | None]]
    baseline: str | None


def trends(comparison: Comparison, measure: str) -> list[Trend]:
    """A trend for each key with sizes and each setting of the others at which it has at least two."""
    return [
        _trend(comparison, key, blocks, measure)
        for key in comparison.varying
        for blocks in _series(key, comparison.blocks)
        if len(blocks) > 1
    ]


def _series(key: str, blocks: Sequence[Block]) -> Iterator[dict[float, Block]]:
    """Blocks that differ in the size of a key alone, by size; where it is switched off belongs to every kind of it."""
    series: dict[tuple[Scalar, ...], dict[float, Block]] = {}
    for block in blocks:
        if type(size := block.condition[key]) in {int, float}:
            rest = tuple(value for name, value in block.condition.items() if name != key)
            series.setdefault(rest, {})[float(size or 0)] = block
    for sized in series.values():
        around = _around(key, next(iter(sized.values())))
        off = [block for block in blocks if block.condition[key] is None and _around(key, block) == around]
        if off and key in SWITCHED_OFF:
            sized.setdefault(SWITCHED_OFF[key], off[0])
        yield dict(sorted(sized.items()))


def _around(key: str, block: Block) -> dict[str, Scalar]:
    """The condition but for the section that the key stands in."""
    section = key.rpartition(".")[0]
    return {name: value for name, value in block.condition.items() if not f"{name}.".startswith(f"{section}.")}


def _trend(comparison: Comparison, key: str, blocks: Mapping[float, Block], measure: str) -> Trend:
    """The losses in the order in which they stand at the largest size."""
    largest = blocks[max(blocks)]
    labels = dict.fromkeys(group.label for block in (largest, *blocks.values()) for group in block.groups)
    estimates = [{group.label: group.metrics[measure] for group in block.groups} for block in blocks.values()]
    return Trend(
        key=key,
        condition={name: value for name, value in largest.condition.items() if name != key},
        sizes=tuple(blocks),
        lines={label: [each.get(label) for each in estimates] for label in labels},
        baseline=comparison.baseline if not comparison.baseline_is_file and comparison.baseline in labels else None,
    )
