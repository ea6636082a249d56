"""The figure of a loss map: on paper, on the page, in grey, and for whatever name a loss has."""

from __future__ import annotations

import csv
import html
import json
import re
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from made_up_maps import CE, RATE, SIZE, answered, study
from matplotlib.patches import Rectangle

from lossbench.report import formats, map_figure, plots
from lossbench.report.page import map_section
from lossbench.report.plots import canvas
from lossbench.report.plots import loss_map as plot

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

GCE, HOSTILE = "generalized_crossentropy q=0.7", "<img src=x onerror=alert(1)> $\\frac{1}{ 漢字"
LONG = "1 normalized_crossentropy + 10 reverse_crossentropy with_a_name_longer_than_any_cell alpha=0.123456"
TIED = {CE: (0, 0, 0), "focal": (0, 0, 0), LONG: (0, 0, 0), HOSTILE: (0, 0, 0), "poly1": (-4, -4, -4)}


def drawn(rows: list[dict[str, Any]], **query: Any) -> Figure:
    """The figure, laid out."""
    with canvas.style():
        figure = plot.plot_map(map_figure.map_figure(answered(rows, **query).comparison))
        canvas.lay_out(figure)
        figure.draw_without_rendering()
    return figure


def test_each_cell_has_the_colour_names_and_number_of_its_losses() -> None:
    """Row and column by the keys, the sets of the JSON, a colour per loss with the best mean, hatches where tied."""
    found = answered(study())
    content = map_figure.map_figure(found.comparison)
    cells = json.loads(formats.comparison_text(found, "json", to_stdout=False))["cells"]
    assert (content.rows, content.columns) == (("0.0", "0.2", "0.4"), ("1000", "all"))
    assert content.losses == (GCE, "focal")
    for tile, cell in zip(content.tiles, cells, strict=True):
        assert (tile.row, tile.column) == ((0.0, 0.2, 0.4).index(cell[RATE]), (1000, None).index(cell[SIZE]))
        assert list(tile.names) == cell["may_be_best"]
        assert content.losses[tile.colour or 0] == cell["may_be_best"][0]
        assert tile.is_tied is (len(cell["may_be_best"]) > 1)
        assert tile.mean.startswith(f"{100 * cell['mean']:.2f} ± ")
        assert tile.regret == f"{100 * cell['single_best_regret']:.2f} pp"


def test_many_names_are_counted_and_a_cell_without_runs_is_empty() -> None:
    """Three names at most; a cell that no run has is no tile."""
    rows = [each for each in study(TIED) if (each[RATE], each[SIZE]) != (0.4, None)]
    content = map_figure.map_figure(answered(rows).comparison)
    assert len(content.tiles) == 5
    assert {tile.names[1:] for tile in content.tiles} == {("or 3 others",)}
    assert all(tile.is_tied for tile in content.tiles)


def test_too_few_seeds_are_a_sentence_of_the_figure() -> None:
    """Else a figure in which all is hatched would look like a result."""
    for seeds, expected in ((5, 1), (6, 0)):
        sentences = map_figure.map_figure(answered(study(seeds=seeds)).comparison).sentences
        assert sum("no loss can be left out" in each for each in sentences) == expected


@pytest.mark.parametrize(
    ("gains", "query"),
    [
        (TIED, {}),
        (dict(list(TIED.items())[1:3]), {}),
        ({CE: (0, 0, 0), "focal": (1, 1, -1), LONG: (-2, -2, 2)}, {"map_keys": (RATE,)}),
    ],
)
def test_nothing_is_cut_off_and_no_text_leaves_its_cell(gains: Any, query: dict[str, Any]) -> None:
    """With long, hostile and many names, for one key and for two."""
    figure = drawn(study(gains, sizes=(None,) if query else (1000, None)), **query)
    (axis,) = figure.axes
    cells = [each for each in axis.patches if isinstance(each, Rectangle) and each.get_edgecolor()[:3] == (1, 1, 1)]
    assert len(axis.texts) == len(cells) == (3 if query else 6)
    for written, cell in zip(axis.texts, cells, strict=True):
        inner, outer = written.get_window_extent(), cell.get_window_extent()
        assert (outer.x0 <= inner.x0, inner.x1 <= outer.x1, outer.y0 <= inner.y0, inner.y1 <= outer.y1) == (True,) * 4
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert (box.x0 >= 0, box.y0 >= 0, box.x1 <= width, box.y1 <= height) == (True,) * 4


