"""A loss map as records for programs, every number unrounded: a record per cell and loss, per cell, per loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.json_data import to_json
from lossbench.report.comparison import map_words, records
from lossbench.statistics import ALPHA

if TYPE_CHECKING:
    from lossbench.analysis.map_result import LossMap, LossOverCells, MapCell, MapEntry
    from lossbench.analysis.query import Answer


def entry_records(answer: Answer) -> list[dict[str, Any]]:
    """Return a record per cell and loss: mean, rank, regret, and whether the loss may be best."""
    found, metric = map_words.of(answer.comparison), answer.comparison.query.metrics[0].name
    return [
        records.without_escapes(
            {**dict(zip(found.keys, cell.values, strict=True)), "metric": metric, **_entry(entry, answer)}
        )
        for cell in found.cells
        for entry in cell.entries
    ]


def map_csv(answer: Answer) -> str:
    """Return a line per cell and loss."""
    return records.to_csv(entry_records(answer))


def map_json_lines(answer: Answer) -> str:
    """Return a record per cell and loss, one per line."""
    return "".join(to_json(record, indent=None) for record in entry_records(answer))


def map_json(answer: Answer) -> str:
    """Return cells with their losses, and losses over all cells, with what they have in common."""
    found = map_words.of(answer.comparison)
    summary = {
        "keys": list(found.keys),
        "alpha": ALPHA,
        "single_best": found.single_best,
        "safest": found.safest,
        "unranked": list(found.unranked),
    }
    losses = [
        {
            "loss": loss.label,
            **records.display_name(loss.label, answer.names),
            **over_cells(loss),
            "worst_at": dict(zip(found.keys, loss.worst_at, strict=True)),
        }
        for loss in found.losses
    ]
    cells = [_cell(cell, found, answer) for cell in found.cells]
    document = {**records.head(answer.comparison), "map": summary, "cells": cells, "losses": losses}
    return to_json({**records.without_escapes(document), **records.tail(answer)})


def over_cells(loss: LossOverCells) -> dict[str, Any]:
    """Return the numbers of a loss over all cells."""
    return {
        "cells": loss.cells,
        "may_be_best": loss.best_in,
        "wins": loss.wins,
        "mean_rank": loss.mean_rank,
        "mean_regret": loss.mean_regret,
        "worst_regret": loss.worst_regret,
    }


def _cell(cell: MapCell, found: LossMap, answer: Answer) -> dict[str, Any]:
    single = cell.entry(found.single_best)
    return {
        **dict(zip(found.keys, cell.values, strict=True)),
        "may_be_best": [entry.label for entry in cell.best],
        "mean": cell.best[0].estimate.mean if cell.best else None,
        "single_best_regret": single.regret if single else None,
        "missing": list(cell.missing),
        "losses": [_entry(entry, answer) for entry in cell.entries],
    }


def _entry(entry: MapEntry, answer: Answer) -> dict[str, Any]:
    return {
        "loss": entry.label,
        **records.display_name(entry.label, answer.names),
        "n": entry.n,
        "diverged": entry.diverged,
        "mean": entry.estimate.mean,
        "sd": entry.estimate.sd,
        **records.ends(entry.estimate.interval),
        "rank": entry.rank,
        "regret": entry.regret,
        "may_be_best": entry.may_be_best,
    }
