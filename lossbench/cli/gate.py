"""The end of a command with a gate: its sentences on stderr, and its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.cli import console
from lossbench.errors import GateFailedError, UndecidedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.analysis.gate_result import GateOutcome, GateResult
    from lossbench.analysis.query import Answer

OUTCOMES: dict[GateOutcome, str] = {
    "failed": "failed",
    "missing": "without evidence",
    "undecided": "undecided",
    "passed": "passed",
}
"""The outcomes in words, the worst first."""


def check_strict(thresholds: Sequence[str] | None, *, strict: bool) -> None:
    """Raise a `UsageError` if `strict` has no threshold that could be undecided."""
    if strict and not thresholds:
        raise UsageError("needs a threshold; add `thresholds`", parameter="strict", mentions=("thresholds",))


def has_failed(gate_results: Sequence[GateResult]) -> bool:
    """Return whether a threshold failed or evidence is missing."""
    return any(result.outcome in {"failed", "missing"} for result in gate_results)


def report(answer: Answer, *, strict: bool) -> None:
    """Print the gate's results, and exit with its code.

    Raises:
        GateFailedError: A threshold failed, or evidence is missing.
        UndecidedError: Nothing failed, but a threshold is undecided, and `strict` is true.
    """
    from lossbench.report.gate_sentences import fewest_seeds, gate_sentence

    gate_results, confidence = answer.gate_results, answer.comparison.query.confidence
    sentences = {
        outcome: [gate_sentence(result, confidence) for result in gate_results if result.outcome == outcome]
        for outcome in OUTCOMES
    }
    if gate_results:
        counts = ", ".join(f"{len(lines)} {OUTCOMES[outcome]}" for outcome, lines in sentences.items() if lines)
        console.note(f"gate: {counts}")
    if note := fewest_seeds(answer):
        console.note(note)
    if strict and sentences["undecided"] and not has_failed(gate_results):
        raise UndecidedError("\n".join(sentences["undecided"]))
    for line in sentences["undecided"]:
        console.note(f"warning: {line}")
    if has_failed(gate_results):
        raise GateFailedError("\n".join([*sentences["failed"], *sentences["missing"]]))
