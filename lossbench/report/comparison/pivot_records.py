"""A comparison as losses × values of one key, as records for programs, every number unrounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.analysis.pivot import pivot_tables
from lossbench.analysis.result import Estimate
from lossbench.json_data import to_json
from lossbench.report import wording
from lossbench.report.comparison import records

if TYPE_CHECKING:
    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Comparison, Group
    from lossbench.metrics import Metric
    from lossbench.runs.rows import Scalar


def pivot_records(answer: Answer) -> list[dict[str, Any]]:
    """Return a record per loss, condition and metric, with a cell per value of the pivot's key."""
    comparison = answer.comparison
    return [
        records.without_escapes(
            {
                "loss": row.label,
                **records.display_name(row.label, answer.names),
                **table.condition,
                "metric": metric.name,
                "cells": [_cell(row.groups.get(value), value, metric, comparison) for value in table.values],
            }
        )
        for table in pivot_tables(comparison)
        for metric in comparison.query.metrics
        for row in table.rows
    ]


def pivot_csv(answer: Answer) -> str:
    """Return a line per loss, condition and metric, with columns such as `0.2_mean` per value of the pivot's key."""
    lines = [
        {key: value for key, value in record.items() if key != "cells"}
        | {
            f"{wording.value_text(cell['value'])}_{field}": value
            for cell in record["cells"]
            for field, value in cell.items()
            if field != "value"
        }
        for record in pivot_records(answer)
    ]
    keys = dict.fromkeys(key for record in lines for key in record)
    return records.to_csv([{key: record.get(key) for key in keys} for record in lines])


def pivot_json(answer: Answer) -> str:
    """Return the rows of the pivot, with what they have in common."""
    document = {**records.head(answer.comparison), "pivot": answer.comparison.query.pivot}
    return to_json({**document, "rows": pivot_records(answer), **records.tail(answer)})


def pivot_json_lines(answer: Answer) -> str:
    """Return the rows of the pivot as JSON, one per line."""
    return "".join(to_json(record, indent=None) for record in pivot_records(answer))


def _cell(group: Group | None, value: Scalar, metric: Metric, comparison: Comparison) -> dict[str, Any]:
    """Return the cell of a pivot; without runs it has no mean. Only the first metric has a difference."""
    of = group.metrics[metric.name] if group else Estimate()
    contrast = group.difference if group and metric == comparison.query.metrics[0] else None
    return {
        "value": value,
        "n": group.n if group else 0,
        "diverged": len(group.diverged) if group else 0,
        "mean": of.mean,
        "sd": of.sd,
        **records.ends(of.interval),
        "best": bool(group and metric.name in group.best),
        "delta_mean": contrast.mean if contrast else None,
        **records.ends(contrast.interval if contrast else None, "delta_"),
        "p_adjusted": contrast.p_adjusted if contrast else None,
        "verdict": (wording.verdict(group) if group and metric == comparison.query.metrics[0] else "") or None,
    }
