"""A comparison and its runs as records for programs, every number unrounded."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lossbench.json_data import to_json
from lossbench.report import formatting, wording
from lossbench.report.comparison import footnotes, tuned_notes
from lossbench.report.gate_sentences import gate_sentence
from lossbench.statistics import FEWEST_SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.analysis.gate_result import GateResult
    from lossbench.analysis.images import ImageComparison
    from lossbench.analysis.query import Answer, Query
    from lossbench.analysis.result import Comparison, Group, RecordedPlan
    from lossbench.runs.rows import RunRow
    from lossbench.statistics import Interval

CONTRAST = (
    *("paired", "p", "p_adjusted", "adjustment", "won", "tied", "contested"),
    *("effect", "verdict", "detectable", "further"),
)
"""The fields of a contrast that a record has under their own names; `verdict` is `not alike` where there is none."""

NO_NAMES: Mapping[str, str] = MappingProxyType({})

ACTIVE = ("=", "+", "-", "@", "\t", "\r")
"""First characters of what a spreadsheet takes for a formula."""


def display_name(label: str, names: Mapping[str, str]) -> dict[str, str]:
    """Return the field for a display name; nothing if no loss has one."""
    return {"display_name": names.get(label, label)} if names else {}


def group_records(comparison: Comparison, names: Mapping[str, str] = NO_NAMES) -> list[dict[str, Any]]:
    """Return a record per group and condition: what it is, its contrast with the baseline, its metrics.

    Args:
        comparison: The comparison.
        names: Display names by label; records have them beside the labels if there are any.
    """
    return [
        without_escapes(
            {
                "loss": group.label,
                **display_name(group.label, names),
                **block.condition,
                "n": group.n,
                "diverged": len(group.diverged),
                "failed": group.failed,
                "unfinished": group.unfinished,
                **_contrast(group, comparison),
                **_estimates(group),
                "link": group.link,
                "at": comparison.query.at,
                "seeds": list(group.seeds),
                "unlike": {each.key: [each.reference, each.value] for each in group.unlike},
                "look": group.difference.look if group.difference else None,
                "delta_interval": group.difference.interval_method if group.difference else None,
                **({"tuned": tuned_notes.columns(group)} if comparison.tunings else {}),
            }
        )
        for block in comparison.blocks
        for group in block.groups
    ]


def comparison_csv(answer: Answer) -> str:
    """Return the groups as CSV; shares between 0 and 1, seeds separated by blanks, missing values empty."""
    return to_csv(_flat_records(answer.comparison, answer.names))


def csv_by_block(comparison: Comparison) -> list[list[str]]:
    """Return the lines of `comparison_csv` per block, each with the line of the heads first."""
    head, *lines = to_csv(_flat_records(comparison)).removesuffix("\n").split("\n")
    rest = iter(lines)
    return [[head, *(next(rest) for _ in block.groups)] for block in comparison.blocks]


def _flat_records(comparison: Comparison, names: Mapping[str, str] = NO_NAMES) -> list[dict[str, Any]]:
    """Return the records of the groups, with a text or a number in each field."""
    every = [group for block in comparison.blocks for group in block.groups]
    return [
        record
        | {"seeds": " ".join(map(str, record["seeds"])), "unlike": wording.unlike_keys(group.unlike)}
        | ({"tuned": tuned_notes.chosen_values(group.tuned) if group.tuned else ""} if "tuned" in record else {})
        for record, group in zip(group_records(comparison, names), every, strict=True)
    ]


def comparison_json(answer: Answer) -> str:
    """Return the groups with their values by seed, the notes, the gate's results, the images, the unread folders."""
    comparison = answer.comparison
    every = [group for block in comparison.blocks for group in block.groups]
    records = [
        record | {"values": {name: dict(each.values) for name, each in group.metrics.items() if each.values}}
        for record, group in zip(group_records(comparison, answer.names), every, strict=True)
    ]
    return to_json(
        {
            **head(comparison),
            "groups": records,
            **tail(answer),
            "images": [_image_record(each) for each in answer.image_comparisons],
        }
    )


def tail(answer: Answer) -> dict[str, Any]:
    """Return what belongs to a comparison beside its groups: notes, gate results, folders that cannot be read."""
    comparison = answer.comparison
    return {
        "notes": list(footnotes.notes(comparison)),
        "gate": [_gate_record(each, comparison.query.confidence) for each in answer.gate_results],
        "broken": [without_escapes({"folder": str(each.folder), "reason": each.reason}) for each in answer.broken],
    }


