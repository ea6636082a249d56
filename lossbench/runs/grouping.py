"""Which runs belong together: each trial once, groups, the conditions that part them, and what differs unseen."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lossbench.errors import UsageError, did_you_mean
from lossbench.runs.rows import RUN_COLUMNS, Scalar, is_metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.runs.rows import RunRow

Condition: TypeAlias = "tuple[Scalar, ...]"
Cell: TypeAlias = "tuple[Condition, str]"

NO_CONDITIONS = (*RUN_COLUMNS, "extends", "sweep", "log", "data.path", "train.threads", "train.save_weights")
"""What no number depends on, or what a group is made of."""


@dataclass(frozen=True)
class HiddenKey:
    """A key that is constant within each group but not the same in all: which labels have which value."""

    key: str
    values: Mapping[Scalar, tuple[str, ...]]


@dataclass(frozen=True)
class Grouping:
    """Rows sorted into cells.

    Attributes:
        cells: The runs of each (condition, label), a condition being a value for each key that varies.
        varying: The keys that part conditions, the outermost first.
        hidden: What differs between groups and is no condition.
        setting: The keys on which all runs agree.
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
    """Sort rows into groups and conditions.

    A condition is what varies inside at least one group. What differs only between groups is told as hidden.

    Args:
        rows: The runs.
        by: What makes a group: `loss`, `loss.name`, or dotted keys.
        across: Keys that part conditions before all others, whether they vary within a group or not.
        baseline_rows: Other runs to be sorted by the same conditions, such as a stored baseline's.
        ignore: Keys that part nothing: they were chosen for each group.

    Raises:
        UsageError: A key of `by` or `across` is in no run.
    """
    everything = [*rows, *baseline_rows]
    known = {key for row in everything for key in row}
    for key in (*by, *across):
        if key not in known:
            raise UsageError(f"{key}: no run has this key{did_you_mean(key, known)}")
    now, then = (_grouped(each, by) for each in (rows, baseline_rows))
    groups = [*now.values(), *then.values()]
    keys = {key for key in known if not _is_under(key, (*NO_CONDITIONS, *by, *ignore))}
    keys |= {*across, *_of_the_loss(known, by)}
    different = sorted(key for key in keys if len({row.get(key) for row in everything}) > 1)
    within = [key for key in different if any(len({row.get(key) for row in group}) > 1 for group in groups)]
    varying = (*across, *(key for key in within if key not in across))
    labelled = {**now, **{f"{label} (baseline)": group for label, group in then.items()}}
    hidden = tuple(_hidden(key, labelled) for key in different if key not in varying)
    setting = {key: rows[0].get(key) for key in sorted(keys) if key not in different}
    here, there = (Grouping(_cells(each, varying), varying, hidden, setting) for each in (now, then))
    return here, there


def drop_duplicates(rows: Iterable[RunRow]) -> tuple[list[RunRow], tuple[tuple[str, str], ...]]:
    """Each trial once, a completed run of it if there is one; and the folders left out, each with the one counted."""
    counted: dict[tuple[Any, Any], RunRow] = {}
    duplicates = []
    for row in sorted(rows, key=lambda row: (row["status"] != "completed", str(row["folder"]))):
        first = counted.setdefault((row["identity"], row["seed"]), row)
        if first is not row:
            duplicates.append((str(row["folder"]), str(first["folder"])))
    return list(counted.values()), tuple(duplicates)


def disambiguate_labels(rows: Sequence[RunRow]) -> tuple[list[RunRow], tuple[str, ...]]:
    """Labels behind which different settings stand (another version's defaults, another plugin) get a suffix."""
    settings = defaultdict(set)
    for row in rows:
        settings[row["loss"]].add(row["settings"])
    ambiguous = {label for label, different in settings.items() if len(different) > 1}
    renamed = [
        {**row, "loss": f"{row['loss']} #{_digest(str(row['settings']))}"} if row["loss"] in ambiguous else row
        for row in rows
    ]
    return renamed, tuple(sorted(map(str, ambiguous)))


def differing_keys(rows: Sequence[RunRow]) -> tuple[str, ...]:
    """The keys in which runs differ, but for the loss and its hyperparameters."""
    sorted_rows, _ = group_runs(rows, by=("loss",))
    return (*sorted_rows.varying, *(hidden.key for hidden in sorted_rows.hidden))


def sort_key(condition: Condition) -> list[tuple[int, float, str]]:
    """What conditions are sorted by: none before numbers before text."""
    return [_order(value) for value in condition]


def _order(value: Scalar) -> tuple[int, float, str]:
    match value:
        case None:
            return (0, 0, "")
        case int() | float():
            return (1, value, "")
        case _:
            return (2, 0, value)


def _of_the_loss(known: Iterable[str], by: Sequence[str]) -> set[str]:
    """What of the loss parts conditions: nothing where it makes the groups, else what of it does not."""
    if {"loss", "loss.name"} & set(by):
        return set()
    parts = {key for key in known if key.startswith("loss.") and key not in by}
    return parts if any(key.startswith("loss.") for key in by) else {"loss"}


def _grouped(rows: Iterable[RunRow], by: Sequence[str]) -> dict[str, list[RunRow]]:
    groups = defaultdict(list)
    for row in rows:
        groups[" · ".join("none" if (value := row.get(key)) is None else str(value) for key in by)].append(row)
    return groups


def _cells(groups: Mapping[str, Sequence[RunRow]], varying: Sequence[str]) -> dict[Cell, list[RunRow]]:
    cells = defaultdict(list)
    for label, rows in groups.items():
        for row in rows:
            cells[tuple(row.get(key) for key in varying), label].append(row)
    return cells


def _hidden(key: str, groups: Mapping[str, Sequence[RunRow]]) -> HiddenKey:
    labels = defaultdict(list)
    for label, rows in groups.items():
        labels[rows[0].get(key)].append(label)
    return HiddenKey(key, {value: tuple(labels[value]) for value in sorted(labels, key=_order)})


def _is_under(key: str, parents: Iterable[str]) -> bool:
    return is_metric(key) or any(key == parent or key.startswith(f"{parent}.") for parent in parents)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
