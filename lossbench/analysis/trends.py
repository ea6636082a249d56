"""Trends: a metric as a function of a numeric condition such as the rate of label noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lossbench.analysis.result import Block, Comparison, Estimate
    from lossbench.runs.rows import Scalar

SWITCHED_OFF = {"data.label_noise.rate": 0.0, "data.imbalance.ratio": 1.0}
"""Values of keys that are null: no label noise has rate 0, no imbalance has ratio 1."""


@dataclass(frozen=True)
class Trend:
    """A metric of each loss as a function of one key, with all other keys constant.

    Attributes:
        key: The key.
        condition: The other varying keys with their constant values.
        sizes: The values of the key, ascending.
        lines: Estimates at each size by label; None where the loss has no run.
        baseline: Label of the baseline, if it is among the losses.
    """

    key: str
    condition: Mapping[str, Scalar]
    sizes: tuple[float, ...]
    lines: Mapping[str, Sequence[Estimate | None]]
    baseline: str | None


def trends(comparison: Comparison, metric: str) -> list[Trend]:
    """Return a trend per numeric key and setting of the other keys, where at least two values exist.

    Args:
        comparison: The comparison.
        metric: Name of the metric.
    """
    return [
        _trend(comparison, key, blocks, metric)
        for key in comparison.varying
        for blocks in _series(key, comparison.blocks)
        if len(blocks) > 1
    ]


def _series(key: str, blocks: Sequence[Block]) -> Iterator[dict[float, Block]]:
    """Yield blocks that differ only in the value of a key, by value; a null value belongs to every series."""
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
    """Return the condition without the section of the key."""
    section = key.rpartition(".")[0]
    return {name: value for name, value in block.condition.items() if not f"{name}.".startswith(f"{section}.")}


def _trend(comparison: Comparison, key: str, blocks: Mapping[float, Block], metric: str) -> Trend:
    """Return a trend, with the losses in their order at the largest value."""
    largest = blocks[max(blocks)]
    labels = dict.fromkeys(group.label for block in (largest, *blocks.values()) for group in block.groups)
    estimates = [{group.label: group.metrics[metric] for group in block.groups} for block in blocks.values()]
    return Trend(
        key=key,
        condition={name: value for name, value in largest.condition.items() if name != key},
        sizes=tuple(blocks),
        lines={label: [each.get(label) for each in estimates] for label in labels},
        baseline=comparison.baseline if not comparison.baseline_is_file and comparison.baseline in labels else None,
    )