def head(comparison: Comparison) -> dict[str, Any]:
    """Return what all records of a comparison have in common."""
    return {
        "title": wording.comparison_title(comparison),
        "metric": comparison.query.metrics[0].name,
        "baseline": without_escapes(comparison.baseline),
        "confidence": comparison.query.confidence,
        "comparisons": comparison.comparisons,
        "fewest_seeds": FEWEST_SEEDS,
        "plans": [_plan_record(each) for each in comparison.plans],
        **({"tunings": list(map(tuned_notes.record, comparison.tunings))} if comparison.tunings else {}),
    }


def _plan_record(plan: RecordedPlan) -> dict[str, Any]:
    """Return the plan that a sweep recorded, and why it does not apply."""
    decision = plan.decision
    record = {
        "folder": plan.folder,
        "version": decision.version,
        "metric": decision.metric,
        "baseline": decision.baseline,
        **asdict(decision.plan),
        "comparisons": len(decision.comparisons),
        "next_look": decision.pending.seeds if decision.pending else None,
        "reasons": [formatting.clean(each) for each in plan.reasons],
    }
    return {key: without_escapes(value) for key, value in record.items()}


def comparison_json_lines(answer: Answer) -> str:
    """Return the groups as JSON, one per line."""
    return "".join(to_json(record, indent=None) for record in group_records(answer.comparison, answer.names))


def runs_csv(rows: Sequence[RunRow], _: Query) -> str:
    """Return single runs as CSV."""
    return to_csv(_run_records(rows))


def runs_json(rows: Sequence[RunRow], _: Query) -> str:
    """Return single runs as one list."""
    return to_json(_run_records(rows))


def runs_json_lines(rows: Sequence[RunRow], _: Query) -> str:
    """Return single runs as JSON, one per line."""
    return "".join(to_json(record, indent=None) for record in _run_records(rows))


def _run_records(rows: Sequence[RunRow]) -> list[dict[str, Any]]:
    """Return a record per run, all with the same columns."""
    keys = dict.fromkeys(key for row in rows for key in ("loss", "seed", "status", "folder", *row))
    return [without_escapes({key: row.get(key) for key in keys}) for row in rows]


def ends(interval: Interval | None, prefix: str = "") -> dict[str, float | None]:
    """Return the ends of an interval as fields; None where there is none."""
    low, high = interval or (None, None)
    return {f"{prefix}low": low, f"{prefix}high": high}


def _estimates(group: Group) -> Mapping[str, float | None]:
    return {
        f"{name}_{field}": value
        for name, each in group.metrics.items()
        for field, value in {"mean": each.mean, "sd": each.sd, **ends(each.interval)}.items()
    }


def _contrast(group: Group, comparison: Comparison) -> dict[str, Any]:
    """Return the contrast in the first metric; the same columns where there is none."""
    contrast = group.difference
    return {
        "baseline": comparison.baseline if contrast or group.unlike else None,
        "metric": comparison.query.metrics[0].name,
        "pairs": contrast.n if contrast else None,
        "delta_mean": contrast.mean if contrast else None,
        **ends(contrast.interval if contrast else None, "delta_"),
        **{name: getattr(contrast, name, None) for name in CONTRAST},
        "verdict": wording.verdict(group) or None,
    }


def _gate_record(result: GateResult, confidence: float) -> dict[str, Any]:
    record = {
        "threshold": result.rule.text,
        "outcome": result.outcome,
        "reason": result.reason,
        "loss": result.label,
        "condition": dict(result.condition),
        "baseline": result.reference,
        "n": result.n,
        "diverged": result.diverged,
        "failed": result.failed,
        "unfinished": result.unfinished,
        "unlike": {each.key: [each.reference, each.value] for each in result.unlike},
        "mean": result.mean,
        **ends(result.interval),
    }
    return {**without_escapes(record), "sentence": gate_sentence(result, confidence)}


def _image_record(pair: ImageComparison) -> dict[str, Any]:
    record = {key: value for key, value in asdict(pair).items() if key != "interval"}
    named = {"label": pair.label, "reference": pair.reference, "condition": dict(pair.condition)}
    return {**record, **without_escapes(named), **ends(pair.interval)}


def to_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as CSV below their heads."""
    return table_csv([list(records[0]), *(list(record.values()) for record in records)])


def table_csv(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV; text that a spreadsheet would take for a formula has an apostrophe before it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(_without_formula, row) for row in rows)
    return text.getvalue()


def without_escapes(value: Any) -> Any:
    """Return text without terminal escapes, also in the keys and values of a mapping; anything else as it is."""
    match value:
        case str():
            return formatting.clean(value)
        case dict():
            return {formatting.clean(key): without_escapes(item) for key, item in value.items()}
    return value


def _without_formula(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(ACTIVE) else value
