r"""The comparison as a LaTeX table for a paper: booktabs, best means bold, notes below.

The document needs `\usepackage{booktabs}` and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import formatting, wording
from lossbench.report.comparison import columns, footnotes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Block, Comparison, Group
    from lossbench.report.comparison.columns import Column

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ω": "omega", "Δ": "Delta",
}  # fmt: skip
_ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "^": r"\textasciicircum{}",
    "_": r"\_", "~": r"\textasciitilde{}", "%": r"\%", "<": "$<$", ">": "$>$", "|": "$|$", '"': "''",
    "±": r"$\pm$", "−": "$-$", "†": r"\dag{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "·": r"$\cdot$", "–": "--",
    "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$",
    **{letter: rf"$\{name}$" for letter, name in _GREEK.items()},
}  # fmt: skip
_LAST_LATIN = "ÿ"


def latex_text(answer: Answer) -> str:
    """Return a `table` of an article's width: the first metric with its differences, below it the other metrics."""
    comparison = answer.comparison
    every = [column for column in columns.table_columns(comparison) if _has_room(column, comparison)]
    tables = [[column for column in every if column.is_core is core] for core in (True, False)]
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering\scriptsize\setlength{\tabcolsep}{2pt}",
            rf"\caption{{{escaped(wording.comparison_title(comparison))}}}",
            *(line for table in tables if table for line in _tabular(comparison, table)),
            *(rf"\par {escaped(note)}." for note in _notes(comparison)),
            r"\end{table}",
            "",
        ]
    )


def _has_room(column: Column, comparison: Comparison) -> bool:
    """Return whether a column is shown: a page is too narrow for the interval of the mean and the seeds won."""
    return column.heads != ("won",) and column.below != formatting.metric_head(comparison.query.metrics[0])


def _tabular(comparison: Comparison, table: list[Column]) -> Iterator[str]:
    yield rf"\begin{{tabular}}{{l{''.join('r' if column.is_number else 'l' for column in table)}}}"
    yield r"\toprule"
    yield " & ".join(map(escaped, [columns.label_head(comparison), *(column.head for column in table)])) + r" \\"
    for block in comparison.blocks:
        yield from _block(comparison, block, table)
    yield r"\bottomrule"
    yield r"\end{tabular}\par\medskip"


def escaped(text: str) -> str:
    """Return text escaped so that LaTeX sets it as it is; letters beyond Latin, which fonts may lack, become `?`."""
    return "".join(_ESCAPES.get(each, each if each <= _LAST_LATIN else "?") for each in text)


def _block(comparison: Comparison, block: Block, table: list[Column]) -> Iterator[str]:
    yield r"\midrule"
    if condition := wording.condition(comparison, block):
        yield rf"\multicolumn{{{len(table) + 1}}}{{l}}{{\emph{{{escaped(condition)}}}}} \\"
    for group in block.groups:
        cells = [escaped(formatting.clean(group.label)), *(_cell(column, group) for column in table)]
        yield " & ".join(cells) + r" \\"


def _cell(column: Column, group: Group) -> str:
    text, mark = escaped(column.text(group)), column.mark(group)
    if column.heads == ("n",):
        return escaped(wording.run_counts(group))
    return rf"\textbf{{{text}}}" if mark == columns.BEST else text + escaped(mark)


def _notes(comparison: Comparison) -> Iterator[str]:
    unlike = wording.unlike_groups(group for block in comparison.blocks for group in block.groups)
    for line in (
        *footnotes.legend(comparison, with_remarks=False),
        *[unlike] * bool(unlike),
        *footnotes.notes(comparison),
    ):
        yield line.replace(f"{columns.BEST} best", "Bold: best")