def test_ties_are_hatched_and_winners_are_bold() -> None:
    """Readable in grey: the pattern and the names say what the colour says."""
    for gains, hatches, weights in (
        (TIED, {plot.HATCH}, {"normal"}),
        ({CE: (0, 0, 0), "a": (3, 3, 3)}, {None}, {"bold"}),
    ):
        (axis,) = drawn(study(gains)).axes
        filled = [each for each in axis.patches if each.get_edgecolor()[:3] != (1, 1, 1)]
        assert {each.get_hatch() for each in filled} == hatches
        assert {each.get_weight() for each in axis.texts} == weights


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [*map_figure.PALETTE, map_figure.OTHERS])
def test_text_stands_out_from_every_fill(colour: str) -> None:
    """Contrast of 4.5 or more, in the light and in the dark mode of the page."""
    ink = luminance("#1b1b1b")
    assert (luminance(colour) + 0.05) / (ink + 0.05) >= 4.5


def test_the_page_has_the_colours_of_the_plots() -> None:
    """They are in the style sheet too, which only holds text."""
    css = resources.files("lossbench.report.page").joinpath("style.css").read_text()
    short = re.findall(r"\.map \.c(\d), \.c\1 \{\s*background-color: #(\w{3});", css)
    assert tuple("#" + "".join(2 * each for each in digits) for _, digits in short) == map_figure.PALETTE
    assert [number for number, _ in short] == [str(number) for number in range(len(map_figure.PALETTE))]


def test_the_page_has_a_table_of_cells_and_one_of_losses_in_which_text_is_text() -> None:
    """A cell per condition with its names; a row per loss; nothing of a name is markup."""
    text = "".join(map_section.map_parts(answered(study(TIED)).comparison))
    assert text.count('<td class="c') == 6
    assert "<img" not in text
    assert text.count('<th scope="row">') == 3 + 5
    winners = "".join(map_section.map_parts(answered(study()).comparison))
    assert winners.count(f"<b>{GCE}</b>") == 4
    assert winners.count("<b>focal</b>") == 2
    assert map_section.map_section(answered(study()).comparison).startswith('<section><h2 id="map">')


def test_the_tables_of_the_page_can_be_copied_as_csv() -> None:
    """A line in each row, below the heads of its table, with as many fields."""
    text = "".join(map_section.map_parts(answered(study()).comparison))
    lines = [html.unescape(each) for each in re.findall(r'data-csv="([^"]*)"', text)]
    (cells, losses) = (list(csv.reader(each)) for each in (lines[:4], lines[4:]))
    assert [len(each) for each in cells] == [3] * 4
    assert cells[0] == ["label noise (share of labels)", "1000", "all"]
    assert cells[2][1].startswith(f"{GCE}: 9")
    assert [each[0] for each in losses] == ["loss", GCE, *(each[0] for each in losses[2:])]
    assert {len(each) for each in losses} == {7}


def test_copied_cells_keep_ticks_that_are_equal_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two values may have one text, or that of the other key: no column is lost."""
    comparison = answered(study()).comparison
    content = map_figure.map_figure(comparison)
    same = replace(content, columns=(content.row_key, content.row_key))
    monkeypatch.setattr(map_figure, "map_figure", lambda _: same)
    text = "".join(map_section.map_parts(comparison))
    lines = [html.unescape(each) for each in re.findall(r'data-csv="([^"]*)"', text)]
    assert [len(each) for each in csv.reader(lines[:4])] == [3] * 4


def test_the_same_runs_give_the_same_files(tmp_path: Path) -> None:
    """PNG and SVG byte by byte, in any order of the runs; the map is the only plot."""
    names = ["map-accuracy.png", "map-accuracy.svg"]
    for folder, rows in (("a", study(TIED)), ("b", study(TIED)[::-1])):
        written = plots.save_plots(answered(rows).comparison, [], tmp_path / folder)
        assert [path.name for path in written] == names
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
