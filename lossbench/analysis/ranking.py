"""Order of the groups of a condition, and the best mean of each metric."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lossbench.metrics import REPORTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lossbench.analysis.query import Query
    from lossbench.analysis.result import Group
    from lossbench.metrics import Metric


def ranked(groups: Iterable[Group], rivals: Sequence[Group], query: Query) -> tuple[Group, ...]:
    """Return the groups of a block sorted by the first metric, with the best means marked.

    Args:
        groups: The groups.
        rivals: Those that may be marked.
        query: The query.
    """
    best = {metric.name: _best_labels(rivals, metric) for metric in (*query.metrics, *REPORTED.values())}
    marked = [replace(group, best=frozenset(name for name in best if group.label in best[name])) for group in groups]
    return tuple(sorted(marked, key=lambda group: (*rank(group, query.metrics[0]), group.label)))


def rank(group: Group, metric: Metric) -> tuple[bool, bool, float]:
    """Return the sorting key of a group: the best mean first, unlike groups last but for those without one."""
    mean = group.metrics[metric.name].mean
    return (mean is None, bool(group.unlike), 0 if mean is None else -metric.gain(mean))


def _best_labels(groups: Iterable[Group], metric: Metric) -> set[str]:
    """Return the labels with the best mean, if at least two can be compared."""
    gains = {
        group.label: metric.gain(mean)
        for group in groups
        if (mean := group.metrics[metric.name].mean) is not None
        and not group.diverged
        and (group.link == "softmax" or not metric.needs_softmax)
    }
    if len(gains) < 2:  # noqa: PLR2004 - the best of one is no news
        return set()
    return {label for label, gain in gains.items() if gain == max(gains.values())}
