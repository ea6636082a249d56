"""Gate results as a JUnit file: a test case per threshold and loss, as CI systems show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never
from xml.etree import ElementTree as ET

from lossbench.report import formatting, wording
from lossbench.report.gate_sentences import gate_sentence

if TYPE_CHECKING:
    from lossbench.analysis.gate_result import GateResult
    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Comparison


def junit_text(answer: Answer) -> str:
    """Return what failed as failures, missing evidence as errors, what is undecided as skipped; or a case per loss."""
    outcomes = [result.outcome for result in answer.gate_results]
    suite = ET.Element("testsuite", name=wording.comparison_title(answer.comparison))
    if answer.gate_results:
        for result in answer.gate_results:
            _add_result(suite, result, answer.comparison.query.confidence)
    else:
        _add_verdicts(suite, answer.comparison)
    counts = {"tests": len(suite), "failures": outcomes.count("failed"), "errors": outcomes.count("missing")}
    for name, count in {**counts, "skipped": outcomes.count("undecided")}.items():
        suite.set(name, str(count))
    ET.indent(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(suite, encoding="unicode")}\n'


def _add_result(suite: ET.Element, result: GateResult, confidence: float) -> None:
    name = f"{wording.group_name(result.label, result.condition)}: {formatting.clean(result.rule.text)}"
    case, sentence = _add_case(suite, name), gate_sentence(result, confidence)
    match result.outcome:
        case "failed":
            ET.SubElement(case, "failure", message=sentence).text = sentence
        case "missing":
            ET.SubElement(case, "error", message=sentence).text = sentence
        case "undecided":
            ET.SubElement(case, "skipped", message=sentence)
        case "passed":
            ET.SubElement(case, "system-out").text = sentence
        case unknown:
            assert_never(unknown)


def _add_verdicts(suite: ET.Element, comparison: Comparison) -> None:
    for block in comparison.blocks:
        condition = wording.condition(comparison, block)
        for group in block.groups:
            case = _add_case(suite, f"{formatting.clean(group.label)}{f' ({condition})' * bool(condition)}")
            verdict = wording.verdict(group) or "not compared"
            keys = f": {wording.unlike_keys(group.unlike)}" * bool(group.unlike)
            ET.SubElement(case, "system-out").text = verdict + keys


def _add_case(suite: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname="lossbench.compare", name=name)
