"""The loss map of a page: a coloured table of cells, the choice of one loss for all of them, a row per loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import map_figure
from lossbench.report.comparison import columns, loss_map, map_records, map_words, records
from lossbench.report.formatting import clean
from lossbench.report.page import tables
from lossbench.report.page.html import Html, element, joined

if TYPE_CHECKING:
    from lossbench.analysis.map_result import LossOverCells
    from lossbench.analysis.result import Comparison
    from lossbench.report.comparison.columns import Column
    from lossbench.report.map_figure import MapFigure, Tile


def map_section(comparison: Comparison) -> Html:
    """Return the section; nothing without a map."""
    if comparison.loss_map is None:
        return Html()
    return element("section", element("h2", "Map", id="map"), *map_parts(comparison))


def notebook_html(comparison: Comparison) -> Html:
    """Return the section's content without a page around it."""
    return joined(map_parts(comparison))


def map_parts(comparison: Comparison) -> list[Html]:
    """Return the conclusions, the map, the table of losses, and the notes."""
    content = map_figure.map_figure(comparison)
    axes = [f"rows: {content.row_key}"] * bool(content.row_key) + [f"columns: {content.column_key}"]
    scroll = {"class_": "scroll", "tabindex": 0, "role": "region"}
    return [
        *(element("p", sentence) for sentence in map_words.conclusions(comparison)),
        element("p", "; ".join([map_words.title(comparison), *axes]), class_="faint"),
        _legend(content),
        element("div", _cells(content), **scroll, aria_label="map"),
        element("div", _losses(comparison), **scroll, aria_label="losses over all cells"),
        tables.bullet_list(map_words.notes(comparison)),
    ]


def _legend(content: MapFigure) -> Html:
    """Return the colours with their losses, and the meaning of hatches."""
    swatches = [element("span", label, class_=f"swatch c{number}") for number, label in enumerate(content.losses)]
    tied = [element("span", map_figure.TIED, class_="swatch tied")] if content.has_ties else []
    return element("p", *swatches, *tied, class_="legend")


def _cells(content: MapFigure) -> Html:
    """Return the cells: a row per value of the first key, a column per value of the last."""
    tiles = {(tile.row, tile.column): tile for tile in content.tiles}
    grid = [[tiles.get((row, column)) for column in range(len(content.columns))] for row in range(len(content.rows))]
    texts = [[name, *map(_text, row)] for name, row in zip(content.rows, grid, strict=True)]
    first, *lines = records.table_csv([[content.row_key, *content.columns], *texts]).splitlines()
    head = [element("td"), *(element("th", each, scope="col") for each in content.columns)]
    rows = [
        element("tr", element("th", name, scope="row"), *map(_cell, row), data_csv=line)
        for name, row, line in zip(content.rows, grid, lines, strict=True)
    ]
    return element(
        "table",
        element("thead", element("tr", *head)),
        element("tbody", *rows),
        class_="map",
        data_csv=first,
    )


def _text(tile: Tile | None) -> str:
    return f"{', '.join(tile.names)}: {tile.mean}" if tile else ""


def _cell(tile: Tile | None) -> Html:
    """Return a cell: names, in bold where one loss is best alone, the best mean, and the regret of the best single."""
    if tile is None:
        return element("td", "no runs")
    colour = "" if tile.colour is None else f"c{tile.colour}"
    regret = [element("small", f"regret {tile.regret}")] if tile.regret else []
    return element(
        "td",
        element("span" if tile.is_tied else "b", ", ".join(tile.names)),
        element("span", tile.mean),
        *regret,
        class_=f"{colour}{' tied' * tile.is_tied}".strip() or None,
    )


def _losses(comparison: Comparison) -> Html:
    """Return a row per loss over all cells."""
    every, losses = loss_map.loss_columns(comparison), map_words.of(comparison).losses
    heads = [element("th", columns.label_head(comparison), scope="col")]
    heads += [element("th", column.head, scope="col", class_=None if column.is_number else "word") for column in every]
    copied = [{"loss": clean(loss.label), **map_records.over_cells(loss)} for loss in losses]
    first, *lines = records.to_csv(copied).splitlines()
    rows = [
        element(
            "tr",
            element("th", clean(loss.label), scope="row"),
            *(_number(column, loss) for column in every),
            data_csv=line,
        )
        for loss, line in zip(losses, lines, strict=True)
    ]
    return element("table", element("thead", element("tr", *heads)), element("tbody", *rows), data_csv=first)


def _number(column: Column, loss: LossOverCells) -> Html:
    mark = column.mark(loss)
    side = None if column.is_number else "word"
    return element("td", f"{column.text(loss)} {mark}".strip(), class_="best" if columns.is_best(mark) else side)
