"""Grouping of runs: one row per trial, groups by loss, conditions within groups, keys that differ between groups."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lossbench.errors import UsageError, did_you_mean
from lossbench.runs import likeness
from lossbench.runs.likeness import value
from lossbench.runs.rows import RUN_COLUMNS, Scalar, is_metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.runs.rows import RunRow

Condition: TypeAlias = "tuple[Scalar, ...]"
Cell: TypeAlias = "tuple[Condition, str]"

DEFAULT_BASELINE = "categorical_crossentropy"
"""Label of the baseline unless the user names another one."""

NO_CONDITIONS = (*RUN_COLUMNS, *likeness.IGNORED)
"""Keys that never make a condition: no number depends on them, or they identify the run."""


@dataclass(frozen=True)
class HiddenKey:
    """A key that is constant within each group but differs between groups.

    Attributes:
        key: The dotted key.
        values: The labels of the groups by their value.
    """

    key: str
    values: Mapping[Scalar, tuple[str, ...]]


@dataclass(frozen=True)
class Grouping:
    """Rows by condition and group.

    Attributes:
        cells: The runs by (condition, label); a condition has one value per key of `varying`.
        varying: The keys that make conditions, the outermost first.
        hidden: The keys that differ between groups without making a condition.
        setting: The keys that have one value in all runs, with this value.
    """

    cells: Mapping[Cell, Sequence[RunRow]]
    varying: tuple[str, ...]
    hidden: tuple[HiddenKey, ...]
    setting: RunRow


def group_runs(
    rows: Sequence[RunRow],
    *,
    by: Sequence[str],
    across: Sequence[str] = (),
    baseline_rows: Sequence[RunRow] = (),
    ignore: Sequence[str] = (),
) -> tuple[Grouping, Grouping]:
    """Group rows by loss and condition. A key makes a condition if its values differ within at least one group.

    Args:
        rows: The runs.
        by: Keys that make a group: `loss`, `loss.name`, or dotted keys.
        across: Keys that make the outermost conditions, whether they vary within a group or not.
        baseline_rows: Runs of a stored baseline, grouped by the same conditions.
        ignore: Keys that make no condition, because their values were tuned per group.

    Returns:
        The groupings of `rows` and of `baseline_rows`.

    Raises:
        UsageError: No run has a key of `by` or `across`.
    """
    all_rows = [*rows, *baseline_rows]
    known = {key for row in all_rows for key in row}
    for key in (*by, *across):
        if key not in known:
            raise UsageError(f"{key}: no run has this key{did_you_mean(key, known)}")
    groups, baseline_groups = (_group(each, by) for each in (rows, baseline_rows))
    labelled = {**groups, **{f"{label} (baseline)": group for label, group in baseline_groups.items()}}
    keys = {key for key in known if not _is_under(key, (*NO_CONDITIONS, *by, *ignore))}
    keys |= {*across, *_loss_keys(known, by)}
    different = sorted(key for key in keys if len({value(row, key) for row in all_rows}) > 1)
    within = [
        key for key in different if any(len({value(row, key) for row in group}) > 1 for group in labelled.values())
    ]
    varying = (*across, *(key for key in within if key not in across))
    hidden = tuple(_hidden(key, labelled) for key in different if key not in varying)
    setting = {key: value(rows[0], key) for key in sorted(keys) if key not in different}
    now, then = (Grouping(_cells(each, varying), varying, hidden, setting) for each in (groups, baseline_groups))
    return now, then


def drop_duplicates(rows: Iterable[RunRow]) -> tuple[list[RunRow], tuple[tuple[str, str], ...]]:
    """Return one run per trial, a completed one if there is any, and the folders that were dropped.

    Args:
        rows: The runs.

    Returns:
        The rows that count; pairs of a dropped folder and the folder that counts in its place.
    """
    counted: dict[tuple[Any, Any], RunRow] = {}
    duplicates = []
    for row in sorted(rows, key=lambda row: (row["status"] != "completed", str(row["folder"]))):
        first = counted.setdefault((row["identity"], row["seed"]), row)
        if first is not row:
            duplicates.append((str(row["folder"]), str(first["folder"])))
    return list(counted.values()), tuple(duplicates)


def disambiguate_labels(rows: Sequence[RunRow]) -> tuple[list[RunRow], tuple[str, ...]]:
    """Append a suffix to labels that stand for several settings, e.g. because another version had other defaults.

    Args:
        rows: The runs.

    Returns:
        The rows with unambiguous labels; the labels that were ambiguous.
    """
    settings = defaultdict(set)
    for row in rows:
        settings[row["loss"]].add(row["settings"])
    ambiguous = {label for label, found in settings.items() if len(found) > 1}
    renamed = [
        {**row, "loss": f"{row['loss']} #{_digest(str(row['settings']))}"} if row["loss"] in ambiguous else row
        for row in rows
    ]
    return renamed, tuple(sorted(map(str, ambiguous)))


def differing_keys(rows: Sequence[RunRow]) -> tuple[str, ...]:
    """Return the keys in which runs differ, the loss and its hyperparameters left out."""
    grouping, _ = group_runs(rows, by=("loss",))
    return (*grouping.varying, *(hidden.key for hidden in grouping.hidden))


def sort_key(condition: Condition) -> list[tuple[int, float, str]]:
    """Return the sort key of a condition: None before numbers before text."""
    return [_order(value) for value in condition]


def _order(value: Scalar) -> tuple[int, float, str]:
    match value:
        case None:
            return (0, 0, "")
        case int() | float():
            return (1, value, "")
        case _:
            return (2, 0, value)


def _loss_keys(known: Iterable[str], by: Sequence[str]) -> set[str]:
    """Return the loss's keys that may make conditions: none if the loss makes the groups, else those not in `by`."""
    if {"loss", "loss.name"} & set(by):
        return set()
    keys = {key for key in known if key.startswith("loss.") and key not in by}
    return keys if any(key.startswith("loss.") for key in by) else {"loss"}


def _group(rows: Iterable[RunRow], by: Sequence[str]) -> dict[str, list[RunRow]]:
    groups = defaultdict(list)
    for row in rows:
        groups[" · ".join("none" if (found := row.get(key)) is None else str(found) for key in by)].append(row)
    return groups


def _cells(groups: Mapping[str, Sequence[RunRow]], varying: Sequence[str]) -> dict[Cell, list[RunRow]]:
    cells = defaultdict(list)
    for label, rows in groups.items():
        for row in rows:
            cells[tuple(value(row, key) for key in varying), label].append(row)
    return cells


def _hidden(key: str, groups: Mapping[str, Sequence[RunRow]]) -> HiddenKey:
    labels = defaultdict(list)
    for label, rows in groups.items():
        labels[value(rows[0], key)].append(label)
    return HiddenKey(key, {each: tuple(labels[each]) for each in sorted(labels, key=_order)})


def _is_under(key: str, parents: Iterable[str]) -> bool:
    return is_metric(key) or any(likeness.is_under(key, parent) for parent in parents)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
