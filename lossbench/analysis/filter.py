"""Selection and order of the groups to show; results are not computed again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lossbench.analysis.ranking import rank
from lossbench.errors import UsageError, did_you_mean
from lossbench.metrics import METRICS, find

if TYPE_CHECKING:
    from collections.abc import Callable

    from lossbench.analysis.result import Block, Comparison, Group

ORDERS: dict[str, Callable[[Group], Any]] = {
    "loss": lambda _: (),
    "n": lambda group: -group.n,
    "p": lambda group: (group.difference is None, _p(group)),
}
CHANGED = ("better", "worse")


def filter_groups(
    comparison: Comparison, *, sort: str | None = None, top: int | None = None, only_changed: bool = False
) -> Comparison:
    """Return a comparison with the groups to show; the baseline always stays.

    Args:
        comparison: The complete comparison.
        sort: A metric (best mean first), `loss` (by name), `n` (most first) or `p` (smallest first).
        top: Show at most this number of groups per block, the baseline not counted.
        only_changed: Show only groups with the verdict better or worse.

    Raises:
        UsageError: The order does not exist.
    """
    order = _order(comparison, sort) if sort else None
    blocks = [_shown(block, comparison, order, top, only_changed=only_changed) for block in comparison.blocks]
    if comparison.query.pivot:
        wanted = {group.label for block in blocks for group in block.groups}
        every = [_shown(block, comparison, order, None, only_changed=False) for block in comparison.blocks]
        blocks = [_restricted(block, wanted) for block in every]
    return replace(comparison, blocks=tuple(blocks))


def _restricted(block: Block, labels: set[str]) -> Block:
    """Return a block with some of its groups; a row of a pivot that is shown at all is complete."""
    groups = tuple(group for group in block.groups if group.label in labels)
    return replace(block, groups=groups, left_out=len(block.groups) - len(groups))


def _order(comparison: Comparison, sort: str) -> Callable[[Group], Any]:
    if sort in ORDERS:
        return ORDERS[sort]
    try:
        by = find(sort)
    except UsageError as error:
        if sort == "val_loss":  # its own reason: it ranks nothing
            raise UsageError(str(error), parameter="sort") from None
        orders = [*ORDERS, *METRICS]
        message = f"expected one of {', '.join(orders)}, recall.5, …, got {sort!r}{did_you_mean(sort, orders)}"
        raise UsageError(message, parameter="sort") from None
    if not all(by.name in group.metrics for block in comparison.blocks for group in block.groups):
        raise UsageError(
            f"{sort} is not measured here; name it in `metrics` too", parameter="sort", mentions=("metrics",)
        )
    return lambda group: rank(group, by)


def _shown(
    block: Block, comparison: Comparison, order: Callable[[Group], Any] | None, top: int | None, *, only_changed: bool
) -> Block:
    groups = sorted(block.groups, key=lambda group: (order(group), group.label)) if order else list(block.groups)
    others = [group for group in groups if not _is_baseline(group, comparison)]
    wanted = [group for group in others if not only_changed or _has_changed(group)][:top]
    shown = tuple(group for group in groups if group in wanted or _is_baseline(group, comparison))
    return replace(block, groups=shown, left_out=len(groups) - len(shown))


def _is_baseline(group: Group, comparison: Comparison) -> bool:
    return not comparison.baseline_is_file and group.label == comparison.baseline


def _has_changed(group: Group) -> bool:
    return group.difference is not None and group.difference.verdict in CHANGED


def _p(group: Group) -> float:
    return 1 if group.difference is None or group.difference.p_adjusted is None else group.difference.p_adjusted
