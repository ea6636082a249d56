"""Remarks, legend and notes on losses whose seeds were added by a recorded plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import formatting
from lossbench.report.formatting import clean, count_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossbench.analysis.result import Comparison, Contrast, Group


def look_remarks(difference: Contrast, group: Group) -> Iterator[str]:
    """Yield the look of a verdict where the number of seeds does not show it, and why there is no interval."""
    if group.n != difference.look:
        yield f"verdict, Δ and its interval at the look of {count_of(difference.look, 'seed')}"
    if difference.interval is None:
        yield f"{count_of(difference.n, 'seed')} are too few for an interval that is valid at every look"


def legend(comparison: Comparison) -> Iterator[str]:
    """Yield how the verdicts of recorded plans were made, and which intervals belong to them."""
    groups = [group for block in comparison.blocks for group in block.groups]
    if not any(group.difference and group.difference.look is not None for group in groups):
        return
    confidence = formatting.percent(comparison.query.confidence)
    yield (
        f"[ ] of Δ at a look: {confidence} repeated interval, valid at every look; not adjusted for the number of "
        "comparisons"
    )
    yield from verdict_lines(comparison)


def verdict_lines(comparison: Comparison) -> Iterator[str]:
    """Yield how the verdicts of each recorded plan that applies were made."""
    for each in comparison.plans:
        plan, family = each.decision.plan, len(each.decision.comparisons)
        looks = ", ".join(map(str, plan.looks))
        size = "" if plan.rope is None else f", rope {formatting.with_unit(comparison.query.metrics[0], plan.rope)}"
        limit = "may exceed" if each.decision.is_by_another_test else "is at most"
        by = " of an earlier lossbench" if each.decision.is_by_another_test else ""
        yield (
            f"verdicts of {clean(each.folder)}: group-sequential sign-flip test{by}, planned for "
            f"{count_of(family, 'comparison')} with looks at {looks} seeds{size}; the probability of any false verdict "
            f"{limit} {formatting.percent(plan.alpha)}"
        )


def notes(comparison: Comparison) -> Iterator[str]:
    """Warn of losses without a verdict, as their seeds were added by another plan than this comparison."""
    for each in comparison.plans:
        decision = each.decision
        if each.reasons:
            yield (
                f"no verdict on losses of {clean(each.folder)}: seeds were added until {decision.metric} against "
                f"{clean(decision.baseline)} was decided, and that plan does not apply here: "
                f"{clean('; '.join(each.reasons))}; a usual test would be wrong more often than it says, and so would "
                "the usual intervals"
            )
        if decision.pending:
            yield f"{clean(each.folder)}: the next look is at {decision.pending.seeds} seeds; the sweep has not ended"
