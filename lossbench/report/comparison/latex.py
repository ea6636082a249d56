r"""The comparison as a LaTeX table for a paper: booktabs, best means bold, notes below.

The document needs `\usepackage{booktabs}` and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.report import formatting, wording
from lossbench.report.comparison import columns, footnotes, tuned_notes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Comparison
    from lossbench.report.comparison.columns import Column

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ω": "omega", "Δ": "Delta",
}  # fmt: skip
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "^": r"\textasciicircum{}",
    "_": r"\_", "~": r"\textasciitilde{}", "%": r"\%", "<": "$<$", ">": "$>$", "|": "$|$", '"': "''",
    "±": r"$\pm$", "−": "$-$", "†": r"\dag{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "·": r"$\cdot$", "–": "--",
    "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$",
    **{letter: rf"$\{name}$" for letter, name in _GREEK.items()},
}  # fmt: skip
_LAST_LATIN = "ÿ"

TABULAR_END = (r"\bottomrule", r"\end{tabular}\par\medskip")


def latex_text(answer: Answer) -> str:
    """Return a `table` of an article's width: the first metric with its differences, below it the other metrics."""
    comparison = answer.comparison
    every = [column for column in columns.table_columns(comparison) if _has_room(column, comparison)]
    tables = [[column for column in every if column.is_core is core] for core in (True, False)]
    lines = [line for table in tables if table for line in _tabular(comparison, table)]
    unlike = wording.unlike_groups(group for block in comparison.blocks for group in block.groups)
    notes = (
        *footnotes.legend(comparison, with_remarks=False),
        *[unlike] * bool(unlike),
        *footnotes.notes(comparison, with_tuning=False),
    )
    return float_text(answer, wording.comparison_title(comparison), lines, notes)


def float_text(answer: Answer, title: str, lines: Iterable[str], notes: Iterable[str]) -> str:
    """Return a `table` with caption, label, tabulars and notes; what was tuned follows it as comments.

    Args:
        answer: The comparison, with the user's caption and label.
        title: The caption if the user gives none.
        lines: The lines of the tabulars.
        notes: Sentences below them.
    """
    chosen = (*footnotes.tuning_notes(answer.comparison), *tuned_notes.choices(answer.comparison))
    comments = [formatting.clean(line) for line in chosen]
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering\scriptsize\setlength{\tabcolsep}{2pt}",
            rf"\caption{{{escaped(formatting.clean(answer.caption or title))}}}",
            *([rf"\label{{{answer.latex_label}}}"] if answer.latex_label else []),
            *lines,
            *(rf"\par {escaped(note.replace(f'{columns.BEST} best', 'Bold: best'))}." for note in notes),
            r"\end{table}",
            *(f"% {line.encode('ascii', 'replace').decode()}" for line in comments),
            "",
        ]
    )


def _has_room(column: Column, comparison: Comparison) -> bool:
    """Return whether a column is shown: a page is too narrow for the interval of the mean and the seeds won."""
    return column.heads != ("won",) and column.below != formatting.metric_head(comparison.query.metrics[0])


def _tabular(comparison: Comparison, table: Sequence[Column]) -> Iterator[str]:
    yield from tabular_begin(table)
    yield head_line(columns.label_head(comparison), table)
    for block in comparison.blocks:
        yield r"\midrule"
        if condition := wording.condition(comparison, block):
            yield heading_line(condition, table)
        yield from (row_line(group, table) for group in block.groups)
    yield from TABULAR_END


def tabular_begin(table: Sequence[Column]) -> Iterator[str]:
    """Yield the first lines of a tabular: a column for labels, then those of the table."""
    yield rf"\begin{{tabular}}{{l{''.join('r' if column.is_number else 'l' for column in table)}}}"
    yield r"\toprule"


def head_line(head: str, table: Sequence[Column]) -> str:
    """Return the line of titles."""
    return " & ".join(map(escaped, [head, *(column.head for column in table)])) + r" \\"


def heading_line(text: str, table: Sequence[Column]) -> str:
    """Return a line across all columns, such as a condition."""
    return rf"\multicolumn{{{len(table) + 1}}}{{l}}{{\emph{{{escaped(text)}}}}} \\"


def row_line(row: Any, table: Sequence[Column]) -> str:
    """Return the line of a row, which has a `label`."""
    return " & ".join([escaped(formatting.clean(row.label)), *(_cell(column, row) for column in table)]) + r" \\"


def escaped(text: str) -> str:
    """Return text escaped so that LaTeX sets it as it is; letters beyond Latin, which fonts may lack, become `?`."""
    return "".join(_ESCAPES.get(each, each if each <= _LAST_LATIN else "?") for each in text)


def _cell(column: Column, row: Any) -> str:
    text, mark = escaped(column.text(row)), column.mark(row)
    if column.heads == ("n",):
        return escaped(wording.run_counts(row))
    rest = "".join(
        rf"\textsuperscript{{{escaped(each)}}}" if each in columns.VERDICT_MARKS.values() else escaped(each)
        for each in mark.removeprefix(columns.BEST)
    )
    return (rf"\textbf{{{text}}}" if columns.is_best(mark) else text) + rest
