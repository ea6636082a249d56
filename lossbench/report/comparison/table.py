"""The comparison as a table for a terminal, complete at any width: one table if there is room, else several."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lossbench.report import formatting, wording
from lossbench.report.comparison import columns, footnotes, images
from lossbench.report.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text

    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Comparison, Group
    from lossbench.report.comparison.columns import Column

LOSS_AT_LEAST, LOSS_AT_MOST = 24, 44
"""Limits of the width to which labels are wrapped to make room for numbers."""

STYLES = {"better": "green", "worse": "red", "equivalent": "cyan", "identical": "cyan"}


def comparison_screen(answer: Answer) -> RenderableType:
    """Return the table of a comparison, then the paragraphs on images."""
    from rich.console import Group as Parts

    table, pairs = ComparisonTable(answer.comparison), answer.image_comparisons
    if not pairs:
        return table
    confidence = answer.comparison.query.confidence
    paragraphs = Screen(lambda width: "\n".join(["", *images.image_lines(pairs, confidence, width)]).rstrip())
    return Parts(table, paragraphs)


class ComparisonTable:
    """A comparison that rich prints at the width of its console: title, tables per condition, footnotes."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the parts from top to bottom."""
        from rich.text import Text

        comparison, width = self.comparison, options.max_width
        pages = _pages(comparison, width)
        yield Text(formatting.fill(wording.comparison_title(comparison), width, " · "), style="bold")
        for block in comparison.blocks:
            yield Text("")
            if condition := wording.condition(comparison, block):
                yield Text(formatting.fill(condition, width, " · "), style="cyan")
            for number, page in enumerate(pages):
                yield from [Text("")] * bool(number)
                yield from page.lines(comparison, block.groups, width, with_remarks=number == 0)
            if left_out := footnotes.left_out_line(block):
                yield Text(left_out, style="dim")
        notes = [*footnotes.legend(comparison), *footnotes.notes(comparison)]
        if notes:
            lines = (textwrap.fill(note, width, subsequent_indent="  ") for note in notes)
            yield Text("\n".join(["", *lines]), style="dim")


@dataclass(frozen=True)
class _Stack:
    """Columns placed one below the other.

    Attributes:
        columns: The columns, the topmost first.
        width: The width that they share.
        tail: The part of the width for a standard deviation.
        marked: Whether there is a place for marks after it.
    """

    columns: tuple[Column, ...]
    width: int = 0
    tail: int = 0
    marked: bool = False

    @property
    def heads(self) -> list[str]:
        """Return the titles, one per line; a scaled column says `scaled` below its parent's title."""
        top, *below = self.columns
        return [*top.heads, *(column.head.removeprefix(f"{top.head} ") for column in below)]

    def text(self, column: Column, group: Group) -> str:
        """Return a column's text, with blanks for a missing deviation so that decimal points stay in line."""
        text = column.text(group)
        return text + " " * self.tail if column.is_estimate and " ± " not in text else text

    def cell(self, group: Group) -> list[tuple[str, str]]:
        """Return the lines of a group's cell, each as wide as the stack, with their styles."""
        lines = []
        for column in self.columns:
            text, mark = self.text(column, group), column.mark(group)
            padded = text.rjust(self.width) if column.is_number else (text + mark).ljust(self.width + self.marked)
            style = "bold" if mark == columns.BEST else STYLES.get(text, "")
            lines.append((padded + mark.ljust(self.marked) * column.is_number, style))
        return lines


