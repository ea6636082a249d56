"""A comparison as one HTML file that needs nothing else: no request leaves it, and nothing in it was not escaped.

page.py      the file: headline, conditions, runs, and what to type for the same
figures.py   the charts of one condition, and those across conditions
digits.py    the test images that one loss gets right and the other wrong
runs.py      each run's configuration, environment and log
charts.py    the drawings, as SVG
html.py      elements, with everything that is not one escaped
style.css    light and dark, narrow and wide, screen and paper
script.js    sorting, filtering, switching; without it everything is shown
"""

from lossbench.report.page.page import render

__all__ = ["render"]
