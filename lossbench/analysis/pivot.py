"""A comparison as losses × values of one key, with a table for each condition of the other keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lossbench.errors import UsageError, did_you_mean
from lossbench.runs.grouping import sort_key
from lossbench.runs.rows import RUN_COLUMNS, is_metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.analysis.query import Query
    from lossbench.analysis.result import Block, Comparison, Group
    from lossbench.runs.rows import RunRow, Scalar


@dataclass(frozen=True)
class PivotRow:
    """One loss: its label, and its groups by the value of the key; a value without runs has none."""

    label: str
    groups: Mapping[Scalar, Group]


@dataclass(frozen=True)
class PivotTable:
    """The losses in one condition of the other keys; every cell is one group, nothing is averaged over conditions.

    Attributes:
        condition: The other keys that vary, with their values here.
        values: The values of the key, in order.
        rows: The losses, in the order of the first column.
    """

    condition: Mapping[str, Scalar]
    values: tuple[Scalar, ...]
    rows: tuple[PivotRow, ...]


def check(rows: Iterable[RunRow], query: Query, key: str, parameter: str = "pivot") -> None:
    """Raise a `UsageError` that names the parameter if its key is none that can make conditions."""
    known = {name for row in rows for name in row if name not in RUN_COLUMNS and not is_metric(name)}
    if key in query.group_keys or key == "loss" or (key.startswith("loss.") and "loss" in query.group_keys):
        raise UsageError(
            f"{key} distinguishes the losses; choose a key such as data.label_noise.rate", parameter=parameter
        )
    if key == query.tune:
        raise UsageError(f"{key} is tuned, so it has one value per loss; choose another key", parameter=parameter)
    if key in RUN_COLUMNS or is_metric(key):
        raise UsageError(
            f"{key} is no setting, so it makes no conditions; choose a key such as data.label_noise.rate",
            parameter=parameter,
        )
    if key not in known:
        raise UsageError(f"no run has the key {key!r}{did_you_mean(key, known)}", parameter=parameter)


def pivot_tables(comparison: Comparison) -> tuple[PivotTable, ...]:
    """Return a table for each condition of the other keys.

    A condition in which the key does not apply, such as clean labels for `data.label_noise.rate`, is a column of every
    table whose other keys agree, so that each table has its reference.
    """
    key = str(comparison.query.pivot)
    conditions = [_others(block, key) for block in comparison.blocks]
    tables = [each for number, each in enumerate(conditions) if each not in conditions[:number]]
    members = {
        number: [
            block
            for block, other in zip(comparison.blocks, conditions, strict=True)
            if _belongs(block, other, table, key)
        ]
        for number, table in enumerate(tables)
    }
    kept = [
        number
        for number, blocks in members.items()
        if not any(
            number != other and len(blocks) < len(more) and all(each in more for each in blocks)
            for other, more in members.items()
        )
    ]
    return tuple(_table(tables[number], members[number], key) for number in kept)


def _others(block: Block, key: str) -> dict[str, Scalar]:
    return {name: value for name, value in block.condition.items() if name != key}


def _belongs(block: Block, other: Mapping[str, Scalar], table: Mapping[str, Scalar], key: str) -> bool:
    """Return whether a block has the condition of a table; where its key does not apply, its section may differ."""
    section = key.rpartition(".")[0]
    different = [name for name in table if other[name] != table[name]]
    off = block.condition[key] is None and any(other.get(f"{section}.{name}", "") is None for name in ("name", "type"))
    return not different or (off and all(name.startswith(f"{section}.") for name in different))


def _table(condition: Mapping[str, Scalar], blocks: Sequence[Block], key: str) -> PivotTable:
    values = sorted({block.condition[key] for block in blocks}, key=lambda value: sort_key((value,)))
    ordered = sorted(blocks, key=lambda block: values.index(block.condition[key]))
    groups: dict[str, dict[Scalar, Group]] = {}
    for block in ordered:
        for group in block.groups:
            groups.setdefault(group.label, {})[block.condition[key]] = group
    return PivotTable(condition, tuple(values), tuple(PivotRow(label, each) for label, each in groups.items()))
