"""The comparison as Markdown, for a README, an issue or a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lossbench.report import formatting, wording
from lossbench.report.comparison import columns, footnotes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Block, Comparison, Group
    from lossbench.report.comparison.columns import Column

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&@])")


def markdown_text(answer: Answer) -> str:
    """Return title, a table per condition with remarks on its rows, footnotes and gate results; best means are bold."""
    comparison = answer.comparison
    parts = [f"**{escaped(wording.comparison_title(comparison))}**"]
    for block in comparison.blocks:
        condition = escaped(wording.condition(comparison, block))
        parts += [condition] * bool(condition) + [_table(comparison, block)]
        left_out = footnotes.left_out_line(block)
        parts += _list([*footnotes.labelled_remarks(comparison, block), *[left_out] * bool(left_out)])
    parts += _list([*footnotes.legend(comparison), *footnotes.notes(comparison)])
    confidence = comparison.query.confidence
    parts += _list(f"{result.outcome}: {wording.gate_sentence(result, confidence)}" for result in answer.gate_results)
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return text escaped so that Markdown shows it as it is."""
    return _SPECIAL.sub(r"\\\1", text)


def _table(comparison: Comparison, block: Block) -> str:
    every = columns.table_columns(comparison)
    header = [columns.label_head(comparison), *(column.head for column in every)]
    rule = [":---", *("---:" if column.is_number else ":---" for column in every)]
    rows = [
        [escaped(formatting.clean(group.label)), *(_cell(column, group) for column in every)] for group in block.groups
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in ([*map(escaped, header)], rule, *rows))


def _cell(column: Column, group: Group) -> str:
    text, mark = escaped(column.text(group)), column.mark(group)
    return f"**{text}** \\*" if mark == columns.BEST else f"{text} {mark}".rstrip()


def _list(lines: Iterable[str]) -> list[str]:
    items = [f"- {escaped(line)}" for line in lines]
    return ["\n".join(items)] if items else []
