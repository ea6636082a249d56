"""Gate results as workflow commands of GitHub Actions: an annotation for each one that did not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report.gate_sentences import gate_sentence

if TYPE_CHECKING:
    from lossbench.analysis.query import Answer

COMMANDS = {"failed": "error", "missing": "error", "undecided": "warning"}


def github_text(answer: Answer) -> str:
    """Return `::error` for what failed or has no evidence, `::warning` for what is undecided."""
    confidence = answer.comparison.query.confidence
    return "".join(
        f"::{COMMANDS[result.outcome]} title=lossbench compare::{_escaped(gate_sentence(result, confidence))}\n"
        for result in answer.gate_results
        if result.outcome in COMMANDS
    )


def _escaped(message: str) -> str:
    """Escape the characters that have a meaning in a workflow command."""
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
