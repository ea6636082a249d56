"""A sentence per gate result: which loss, what was found, and which threshold or requirement that concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.analysis.gate import FEWEST_SEEDS
from lossbench.analysis.gate_result import Requirement
from lossbench.analysis.thresholds import CountThreshold, Threshold
from lossbench.report import formatting, wording
from lossbench.report.comparison import seed_notes
from lossbench.report.formatting import clean, count_of
from lossbench.statistics import FEWEST_SEEDS as VERDICT_SEEDS

if TYPE_CHECKING:
    from lossbench.analysis.gate_result import GateResult, Reason
    from lossbench.analysis.query import Answer

MISSING = "missing evidence"
DECISIONS: dict[Reason, str] = {
    "beyond": "wholly beyond the threshold",
    "within": "wholly within the threshold",
    "noise": "too noisy: on both sides of the threshold",
    "few seeds": f"fewer than the {FEWEST_SEEDS} needed",
    "new": "not in the baseline in this condition",
}
"""What a value says of its threshold, by the reason of a result."""


def gate_sentence(result: GateResult, confidence: float) -> str:
    """Return a gate result in a sentence: which loss, by how much, the interval, the threshold."""
    name = wording.group_name(result.label, result.condition)
    return f"{name}: {_finding(result, confidence)}: {clean(result.rule.text)}"


def fewest_seeds(answer: Answer) -> str:
    """Return why a threshold fails or passes with fewer seeds than a verdict needs; empty if none does."""
    is_judged = any(result.reason in {"beyond", "within"} for result in answer.gate_results)
    if not (is_judged and any(seed_notes.too_few(answer.comparison))):
        return ""
    interval = f"{formatting.percent(answer.comparison.query.confidence)} interval"
    return (
        f"the gate uses the {interval}, from {FEWEST_SEEDS} seeds on; a verdict needs p, from {VERDICT_SEEDS} seeds on"
    )


def _finding(result: GateResult, confidence: float) -> str:
    rule = result.rule
    if result.outcome == "missing":
        return f"{MISSING}, {_missing(result)}"
    if isinstance(rule, Requirement):
        return f"{count_of(result.n, 'seed')} completed"
    if isinstance(rule, CountThreshold):
        return f"{count_of(int(result.mean or 0), 'run')} {rule.count}"
    if result.reason == "runs":
        return f"{_lost(result)}, which fails every threshold"
    undecided = "undecided, " * (result.outcome == "undecided")
    measured = "" if result.mean is None else f"{_measured(result, rule, confidence)}, "
    return f"{undecided}{measured}{DECISIONS[result.reason]}"


def _missing(result: GateResult) -> str:
    """Return which evidence is missing."""
    baseline = clean(result.reference or "the baseline")
    title = result.rule.metric.title if isinstance(result.rule, Threshold) else ""
    sentences: dict[Reason, str] = {
        "unlike": f"{wording.NOT_ALIKE} (baseline / loss): {wording.unlike_keys(result.unlike)}",
        "unfinished": f"{count_of(result.unfinished, 'run')} unfinished",
        "no run": f"no run{result.hint}",
        "no reference": "no run of the baseline in this condition",
        "reference runs": f"{baseline} has runs that failed or are unfinished",
        "no pair": f"no seed in common with {baseline}",
        "no value": f"a completed run has no {title}",
        "alone": "no other loss to compare with it",
        "seeds": _seeds(result),
    }
    return sentences[result.reason]


def _seeds(result: GateResult) -> str:
    """Return how many of the required seeds there are, which are not, and what became of the runs."""
    required = result.rule.seeds if isinstance(result.rule, Requirement) else 0
    found = f"{result.n} of {count_of(required, 'seed')} completed" if required else "no completed run"
    which = f"; without seed{'s' * (len(result.seeds) > 1)} {formatting.seeds(result.seeds)}" * bool(result.seeds)
    lost = _lost(result)
    return f"{found}{which}{f' ({lost})' * bool(lost)}"


def _lost(result: GateResult) -> str:
    """Return the runs without a result in words: `2 runs diverged, 1 run failed`."""
    counts = {"diverged": result.diverged, "failed": result.failed, "unfinished": result.unfinished}
    return ", ".join(f"{count_of(count, 'run')} {status}" for status, count in counts.items() if count)


def _measured(result: GateResult, rule: Threshold, confidence: float) -> str:
    """Return the value, its interval, the reference and the number of seeds."""
    metric = rule.metric
    text, ends = formatting.value(metric, result.mean), formatting.interval(metric, result.interval)
    unit = " %" if metric.in_percent else ""
    if rule.is_delta:
        text, unit = formatting.with_sign(metric, result.mean or 0), f" {formatting.unit(metric)}".rstrip()
        ends = formatting.signed_interval(metric, result.interval)
    interval = f" ({formatting.percent(confidence)} interval {ends})" * bool(result.interval)
    against = f" against {clean(result.reference)}" if result.reference else ""
    return f"{metric.title} {text}{unit}{interval}{against} over {count_of(result.n, 'seed')}"
