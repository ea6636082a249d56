"""Fair comparisons: which groups are alike in data, model and budget, so that they may be compared and ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lossbench.errors import UsageError, did_you_mean
from lossbench.runs import likeness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lossbench.analysis.query import Query
    from lossbench.analysis.result import Group
    from lossbench.runs.grouping import HiddenKey
    from lossbench.runs.likeness import UnlikeKey
    from lossbench.runs.rows import RunRow

Unlike: TypeAlias = "Callable[[Group, Group], tuple[UnlikeKey, ...]]"
"""Returns the keys that must agree between a reference and a group and do not."""


def check_allowed(rows: Iterable[RunRow], query: Query) -> None:
    """Raise a `UsageError` if the query allows a key that no run has."""
    known = {key for row in rows for key in row if key.partition(".")[0] in likeness.SECTIONS}
    for name in query.allow_different:
        if not any(likeness.is_under(key, name) or likeness.is_under(name, key) for key in known):
            raise UsageError(f"no run has the key {name!r}{did_you_mean(name, known)}", parameter="allow_different")


def unlikeness(hidden: Iterable[HiddenKey], query: Query) -> Unlike:
    """Return the function that finds unlike keys; keys that the query allows, groups by or tunes may differ.

    Args:
        hidden: The keys that differ between groups of one condition.
        query: The query.
    """
    keys = [each.key for each in hidden]
    chosen = [*query.group_keys, *([query.tune] if query.tune else [])]
    allowed = tuple(likeness.with_dependents([*query.allow_different, *chosen, *likeness.with_siblings(chosen)]))
    return lambda reference, group: likeness.unlike_keys(keys, reference.row, group.row, allowed)


def rivals(groups: Sequence[Group], baseline: str | None, unlike: Unlike) -> list[Group]:
    """Return the groups of a block that may be ranked: those alike to the baseline; without one, all or none."""
    known = [group for group in groups if group.label == baseline]
    reference = (known or list(groups))[0]
    alike = [group for group in groups if not unlike(reference, group)]
    return alike if known or len(alike) == len(groups) else []


def differing(blocks: Iterable[Sequence[Group]], unlike: Unlike) -> tuple[str, ...]:
    """Return the keys that must agree and do not, between any two groups of a block or a group and its reference."""
    pairs = [
        (reference, group)
        for groups in blocks
        for group in groups
        for reference in (groups[0], group.reference)
        if reference
    ]
    return tuple(sorted({each.key for reference, group in pairs for each in unlike(reference, group)}))
