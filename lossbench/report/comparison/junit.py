"""The gate as a JUnit file: a test case for each threshold and loss, as CI systems show them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from lossbench.report import formatting, wording
from lossbench.report.comparison import gate_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossbench.analysis.gate import Finding
    from lossbench.analysis.result import Comparison
    from lossbench.report.output import Report


def render(report: Report) -> str:
    """Failed thresholds are failures, undecided ones skipped; without a gate each loss is a case with its verdict."""
    comparison, findings = report.comparison, report.findings
    cases = list(_judged(findings, comparison.question.confidence) if findings else _compared(comparison))
    counts = {
        "tests": len(cases),
        "failures": sum(finding.outcome == "failed" for finding in findings),
        "errors": 0,
        "skipped": sum(finding.outcome == "undecided" for finding in findings),
    }
    numbers = " ".join(f'{name}="{count}"' for name, count in counts.items())
    suite = f'<testsuite name="{escape(wording.title(comparison))}" {numbers}>'
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>', suite, *cases, "</testsuite>", ""])


def _judged(findings: tuple[Finding, ...], confidence: float) -> Iterator[str]:
    for finding in findings:
        sentence = escape(gate_findings.sentence(finding, confidence))
        outcome = {
            "failed": f'<failure message="{sentence}">{sentence}</failure>',
            "undecided": f'<skipped message="{sentence}"/>',
            "passed": f"<system-out>{sentence}</system-out>",
        }[finding.outcome]
        yield _case(
            f"{wording.named(finding.label, finding.condition)}: {formatting.clean(finding.threshold.text)}", outcome
        )


def _compared(comparison: Comparison) -> Iterator[str]:
    for block in comparison.blocks:
        condition = wording.condition(comparison, block)
        for group in block.groups:
            verdict = group.difference.verdict if group.difference else None
            outcome = f"<system-out>{escape(verdict or 'not compared')}</system-out>"
            yield _case(f"{formatting.clean(group.label)}{f' ({condition})' * bool(condition)}", outcome)


def _case(name: str, outcome: str) -> str:
    return f'  <testcase classname="lossbench.compare" name="{escape(name)}">{outcome}</testcase>'
