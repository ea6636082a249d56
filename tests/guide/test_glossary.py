"""`lossbench explain`: the entries of the glossary page."""

import re
import subprocess
import sys
from typing import get_args

import pytest
from fabricate import row
from typer.testing import CliRunner

from lossbench import cli, metrics
from lossbench.analysis.comparison import compare
from lossbench.analysis.query import Query
from lossbench.analysis.result import Verdict
from lossbench.cli import completion
from lossbench.config.data import Imbalance, LabelNoise
from lossbench.errors import UsageError
from lossbench.guide import glossary
from lossbench.report import formatting, wording
from lossbench.report.comparison import columns
from lossbench.runs import paths

ENTRIES = glossary.entries()
ASKED = (
    "ECE", "Brier", "NLL", "accuracy", "Holm", "max-T", "p", "interval", "confidence", "paired", "baseline", "rope",
    "equivalent", "undecided", "identical", "diverged", "seed", "epoch", "step", "batch", "symmetric", "asymmetric",
    "pairflip", "instance", "imbalance", "temperature scaling", "calibration", "logits", "softmax", "one-vs-rest",
    "margin", "link", "macro F1", "map", "may be best", "best in", "alone in", "mean regret pp", "worst regret",
    "best single loss", "safest choice", "condition", "group", "regret", "±", "pp", "95%", "95 %", "not alike", "†",
    "*", "Δ",
)  # fmt: skip


def shown_titles():
    """The titles of every column that `compare` can print: every metric first, for two confidences."""
    measured = {f"test__last__{name}": 0.5 for name in (*metrics.REPORTED, *metrics.COSTS)}
    rows = [
        row(loss, seed, 0.9 + seed / 100, link=link, **measured)
        for loss, link in (("categorical_crossentropy", "softmax"), ("hinge", "none"))
        for seed in (0, 1)
    ]
    for run in rows:
        run |= {f"test.last.{name}.5": 0.5 for name in metrics.CLASS_METRICS}
    names = (*metrics.METRICS, *metrics.COSTS, *(f"{name}.5" for name in metrics.CLASS_METRICS))
    for number in range(len(names)):
        found = compare(rows, Query(metric_names=(*names[number:], *names[:number]), confidence=0.9 + number / 200))
        yield from (column.head for column in columns.table_columns(found))


@pytest.mark.parametrize(
    "term",
    sorted({
        *ASKED, *get_args(Verdict), wording.NOT_ALIKE, *paths.STATUSES[1:4], *metrics.REPORTED, *metrics.CLASS_METRICS,
        *metrics.COSTS, *(each.title for each in {**metrics.REPORTED, **metrics.COSTS}.values()),
        *(each.title for each in metrics.CLASS_METRICS.values()),
        *get_args(LabelNoise.model_fields["type"].annotation), *get_args(Imbalance.model_fields["type"].annotation),
        *columns.VERDICT_MARKS, columns.BEST, columns.NO_SOFTMAX, formatting.HIGHER, formatting.LOWER, *shown_titles(),
    } - {"interrupted", "failed"}),
)  # fmt: skip
def test_what_lossbench_prints_has_an_entry(term):
    """Every metric, verdict, mark, kind of noise and imbalance, and every title of a column: write it into the page."""
    entry = glossary.find(term)
    assert len(entry.text.split()) >= 6


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.term)
def test_a_term_is_found_by_each_of_its_names(entry):
    """In capitals, with blanks and hyphens otherwise; an alias leads to no other entry."""
    for name in (entry.term, *entry.aliases):
        assert glossary.find(name) == entry
        assert glossary.find(name.upper() if name.isascii() else name) == entry
        assert glossary.find(f" {name.replace('-', ' ')} ") == entry


def test_the_page_has_no_paragraph_that_is_no_entry():
    """Each paragraph under a subject is an entry, and no name stands for two."""
    _, *parts = re.split(r"^## .+$", glossary.guide.page("glossary"), flags=re.MULTILINE)
    paragraphs = [each for part in parts for each in part.strip().split("\n\n")]
    assert len(paragraphs) == len(ENTRIES) > 70
    terms = {}
    for entry in ENTRIES:
        for name in (entry.term, *entry.aliases):
            assert terms.setdefault(name.casefold(), entry.term) == entry.term


@pytest.mark.parametrize(
    ("term", "near"),
    [("paird", "did you mean 'paired'"), ("seads", "did you mean 'seeds'"), ("qqqq", "`lossbench explain` lists all")],
)
def test_an_unknown_term_is_a_usage_error(term, near):
    """With the nearest term, if one is near."""
    with pytest.raises(UsageError, match=re.escape(near)):
        glossary.find(term)


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("arguments", [(), ("ECE",), ("±",), ("instance",)])
def test_every_line_fits_the_terminal(columns, arguments, monkeypatch):
    """The list by subject, and a paragraph."""
    monkeypatch.setenv("COLUMNS", str(columns))
    done = CliRunner().invoke(cli.app, ["explain", *arguments])
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= columns
    if not arguments:
        assert [entry.term for entry in ENTRIES if f"\n  {entry.term}" not in done.stdout] == []
        assert {entry.subject for entry in ENTRIES} <= set(done.stdout.splitlines())


def test_nothing_heavy_is_imported():
    """Not even NumPy: a term is looked up in a page."""
    code = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'numpy', 'pandas', 'rich.markdown'):\n    sys.modules[name] = None\n"
        "from lossbench.guide import glossary\nprint(glossary.find('holm').term)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Holm\n")


def test_tab_completes_terms():
    """With their subjects."""
    assert dict(completion.terms("max")) == {"max-T": "Statistics"}
    assert len(list(completion.terms(""))) == len(ENTRIES)
