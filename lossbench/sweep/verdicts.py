"""Verdicts of a sweep that adds seeds until it is decided, in words: per loss, per look, and in total."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lossbench.sweep.plan import phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lossbench.runs.decision import SweepDecision

    NameCondition = Callable[[Mapping[str, Any]], str]


class VerdictRow(NamedTuple):
    """Verdict on a loss in a condition; `seeds` is the number at its last look, 0 before the first."""

    loss: str
    condition: str
    verdict: str
    seeds: int


def condition(settings: Mapping[str, Any]) -> str:
    """Return a condition in one line, without what does not apply to it; empty for the only one."""
    return phrase({key: value for key, value in settings.items() if value is not None} or settings)


def verdict_rows(decision: SweepDecision, name: NameCondition = condition) -> list[VerdictRow]:
    """Return a row per comparison, in the order of the plan."""
    verdicts = decision.verdicts
    return [
        VerdictRow(each.loss, name(each.condition), verdicts.get(index, ("undecided",))[0], decision.seeds_of(index))
        for index, each in enumerate(decision.comparisons)
    ]


def summary(decision: SweepDecision, ended: int) -> str:
    """Return e.g. `3 of 9 decided by accuracy; 123 of 300 trainings used, 2 more trained ahead`.

    Args:
        decision: The decision.
        ended: Number of trials that have ended, among them those of a later look that idle workers trained ahead.
    """
    decided = sum(row.verdict != "undecided" for row in verdict_rows(decision))
    number = 0 if decision.pending else ended - decision.trainings
    ahead = f", {number} more trained ahead" * (number > 0)
    return (
        f"{decided} of {len(decision.comparisons)} decided by {decision.metric}; "
        f"{decision.trainings} of {decision.most_trainings} trainings used{ahead}"
    )


def table(decision: SweepDecision, ended: int) -> str:
    """Return loss, verdict and seeds per comparison, a block per condition, then totals; `ended` as in `summary`."""
    rows = verdict_rows(decision)
    loss = max(len("loss"), *(len(row.loss) for row in rows))
    verdict = max(len("verdict"), *(len(row.verdict) for row in rows))
    lines = [f"{'loss':<{loss}}  {'verdict':<{verdict}}  seeds"]
    for each in dict.fromkeys(row.condition for row in rows):
        lines += [each] if each else []
        lines += [
            f"{row.loss:<{loss}}  {row.verdict:<{verdict}}  {row.seeds:>5}" for row in rows if row.condition == each
        ]
    return "\n".join([*lines, "", summary(decision, ended), f"baseline {decision.baseline}"])


def look_line(event: Mapping[str, Any], name: NameCondition = condition) -> str:
    """Return the event of a look in one line: `look at 12 seeds: focal worse; 8 of 9 undecided, 18 trainings saved`."""
    made = [
        f"{each['loss']}{f' ({where})' if (where := name(each['condition'])) else ''} {each['verdict']}"
        for each in event["verdicts"]
    ]
    return (
        f"look at {event['seeds']} seeds: {', '.join(made) or 'nothing decided'}; "
        f"{event['undecided']} of {event['comparisons']} undecided, {event['dropped']} trainings saved"
    )
