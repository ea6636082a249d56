"""A comparison as one HTML file that needs nothing else: it sends no request, and every text in it is escaped.

page.py             the file: headline, conditions, runs, and the command that writes it again
tables.py           tables, in the page and in a notebook
chart_sections.py   the charts of one condition, and those across conditions
memorization.py     what the losses learn of wrong labels, all on one axis
digits.py           the test images that one loss gets right and the other wrong
map_section.py     the losses that may be best in each cell, as a coloured table
runs.py             each run's configuration, environment and log
charts.py           charts as SVG, one per loss
row_charts.py       charts with a row per loss, as wide as the page
html.py             elements; any other string is escaped
style.css           light and dark, narrow and wide, screen and paper
script.js           sorting, filtering, switching, copying; without it everything is shown
"""

from lossbench.report.page.page import page_text

__all__ = ["page_text"]
