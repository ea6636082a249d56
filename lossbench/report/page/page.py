"""The HTML file: headline, conditions, trends, notes, runs, and the command that writes it again."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from importlib import resources
from typing import TYPE_CHECKING

from lossbench.report import figures, forest, formatting, wording
from lossbench.report.comparison import footnotes, records
from lossbench.report.gate_sentences import gate_sentence
from lossbench.report.page import chart_sections, digits, map_section, row_charts, runs, tables, tuning
from lossbench.report.page.html import Html, element, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.analysis.page_data import PageData
    from lossbench.analysis.result import Block, Comparison


def page_text(data: PageData, command: str) -> str:
    """Return the page; `command` is the command line that writes it."""
    comparison = data.comparison
    first, *others = wording.headlines(comparison)
    script = element("script", Html(_file("script.js")))
    sections = _sections(data)
    body = [
        element(
            "header",
            element("h1", first),
            *[element("p", other) for other in others],
            element("p", wording.comparison_title(comparison), class_="faint"),
        ),
        element(
            "nav",
            *(element("a", name, href=f"#{name}") for name, section in sections.items() if section),
            aria_label="parts of this page",
        ),
        element(
            "main",
            *sections.values(),
            element("h2", "For the same page"),
            element("pre", formatting.clean(command)),
        ),
    ]
    return f"<!doctype html>\n{element('html', _head(first), element('body', *body, script), lang='en')}\n"


def _sections(data: PageData) -> dict[str, Html]:
    """Return the sections by the `id` of their first heading, in order; empty where there is nothing to show."""
    comparison = data.comparison
    conditions = [_condition(data, number, csv) for number, csv in enumerate(records.csv_by_block(comparison))]
    return {
        "map": map_section.map_section(comparison),
        "verdicts": joined(conditions),
        "ranks": chart_sections.ranks_section(comparison),
        "trends": chart_sections.trends_section(comparison),
        "tuning": tuning.tuning_section(comparison),
        "gate": _gate(data),
        "notes": _notes(data),
        "runs": runs.runs_section(data.runs, comparison.varying),
    }


def _head(title: str) -> Html:
    """Return the head, with a policy that allows nothing but the style and the script of this page."""
    style, script = _file("style.css"), _file("script.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Html(style)),
    )


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _condition(data: PageData, number: int, csv: Sequence[str]) -> Html:
    """Return one condition: its forest plot, table and charts."""
    comparison, block = data.comparison, data.comparison.blocks[number]
    name = wording.condition(comparison, block) or "Verdicts"
    content = figures.condition_figure(comparison, data.figures[number], name)
    return element(
        "section",
        element("h2", name, id="verdicts" if number == 0 else f"verdicts-{number + 1}"),
        *([row_charts.forest_figure(plot)] if (plot := forest.forest(comparison, block)) else ()),
        _table(comparison, block, name, csv),
        chart_sections.condition_section(content, comparison.query.metrics),
        digits.digits_section(data.digits[number]),
    )


def _table(comparison: Comparison, block: Block, name: str, csv: Sequence[str]) -> Html:
    table = tables.block_table(comparison, block, name, csv)
    scroll = element("div", table, class_="scroll", tabindex=0, role="region", aria_label=f"table: {name}")
    return element("div", scroll, data_filter="Filter losses")


def _gate(data: PageData) -> Html:
    """Return the gate's results, the worst first as on the command line; nothing without a gate."""
    confidence = data.comparison.query.confidence
    order = {outcome: number for number, outcome in enumerate(("failed", "missing", "undecided", "passed"))}
    results = sorted(data.gate_results, key=lambda result: order[result.outcome])
    lines = [f"{result.outcome}: {gate_sentence(result, confidence)}" for result in results]
    return element("section", element("h2", "Gate", id="gate"), tables.bullet_list(lines)) if lines else Html()


def _notes(data: PageData) -> Html:
    """Return the meaning of the marks, the notes, and the files that could not be read."""
    comparison = data.comparison
    lines = [
        *footnotes.legend(comparison),
        *footnotes.notes(comparison),
        *formatting.broken_lines(data.broken),
        *formatting.broken_lines(data.unread, "not drawn"),
    ]
    return element("section", element("h2", "Notes", id="notes"), tables.bullet_list(lines))
