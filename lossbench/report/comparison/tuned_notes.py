"""Remarks and notes on losses that a sweep has tuned: chosen values, budget, and choices at the edge of their space."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lossbench.report import formatting
from lossbench.report.formatting import clean, count_of
from lossbench.report.wording import group_name
from lossbench.runs.tuning import tuned_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lossbench.analysis.result import Comparison, Group, RecordedTuning
    from lossbench.runs.tuning import TunedLoss, Tuning


def remarks(group: Group) -> Iterator[str]:
    """Yield the chosen values below the row of a best setting."""
    if group.tuned is None:
        return
    yield chosen_values(group.tuned)


def chosen_values(tuned: TunedLoss) -> str:
    """Return the chosen values in one line: `optimizer.learning_rate 0.003 · loss.q 0.9 (edge)`."""
    if not tuned.chosen.values:
        return "the default was chosen: these are its runs"
    return " · ".join(
        f"{clean(key)} {clean(_value(value))}{' (edge)' * (key in tuned.edges)}"
        for key, value in tuned.chosen.values.items()
    )


def notes(comparison: Comparison) -> Iterator[str]:
    """Yield the budget of each tuning, how it chose, and what to do about choices at the edge."""
    for each in comparison.tunings:
        yield _budget(each)
        yield from _smaller(each.tuning)
        yield from _lost(each.tuning)
        yield from _edges(each.tuning)


def choices(comparison: Comparison) -> Iterator[str]:
    """Yield the chosen values of each loss and condition, for formats without remarks below rows."""
    for each in comparison.tunings:
        for tuned in each.tuning.losses:
            yield f"{group_name(tuned_label(tuned.loss), tuned.condition)}: {chosen_values(tuned)}"


def record(recorded: RecordedTuning) -> dict[str, object]:
    """Return a tuning as plain data: plan, choices with their scores, and the number of choices at the edge by key."""
    tuning = recorded.tuning
    return {
        "folder": clean(recorded.folder),
        "metric": tuning.metric,
        "trials": tuning.trials,
        "seeds": list(tuning.seeds),
        "at_edge": dict(tuning.edges),
        "losses": [
            {
                "loss": clean(each.loss),
                "condition": dict(each.condition),
                "space": dict(each.space),
                "settings": [{"values": dict(one.values), "scores": list(one.scores)} for one in each.settings],
                "choice": each.choice,
                "at_edge": list(each.edges),
            }
            for each in tuning.losses
        ],
    }


def _budget(recorded: RecordedTuning) -> str:
    tuning = recorded.tuning
    kept = sum(not each.choice for each in tuning.losses)
    seeds = f"{'seeds' if len(tuning.seeds) > 1 else 'seed'} {formatting.seeds(tuning.seeds)}"
    return (
        f"tuned in {clean(recorded.folder)}: {count_of(tuning.trials, 'setting')} per loss and condition, the default "
        f"among them; the best mean of {tuning.metric} over {seeds} was chosen, the default in {kept} of "
        f"{len(tuning.losses)}"
    )


def _smaller(tuning: Tuning) -> Iterator[str]:
    """Say which losses had their whole grid, which is smaller than the budget."""
    smaller = {each.loss: len(each.settings) for each in tuning.losses if len(each.settings) < tuning.trials}
    if smaller:
        named = ", ".join(f"{clean(loss)} {count_of(number, 'setting')}" for loss, number in smaller.items())
        yield f"whole grid tried, smaller than the budget: {named}"


def _lost(tuning: Tuning) -> Iterator[str]:
    """Count the tuning runs without a score."""
    scores = {one.identity: one.scores for each in tuning.losses for one in each.settings}
    for ended in ("diverged", "failed"):
        if lost := sum(each.count(ended) for each in scores.values()):
            yield f"{count_of(lost, 'tuning run')} {ended}; a setting with such a run is worse than every other"


def _edges(tuning: Tuning) -> Iterator[str]:
    """Say how often the choice lies at the edge of its space, and what to do."""
    at_edge = sum(bool(each.edges) for each in tuning.losses)
    if at_edge:
        by_key = ", ".join(f"{clean(key)} {number}" for key, number in tuning.edges.most_common())
        yield (
            f"(edge) in {at_edge} of {len(tuning.losses)} choices ({by_key}): an end of a list, or the outer tenth of "
            "a range; widen the space in sweep.tune"
        )


def _value(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else json.dumps(value)


def columns(group: Group) -> Mapping[str, object]:
    """Return the chosen values of a row for programs; none for a row that is no best setting."""
    return dict(group.tuned.chosen.values) if group.tuned else {}
