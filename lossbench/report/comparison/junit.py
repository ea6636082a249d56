"""The gate as a JUnit file: a test case for each threshold and loss, as CI systems show them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from lossbench.report import formatting, wording
from lossbench.report.comparison.gate_results import gate_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossbench.analysis.gate import GateResult
    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Comparison


def render(answer: Answer) -> str:
    """Failed thresholds are failures, undecided ones skipped; without a gate each loss is a case with its verdict."""
    comparison, gate_results = answer.comparison, answer.gate_results
    cases = list(_judged(gate_results, comparison.question.confidence) if gate_results else _compared(comparison))
    counts = {
        "tests": len(cases),
        "failures": sum(result.outcome == "failed" for result in gate_results),
        "errors": 0,
        "skipped": sum(result.outcome == "undecided" for result in gate_results),
    }
    numbers = " ".join(f'{name}="{count}"' for name, count in counts.items())
    suite = f'<testsuite name="{escape(wording.title(comparison))}" {numbers}>'
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>', suite, *cases, "</testsuite>", ""])


def _judged(gate_results: tuple[GateResult, ...], confidence: float) -> Iterator[str]:
    for result in gate_results:
        sentence = escape(gate_sentence(result, confidence))
        outcome = {
            "failed": f'<failure message="{sentence}">{sentence}</failure>',
            "undecided": f'<skipped message="{sentence}"/>',
            "passed": f"<system-out>{sentence}</system-out>",
        }[result.outcome]
        yield _case(
            f"{wording.named(result.label, result.condition)}: {formatting.clean(result.threshold.text)}", outcome
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
