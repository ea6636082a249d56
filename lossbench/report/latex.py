r"""The comparison as a LaTeX table, ready for a paper: booktabs, best means bold, notes below.

The document needs `\usepackage{booktabs}` and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import columns, sentences, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossbench.analysis.records import Block, Comparison, Group
    from lossbench.report.columns import Column
    from lossbench.report.output import Report

_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "^": r"\textasciicircum{}",
    "_": r"\_", "~": r"\textasciitilde{}", "%": r"\%", "<": "$<$", ">": "$>$", "|": "$|$", '"': "''",
    "±": r"$\pm$", "−": "$-$", "Δ": r"$\Delta$", "†": r"\dag{}", "·": r"$\cdot$", "–": "--", "γ": r"$\gamma$",
}  # fmt: skip
_LAST_LATIN = "ÿ"


def render(report: Report) -> str:
    """A `table` with all conditions, each under a line of its own; caption, legend and notes."""
    comparison = report.comparison
    every = columns.columns(comparison)
    head = " · ".join(map(words.clean, comparison.question.by))
    alignment = "l" + "".join("r" if column.is_number else "l" for column in every)
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering\scriptsize\setlength{\tabcolsep}{3pt}",
            rf"\caption{{{escaped(sentences.title(comparison))}}}",
            rf"\begin{{tabular}}{{{alignment}}}",
            r"\toprule",
            " & ".join(map(escaped, [head, *(column.head for column in every)])) + r" \\",
            *(line for block in comparison.blocks for line in _block(comparison, block, every)),
            r"\bottomrule",
            r"\end{tabular}",
            *(rf"\par {escaped(note)}." for note in _notes(comparison)),
            r"\end{table}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Text that LaTeX sets as it is; a letter beyond Latin, which its fonts may lack, becomes a question mark."""
    return "".join(_ESCAPES.get(each, each if each <= _LAST_LATIN else "?") for each in text)


def _block(comparison: Comparison, block: Block, every: list[Column]) -> Iterator[str]:
    yield r"\midrule"
    if condition := sentences.condition(comparison, block):
        yield rf"\multicolumn{{{len(every) + 1}}}{{l}}{{\emph{{{escaped(condition)}}}}} \\"
    for group in block.groups:
        cells = [escaped(words.clean(group.label)), *(_cell(column, group) for column in every)]
        yield " & ".join(cells) + r" \\"


def _cell(column: Column, group: Group) -> str:
    text, mark = escaped(column.text(group)), column.mark(group)
    if column.heads == ("n",):
        return escaped(columns.counts(group))
    return rf"\textbf{{{text}}}" if mark == columns.BEST else text + escaped(mark)


def _notes(comparison: Comparison) -> Iterator[str]:
    for line in (*sentences.legend(comparison, with_remarks=False), *sentences.notes(comparison)):
        yield line.replace(f"{columns.BEST} best", "Bold: best")
