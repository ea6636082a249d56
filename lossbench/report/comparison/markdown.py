"""The comparison as Markdown, for a README, an issue or a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lossbench.report import formatting, wording
from lossbench.report.comparison import columns, footnotes
from lossbench.report.gate_sentences import gate_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lossbench.analysis.query import Answer
    from lossbench.report.comparison.columns import Column

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&@])")


def markdown_text(answer: Answer) -> str:
    """Return title, a table per condition with remarks on its rows, footnotes and gate results; best means are bold."""
    comparison = answer.comparison
    parts = [f"**{escaped(wording.comparison_title(comparison))}**"]
    for block in comparison.blocks:
        condition = escaped(wording.condition(comparison, block))
        table = table_text(columns.label_head(comparison), columns.table_columns(comparison), block.groups)
        parts += [condition] * bool(condition) + [table]
        left_out = footnotes.left_out_line(block)
        parts += bullets([*footnotes.labelled_remarks(comparison, block), *[left_out] * bool(left_out)])
    parts += bullets([*footnotes.legend(comparison), *footnotes.notes(comparison)])
    confidence = comparison.query.confidence
    parts += bullets(f"{result.outcome}: {gate_sentence(result, confidence)}" for result in answer.gate_results)
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return text escaped so that Markdown shows it as it is."""
    return _SPECIAL.sub(r"\\\1", text)


def table_text(head: str, every: Sequence[Column], rows: Sequence[Any]) -> str:
    """Return a table of rows that have a `label`, with the columns that take them."""
    header = [head, *(column.head for column in every)]
    rule = [":---", *("---:" if column.is_number else ":---" for column in every)]
    lines = [[escaped(formatting.clean(row.label)), *(_cell(column, row) for column in every)] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in ([*map(escaped, header)], rule, *lines))


def _cell(column: Column, row: Any) -> str:
    text, mark = escaped(column.text(row)), column.mark(row)
    return f"{f'**{text}**' if columns.is_best(mark) else text} {escaped(mark)}".rstrip()


def bullets(lines: Iterable[str]) -> list[str]:
    """Return a list as one paragraph; nothing if there are no lines."""
    items = [f"- {escaped(line)}" for line in lines]
    return ["\n".join(items)] if items else []
