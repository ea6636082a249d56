"""Notes on the numbers of seeds of a comparison: too few for a verdict, unequal without a plan, different ones."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lossbench.report import formatting, wording
from lossbench.report.formatting import clean
from lossbench.statistics import FEWEST_SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossbench.analysis.result import Block, Comparison


def too_few(comparison: Comparison) -> Iterator[str]:
    """Yield a warning if no comparison of a loss can be decided with its seeds."""
    pairs = [
        group.difference.n
        for block in comparison.blocks
        for group in block.groups
        if group.difference and group.difference.paired
    ]
    if any(n < FEWEST_SEEDS for n in pairs):
        yield f"no verdict is possible below {FEWEST_SEEDS} seeds"


def unequal(comparison: Comparison) -> Iterator[str]:
    """Yield a warning if losses have runs of different numbers of seeds, and no recorded plan says why.

    Runs without a result count. There is no warning without verdicts, nor while runs are unfinished, as their sweep may
    still go on.
    """
    unfinished = any(group.unfinished for block in comparison.blocks for group in block.groups)
    blocks = [] if comparison.plans or unfinished else list(filter(_is_unequal, comparison.blocks))
    if not blocks:
        return
    numbers = [len(group.started) for block in blocks for group in block.groups]
    where = formatting.first_few(list(filter(None, (wording.condition(comparison, block) for block in blocks))), "; ")
    yield (
        f"{min(numbers)} to {max(numbers)} seeds per loss without a recorded plan{f' ({where})' * bool(where)}: if "
        "they were added until a difference became significant, verdicts are too frequent; train equal seeds, or let "
        "lossbench sweep --until-decided choose them"
    )


def _is_unequal(block: Block) -> bool:
    has_verdicts = any(group.difference and group.difference.n >= FEWEST_SEEDS for group in block.groups)
    return has_verdicts and len({len(group.started) for group in block.groups}) > 1


def different(comparison: Comparison) -> Iterator[str]:
    """Yield a warning per block whose means are over different seeds, with the losses that differ from the majority."""
    for block in comparison.blocks:
        lists = {clean(group.label): formatting.seeds(group.seeds) for group in block.groups if group.n}
        usual = Counter(lists.values()).most_common(1)
        others = [
            f"{loss} (seed{'s' * (not values.isdigit())} {values})"
            for loss, values in lists.items()
            if values != usual[0][0]
        ]
        if others:
            where = wording.condition(comparison, block)
            yield f"means over seeds other than {usual[0][0]}{f' ({where})' * bool(where)}: {'; '.join(others)}"
