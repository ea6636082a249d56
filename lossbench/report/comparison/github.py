"""The gate in the words of GitHub Actions: an annotation for each finding that is not a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report.comparison import gate_findings

if TYPE_CHECKING:
    from lossbench.report.output import Report

KINDS = {"failed": "error", "undecided": "warning"}


def render(report: Report) -> str:
    """`::error` for what failed, `::warning` for what is undecided."""
    confidence = report.comparison.question.confidence
    return "".join(
        f"::{KINDS[finding.outcome]} title=lossbench compare::{_escaped(gate_findings.sentence(finding, confidence))}\n"
        for finding in report.findings
        if finding.outcome in KINDS
    )


def _escaped(message: str) -> str:
    """What a workflow command would take for its own."""
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
