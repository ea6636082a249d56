"""Texts, figures and pages of comparisons and runs; nothing here computes statistics.

formatting.py   numbers, single words and lines
wording.py      titles, conditions, a sentence per verdict and gate result
formats.py      the table of output formats
screen.py       content for a terminal
figures.py      the content of every figure of single losses, for plots and page
forest.py       the content of the figure of all losses of a condition
rank_words.py   the words of the figure of mean ranks
comparison/     one file per format of a comparison, their columns and footnotes
run/            one run or two: `show`, `diff`, `verify`
plots/          figures as PNG and SVG
page/           one HTML file
mlflow.py       export to MLflow

No module imports, directly or through others, a module that imports it.
"""
