"""Recorded tunings of sweeps in a comparison: runs of a best setting are rows of their loss, labelled as tuned."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lossbench.runs import grouping, tuning_file
from lossbench.runs.tuning import tuned_label, tuned_row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lossbench.analysis.query import Query
    from lossbench.runs.grouping import Cell
    from lossbench.runs.rows import RunRow
    from lossbench.runs.tuning import TunedLoss, Tuning


class TunedRows(NamedTuple):
    """Rows of a comparison, and what was tuned by label and identity."""

    rows: list[RunRow]
    tuned: dict[tuple[str, str], TunedLoss]


def load(rows: Iterable[RunRow]) -> dict[str, Tuning]:
    """Return the tunings recorded beside some runs, by folder, as far as their choices are made.

    Raises:
        MachineError: A tuning is damaged.
        UsageError: A tuning was written by a newer version.
    """
    folders = sorted({folder_of(row) for row in rows})
    recorded = {folder: tuning_file.load(Path(folder)) for folder in folders}
    return {folder: tuning for folder, tuning in recorded.items() if tuning and tuning.is_complete}


def folder_of(row: RunRow) -> str:
    """Return the folder that contains a run folder."""
    run = Path(str(row["folder"]))
    return str(run.parent if run.name else run.absolute().parent)


def with_tuned_rows(
    rows: Sequence[RunRow], tunings: Mapping[str, Tuning], query: Query, *, moved: bool = False
) -> TunedRows:
    """Return rows with those of best settings labelled as such; a best setting that is the default has both rows.

    Args:
        rows: The runs, each once.
        tunings: The tunings by folder.
        query: The query; only one that groups by loss, and tunes no key itself, has rows of best settings.
        moved: Whether the runs may have left the folder of their tuning, as those of a baseline file have.
    """
    if query.tune or "loss" not in query.group_keys or not tunings:
        return TunedRows(list(rows), {})
    best: dict[tuple[str, str], list[TunedLoss]] = defaultdict(list)
    defaults = set()
    for folder, tuning in tunings.items():
        for each in tuning.losses:
            place = "" if moved else folder
            best[place, each.chosen.identity].append(each)
            defaults.add((place, each.settings[0].identity))
    found: list[RunRow] = []
    tuned: dict[tuple[str, str], TunedLoss] = {}
    for row in rows:
        key = ("" if moved else folder_of(row), str(row["identity"]))
        if key not in best or key in defaults:
            found.append(row)
        found += [tuned_row(row, each) for each in best.get(key, ())]
        tuned |= {(tuned_label(each.loss), key[1]): each for each in best.get(key, ())}
    return TunedRows(found, tuned)


def default_baseline(cells: Collection[Cell]) -> str:
    """Return categorical_crossentropy, tuned where every condition that has it has it tuned."""
    usual = grouping.DEFAULT_BASELINE
    conditions, tuned = (
        {condition for condition, loss in cells if loss == name} for name in (usual, tuned_label(usual))
    )
    return tuned_label(usual) if tuned and conditions <= tuned else usual
