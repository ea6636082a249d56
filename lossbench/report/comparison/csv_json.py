"""Reports for programs, every number unrounded: CSV, JSON and JSON lines, of groups or of single runs."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lossbench.json_data import to_json
from lossbench.report import formatting, wording
from lossbench.report.comparison.gate_results import gate_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lossbench.analysis.gate import GateResult
    from lossbench.analysis.images import ImageComparison
    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Comparison, Contrast, Estimate, Group
    from lossbench.inspect.details import RunDetails
    from lossbench.runs.rows import RunRow
    from lossbench.statistics import Interval

ACTIVE = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def groups(comparison: Comparison) -> list[dict[str, Any]]:
    """A record for each group in each condition: what it is, its difference, its measures."""
    return [
        {
            "loss": formatting.clean(group.label),
            **{formatting.clean(key): cleaned(value) for key, value in block.condition.items()},
            "n": group.n,
            "diverged": len(group.diverged),
            "failed": group.failed,
            "unfinished": group.unfinished,
            **_difference(group, comparison),
            **{f"{name}_{of}": value for name, each in group.metrics.items() for of, value in _estimate(each).items()},
            "link": formatting.clean(group.link),
            "at": comparison.question.at,
            "seeds": list(group.seeds),
        }
        for block in comparison.blocks
        for group in block.groups
    ]


def as_csv(answer: Answer) -> str:
    """The groups as CSV; shares between 0 and 1, seeds separated by blanks, what is missing empty."""
    return table([record | {"seeds": " ".join(map(str, record["seeds"]))} for record in groups(answer.comparison)])


def as_json(answer: Answer) -> str:
    """The groups with their values by seed, the notes, the gate's results, the images, what could not be read."""
    comparison = answer.comparison
    every = [group for block in comparison.blocks for group in block.groups]
    records = [
        record | {"values": {name: dict(each.values) for name, each in group.metrics.items() if each.values}}
        for record, group in zip(groups(comparison), every, strict=True)
    ]
    return to_json(
        {
            "title": wording.title(comparison),
            "metric": comparison.question.measures[0].name,
            "baseline": cleaned(comparison.baseline),
            "confidence": comparison.question.confidence,
            "comparisons": comparison.comparisons,
            "fewest_seeds": comparison.fewest_seeds,
            "groups": records,
            "notes": list(wording.notes(comparison)),
            "gate": [_gate_result(result, comparison.question.confidence) for result in answer.gate_results],
            "images": [_paired(pair) for pair in answer.image_comparisons],
            "broken": [
                {"folder": formatting.clean(each.folder), "reason": formatting.clean(each.reason)}
                for each in answer.broken
            ],
        }
    )


def as_json_lines(answer: Answer) -> str:
    """The groups, a record a line."""
    return lines(groups(answer.comparison))


def lines(records: Sequence[Mapping[str, Any]]) -> str:
    """Records as JSON, one a line."""
    return "".join(to_json(record, indent=None) for record in records)


def runs(rows: Sequence[RunRow]) -> list[dict[str, Any]]:
    """A record for each run, all of the same columns."""
    keys = dict.fromkeys(key for row in rows for key in ("loss", "seed", "status", "folder", *row))
    return [{formatting.clean(key): cleaned(row.get(key)) for key in keys} for row in rows]


def runs_as_json(rows: Sequence[RunRow]) -> str:
    """The runs as one list."""
    return to_json(runs(rows))


def table(records: Sequence[Mapping[str, Any]]) -> str:
    """Records as CSV; text that a spreadsheet would take for a formula has an apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_defused(key) for key in records[0]])
    writer.writerows([[_defused(value) for value in record.values()] for record in records])
    return text.getvalue()


def sheet_as_json(sheet: RunDetails) -> str:
    """A run as JSON: `run.json`, then folder, configuration, history, scores and counts; NaN as null."""
    return to_json(
        {
            **sheet.run.summary,
            "folder": str(sheet.run.folder),
            "config": sheet.run.config,
            "history": sheet.history,
            "per_class": sheet.per_class,
            "confusion": {at: counts.tolist() for at, counts in sheet.confusion.items()},
            "faults": sheet.faults,
        },
        ensure_ascii=True,
    )


def cleaned(value: object) -> object:
    """Text without terminal escapes; anything else as it is."""
    return formatting.clean(value) if isinstance(value, str) else value


def _defused(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(ACTIVE) else value


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)


def _estimate(estimate: Estimate) -> dict[str, float | None]:
    low, high = _ends(estimate.interval)
    return {"mean": estimate.mean, "sd": estimate.sd, "low": low, "high": high}


def _difference(group: Group, comparison: Comparison) -> dict[str, Any]:
    """What is said of the difference in the first measure; the same columns where there is none."""
    difference: Contrast | None = group.difference
    low, high = _ends(difference.interval if difference else None)
    told = ("paired", "p", "p_holm", "won", "tied", "contested", "effect", "verdict", "detectable", "further")
    return {
        "baseline": cleaned(comparison.baseline) if difference else None,
        "metric": comparison.question.measures[0].name,
        "pairs": difference.n if difference else None,
        "delta_mean": difference.mean if difference else None,
        "delta_low": low,
        "delta_high": high,
        **{name: getattr(difference, name) if difference else None for name in told},
    }


def _gate_result(result: GateResult, confidence: float) -> dict[str, Any]:
    low, high = _ends(result.interval)
    return {
        "threshold": formatting.clean(result.threshold.text),
        "outcome": result.outcome,
        "loss": formatting.clean(result.label),
        "condition": {formatting.clean(key): cleaned(value) for key, value in result.condition.items()},
        "baseline": cleaned(result.reference),
        "n": result.n,
        "diverged": result.diverged,
        "mean": result.mean,
        "low": low,
        "high": high,
        "sentence": gate_sentence(result, confidence),
    }


def _paired(pair: ImageComparison) -> dict[str, Any]:
    low, high = _ends(pair.interval)
    condition = {formatting.clean(key): cleaned(value) for key, value in pair.condition.items()}
    plain = {key: value for key, value in asdict(pair).items() if key != "interval"}
    return plain | {
        "label": formatting.clean(pair.label),
        "reference": formatting.clean(pair.reference),
        "condition": condition,
        "low": low,
        "high": high,
    }
