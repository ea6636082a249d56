"""A comparison's tables as HTML: in the page, and in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import formatting, wording
from lossbench.report.comparison import columns, footnotes
from lossbench.report.comparison.columns import Column
from lossbench.report.page.html import Html, element, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lossbench.analysis.result import Block, Comparison, Group

REMARKS = "remarks"


def notebook_html(comparison: Comparison) -> Html:
    """Return title, a table per condition and notes, without a page around them."""
    tables = (block_table(comparison, block, wording.condition(comparison, block)) for block in comparison.blocks)
    notes = bullet_list([*footnotes.legend(comparison), *footnotes.notes(comparison)])
    return joined([element("p", element("strong", wording.comparison_title(comparison))), *tables, notes])


def block_table(comparison: Comparison, block: Block, name: str, csv: Sequence[str] = ()) -> Html:
    """Return the table of one condition, a row per loss.

    Args:
        comparison: The comparison.
        block: The condition.
        name: The title of the condition.
        csv: The table as lines of CSV, the heads first, which the page's script copies; none for a table without it.
    """
    every = [*columns.table_columns(comparison), *_remarks(comparison)]
    lines: Sequence[str | None] = csv or [None] * (1 + len(block.groups))
    heads = [
        element("th", columns.label_head(comparison), scope="col"),
        *(element("th", column.head, scope="col", class_=_side(column)) for column in every),
    ]
    rows = [
        element("tr", _name(group), *(_cell(column, group) for column in every), data_csv=line)
        for group, line in zip(block.groups, lines[1:], strict=True)
    ]
    best = "* marks the best mean" if any(group.best for group in block.groups) else ""
    return element(
        "table",
        element("caption", ": ".join(filter(None, (name, best)))),
        element("thead", element("tr", *heads)),
        element("tbody", *rows),
        data_csv=lines[0],
    )


def _remarks(comparison: Comparison) -> list[Column]:
    """Return the column of remarks, if a row has one."""
    column = Column((REMARKS,), lambda group: "; ".join(footnotes.remarks(comparison, group)), is_number=False)
    groups = (group for block in comparison.blocks for group in block.groups)
    return [column] if any(map(column.text, groups)) else []


def bullet_list(lines: Iterable[str]) -> Html:
    """Return lines as a list; nothing if there are none."""
    items = [element("li", line) for line in lines]
    return element("ul", *items) if items else Html()


def _name(group: Group) -> Html:
    return element("th", formatting.clean(group.label), scope="row")


def _cell(column: Column, group: Group) -> Html:
    mark = column.mark(group)
    best = "best" if mark == columns.BEST else None
    return element("td", f"{column.text(group)} {mark}".strip(), class_=best or _side(column))


def _side(column: Column) -> str | None:
    return None if column.is_number else "word remark" if column.head == REMARKS else "word"
