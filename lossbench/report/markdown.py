"""The comparison as Markdown, for a README, an issue or a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lossbench.report import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.analysis.summary import Block, Comparison, Group

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")


def render(comparison: Comparison) -> str:
    """Title, a table for each condition, footnotes; best means are bold."""
    parts = [f"**{_escaped(words.title(comparison))}**"]
    for block in comparison.blocks:
        condition = _escaped(words.condition(comparison, block))
        parts += [condition] * bool(condition) + [_table(block, words.shown(comparison))]
    notes = [*words.legend(comparison), *words.notes(comparison)]
    parts += ["\n".join(f"- {_escaped(note)}" for note in notes)] * bool(notes)
    return "\n\n".join(parts) + "\n"


def _table(block: Block, metrics: Sequence[str]) -> str:
    header = ["loss", "n", *(words.header(name) for name in metrics)]
    rule = [":---", ":---", *("---:" for _ in metrics)]
    rows = [
        [_escaped(words.clean(group.loss)), " ".join(words.counts(group)), *_values(group, metrics)]
        for group in block.groups
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


def _values(group: Group, metrics: Sequence[str]) -> list[str]:
    values = []
    for name in metrics:
        value, mark = words.estimate(name, group.metrics[name]), words.mark(group, name)
        values.append(f"**{value}** \\*" if mark == words.BEST else f"{value} {mark}".rstrip())
    return values


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