@dataclass(frozen=True)
class _Page:
    """One table: the width of its labels, the gap between columns, the head of the labels, and the stacks."""

    label: int
    gap: int
    head: str
    stacks: tuple[_Stack, ...]

    @property
    def width(self) -> int:
        """Return the width of a line."""
        return self.label + sum(self.gap + stack.width + stack.marked for stack in self.stacks)

    def lines(
        self, comparison: Comparison, groups: Sequence[Group], width: int, *, with_remarks: bool
    ) -> Iterator[Text]:
        """Yield header, rule, and the lines of each group with its remarks."""
        from rich.text import Text

        heads = [[(self._padded_head(line, stack), "bold") for line in stack.heads] for stack in self.stacks]
        height = max(map(len, heads))
        padded = [[(" " * len(each[0][0]), "")] * (height - len(each)) + each for each in heads]
        yield from self._row([""] * (height - 1) + [self.head], padded, "bold")
        yield Text("─" * self.width)
        for group in groups:
            cells = [stack.cell(group) for stack in self.stacks]
            yield from self._row(formatting.wrap_label(formatting.clean(group.label), self.label), cells, "")
            for remark in footnotes.remarks(comparison, group) if with_remarks else ():
                yield Text(textwrap.fill(remark, width, initial_indent="  ", subsequent_indent="  "), style="dim")

    def _padded_head(self, head: str, stack: _Stack) -> str:
        return head.rjust(stack.width) + " " * stack.marked if stack.columns[0].is_number else head.ljust(stack.width)

    def _row(self, label: Sequence[str], cells: Sequence[Sequence[tuple[str, str]]], style: str) -> Iterator[Text]:
        from rich.text import Text

        for number in range(max(len(label), *map(len, cells))):
            parts = [((label[number] if number < len(label) else "").ljust(self.label), style)]
            for cell in cells:
                parts.append((" " * self.gap, ""))
                parts.append(cell[number] if number < len(cell) else (" " * len(cell[0][0]), ""))
            yield Text.assemble(*parts)


def _pages(comparison: Comparison, width: int) -> list[_Page]:
    """Return one table with intervals next to their values if that fits; else several, with intervals below."""
    groups = [group for block in comparison.blocks for group in block.groups]
    head = columns.label_head(comparison)
    longest = max(len(head), *(len(formatting.clean(group.label)) for group in groups))
    label = min(longest, LOSS_AT_MOST)
    everything = columns.table_columns(comparison)
    wide = _Page(label, 2, head, _stacked(groups, everything, beside=True))
    if wide.width <= width:
        return [replace(wide, label=min(longest, label + width - wide.width))]
    stacks = _stacked(groups, everything, beside=False)
    core = tuple(stack for stack in stacks if stack.columns[0].is_core)
    pages = [_fitted(_Page(label, 2, head, core), longest, width)]
    for stack in stacks[len(core) :]:
        longer = _fitted(_Page(label, 2, head, (*pages[-1].stacks, stack)), longest, width)
        if longer.width <= width:
            pages[-1] = longer
        else:
            pages.append(_fitted(_Page(label, 2, head, (stack,)), longest, width))
    return pages


def _fitted(page: _Page, longest: int, width: int) -> _Page:
    """Return a page with a narrower gap and then narrower labels if it is too wide."""
    if page.width > width:
        page = replace(page, gap=1)
    room = width - page.width + page.label
    return replace(page, label=max(min(longest, page.label, room), min(longest, LOSS_AT_LEAST)))


def _stacked(groups: Sequence[Group], every: Sequence[Column], *, beside: bool) -> tuple[_Stack, ...]:
    """Return columns in stacks: `beside` leaves core columns next to each other, scaled ones are always below."""
    stacks: list[list[Column]] = []
    for column in every:
        parents = [stack for stack in stacks if column.below == stack[0].head]
        if parents and not (beside and column.is_core):
            parents[-1].append(column)
        else:
            stacks.append([column])
    return tuple(_measured(groups, stack) for stack in stacks)


def _measured(groups: Sequence[Group], columns: Sequence[Column]) -> _Stack:
    """Return a stack as wide as its widest line, with a place for marks after numbers."""
    tails = (
        text[text.find(" ± ") :] for column in columns for group in groups if " ± " in (text := column.text(group))
    )
    marked = any(column.mark(group) for column in columns for group in groups)
    stack = _Stack(tuple(columns), tail=max(map(len, tails), default=0), marked=marked)
    texts = (stack.text(column, group) for column in columns for group in groups)
    return replace(stack, width=max(map(len, [*stack.heads, *texts])))
