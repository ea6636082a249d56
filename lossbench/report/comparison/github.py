"""The gate in the words of GitHub Actions: an annotation for each result that is not a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report.comparison.gate_results import gate_sentence

if TYPE_CHECKING:
    from lossbench.analysis.query import Answer

KINDS = {"failed": "error", "undecided": "warning"}


def render(answer: Answer) -> str:
    """`::error` for what failed, `::warning` for what is undecided."""
    confidence = answer.comparison.question.confidence
    return "".join(
        f"::{KINDS[result.outcome]} title=lossbench compare::{_escaped(gate_sentence(result, confidence))}\n"
        for result in answer.gate_results
        if result.outcome in KINDS
    )


def _escaped(message: str) -> str:
    """What a workflow command would take for its own."""
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
