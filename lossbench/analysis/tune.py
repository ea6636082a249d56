"""Tuning: each group at its best value of one key, chosen by validation, so that the test set has no influence."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lossbench.analysis.estimates import average_by_seed, by_seed, estimate
from lossbench.analysis.result import Choice
from lossbench.errors import UsageError, did_you_mean
from lossbench.runs import grouping

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lossbench.analysis.query import Query
    from lossbench.runs.rows import RunRow, Scalar


def tune(rows: Sequence[RunRow], query: Query) -> tuple[list[RunRow], tuple[Choice, ...]]:
    """Select the runs of the best value of a key, for each group in each condition.

    The best value has the best mean over seeds of the first metric on the validation images. A value with diverged
    runs is chosen only if every value has some; one without a result is never chosen.

    Args:
        rows: The runs.
        query: `tune` is the key, e.g. `optimizer.learning_rate`; it defines no condition.

    Returns:
        The selected runs, and the chosen value of each group in each condition.

    Raises:
        UsageError: No run has the key, or a group has no validation to choose by.
    """
    key = str(query.tune)
    counted, _ = grouping.drop_duplicates(rows)
    known = {name for row in counted for name in row}
    if key not in known:
        raise UsageError(f"no run has the key {key!r}{did_you_mean(key, known)}", parameter="tune")
    sorted_rows, _ = grouping.group_runs(counted, by=query.group_keys, across=query.outer_keys, ignore=(key,))
    selected: list[RunRow] = []
    choices = []
    for (condition, label), runs in sorted_rows.cells.items():
        choice, chosen = _choose(label, dict(zip(sorted_rows.varying, condition, strict=True)), runs, key, query)
        selected += chosen
        choices.append(choice)
    return selected, tuple(choices)


def _choose(
    label: str, condition: Mapping[str, Scalar], runs: Sequence[RunRow], key: str, query: Query
) -> tuple[Choice, list[RunRow]]:
    column = f"val.{query.at}.{query.metrics[0].name}"
    values = defaultdict(list)
    for run in runs:
        values[run.get(key)].append(run)
    validated = {value: estimate(average_by_seed(by_seed(of_value), column)).mean for value, of_value in values.items()}
    means = {value: mean for value, mean in validated.items() if mean is not None}
    if not means:
        raise UsageError(
            f"{label} has no {column} to choose by; it needs completed runs with validation", parameter="tune"
        )
    diverging = {value for value in means if any(run["status"] == "diverged" for run in values[value])}
    best = max(means, key=lambda value: (value not in diverging, query.metrics[0].gain(means[value])))
    tried = tuple(sorted(means, key=lambda value: grouping.sort_key((value,))))
    return Choice(label, condition, key, best, tried, len(runs), column, means[best]), values[best]
