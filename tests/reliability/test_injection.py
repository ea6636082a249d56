"""What a run folder says stays text in every form of a report: its structure is that of a report of harmless runs."""

import csv
import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hostile import hostile

from lossbench import load_runs
from lossbench.analysis import gate, loading, page_data
from lossbench.analysis.comparison import compare
from lossbench.analysis.query import Answer, Query
from lossbench.errors import DataError
from lossbench.report import formats, page

TEXTS = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "data:text/html,<b>",
    "<!-- ]]> --><?xml?>&lt;&#60;&amp;quot;",
    "::error::owned%0A::warning::%25",
    "|`a`|[b](javascript:c)|*d*|![e](http://f)\\|",
    "\\input{/etc/passwd}\\write18{id}%",
    "=cmd|' /C calc'!A0",
    "../../../../etc/passwd",
    "{{7*7}}${HOME}%(x)s{0}",
]


@pytest.fixture(params=TEXTS)
def text(request):
    """One of what others would take for their own."""
    return request.param


def report(runs):
    """The comparison of hostile runs, judged, as every form shows it."""
    rows, broken = loading.rows([runs])
    comparison = compare(rows, Query(baseline=min(str(row["loss"]) for row in rows), thresholds=("accuracy < 0.2",)))
    return Answer(comparison, tuple(broken), tuple(gate.judge(comparison)), rows=tuple(rows)), rows


@pytest.fixture
def reports(text, tmp_path):
    """A report of hostile runs, and one of the same runs with a harmless text."""
    found = []
    for place, said in (("hostile", text), ("harmless", "harmless")):
        for label in "ab":
            hostile(tmp_path / place / label, said, label=f"{label}{said}")
        found.append(report(tmp_path / place))
    return found


class Structure(HTMLParser):
    """Elements with the names of their attributes, and where addresses lead to."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.written = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note an element, with the values that could lead elsewhere."""
        kept = {"href", "src", "content", "charset", "name", "http-equiv"}
        self.elements.append((tag, [(key, value if key in kept else None) for key, value in attrs]))

    def handle_data(self, data):
        """Note what is shown."""
        self.written.append(data)


def test_a_page_has_the_elements_of_a_harmless_one(text, reports):
    """Tags, attributes and addresses are the same; the text is there to be read."""

    def look(_):
        raise DataError(text)

    pages = []
    for report, _ in reports:
        data = page_data.read_page(report, look)
        pages.append(Structure(page.page_text(data, f"lossbench {text}")))
    assert pages[0].elements == pages[1].elements
    assert f"a{text}" in "".join(pages[0].written)


def test_a_junit_file_has_the_cases_of_a_harmless_one(text, reports):
    """A parser reads it; a case is called by the label as it is."""
    trees = [ET.fromstring(formats.comparison_text(each, "junit", to_stdout=False)) for each, _ in reports]  # noqa: S314 - ours
    assert [node.tag for node in trees[0].iter()] == [node.tag for node in trees[1].iter()]
    assert any(f"b{text}" in case.get("name") for case in trees[0].iter("testcase"))


def test_a_markdown_table_has_the_cells_of_a_harmless_one(text, reports):
    """No bar, bracket or tag is left unescaped."""
    plain = [re.sub(r"\\.", "", formats.comparison_text(each, "markdown", to_stdout=False)) for each, _ in reports]
    assert [line.count("|") for line in plain[0].splitlines()] == [line.count("|") for line in plain[1].splitlines()]
    assert not re.search(r"<|\]\(|!\[|`", plain[0].replace("Bold", "")), text


def test_github_reads_one_command_a_finding(text, reports):
    """A per cent sign and a line end are written as GitHub wants them."""
    (report, _), _ = reports
    lines = formats.comparison_text(report, "github", to_stdout=False).splitlines()
    assert len(lines) == len(report.gate_results) > 0
    for line in lines:
        assert line.startswith(("::warning title=lossbench compare::a", "::warning title=lossbench compare::b"))
        assert not re.search("%(?!25)", line)
        assert text.replace("%", "%25") in line


def test_latex_gets_no_command(text, reports):
    """The commands are those of a table of harmless runs and of escaped letters."""
    texts = (formats.comparison_text(each, "latex", to_stdout=False) for each, _ in reports)
    found, harmless = ({*re.findall(r"\\[a-zA-Z]+", each)} for each in texts)
    assert found - harmless <= {"\\textbackslash", "\\textasciicircum", "\\textasciitilde"}, text


def test_a_spreadsheet_gets_no_formula(text, tmp_path):
    """No cell of text begins with what begins a formula, neither of groups nor of runs; numbers are as they were."""
    for seed in (0, 1):
        hostile(tmp_path, text, seed, label=text)
    found, rows = report(tmp_path)
    for content in (
        formats.comparison_text(found, "csv", to_stdout=False),
        formats.runs_text(rows, Query(), "csv", to_stdout=False),
    ):
        for row in csv.reader(io.StringIO(content)):
            assert [cell for cell in row if cell[:1] in set("=@\t\r") or re.match(r"[-+](?![\d.])", cell)] == []
        assert text in content.replace('""', '"')


def test_a_frame_holds_the_text_as_it_is(text, tmp_path):
    """Programs get what the file says, and no column is lost by it."""
    hostile(tmp_path, text, label=text)
    runs, epochs = load_runs(tmp_path), load_runs(tmp_path, epochs=True)
    assert (runs["loss"][0], runs["reason"][0]) == (text, text)
    assert len(epochs) == 5
