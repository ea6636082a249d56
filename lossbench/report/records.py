"""Reports for programs, in full precision: a flat record for each loss in each condition; a run as JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any

from lossbench.report import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.analysis.frame import Broken
    from lossbench.analysis.sheet import Sheet
    from lossbench.analysis.summary import Comparison


def records(comparison: Comparison) -> list[dict[str, Any]]:
    """Loss, the keys that vary, n, diverged, failed, unfinished, mean and sd of each metric, link, at, seeds."""
    return [
        {
            "loss": _cleaned(group.loss),
            **{key: _cleaned(block.condition[key]) for key in comparison.varying},
            "n": group.n,
            "diverged": group.diverged,
            "failed": group.failed,
            "unfinished": group.unfinished,
            **{
                f"{name}_{statistic}": getattr(estimate, statistic)
                for name, estimate in group.metrics.items()
                for statistic in ("mean", "sd")
            },
            "link": _cleaned(group.link),
            "at": comparison.at,
            "seeds": list(group.seeds),
        }
        for block in comparison.blocks
        for group in block.groups
    ]


def as_csv(comparison: Comparison) -> str:
    """The records as CSV; shares between 0 and 1, seeds separated by blanks, what is missing empty."""
    rows = [record | {"seeds": " ".join(map(str, record["seeds"]))} for record in records(comparison)]
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def as_json(comparison: Comparison, broken: Sequence[Broken]) -> str:
    """The records as JSON, with the notes and the folders that could not be read."""
    value = {
        "title": words.title(comparison),
        "groups": records(comparison),
        "notes": words.notes(comparison),
        "broken": [{"folder": words.clean(each.folder), "reason": words.clean(each.reason)} for each in broken],
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def sheet_as_json(sheet: Sheet) -> str:
    """A run as JSON: `run.json`, then folder, configuration, history, scores and counts; NaN as null."""
    value = {
        **sheet.run.summary,
        "folder": str(sheet.run.folder),
        "config": sheet.run.config,
        "history": sheet.history,
        "per_class": sheet.per_class,
        "confusion": {at: counts.tolist() for at, counts in sheet.confusion.items()},
        "faults": sheet.faults,
    }
    return json.dumps(_finite(value), indent=2) + "\n"


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case _:
            return value


def _cleaned(value: object) -> object:
    return words.clean(value) if isinstance(value, str) else value
