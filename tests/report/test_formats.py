"""The table of output formats: whatever has an entry is offered, explained, tested and documented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fabricate import row

import lossbench
from lossbench.analysis.comparison import compare
from lossbench.analysis.query import Answer, Query
from lossbench.api import Compared
from lossbench.errors import UsageError
from lossbench.report import formats
from lossbench.report.run import views

PACKAGE = Path(lossbench.__file__).parent
ROOT = Path(__file__).parents[2]
MANUAL = [ROOT / "README.md", *sorted((PACKAGE / "guide").glob("*.md"))]
LABEL = "\x1b[31m[b]a|b\n\x1b]0;x\x07`c`&<d>$e$\\f{g}_h"
SHOWN = {
    "table": r"[b]a|b`c`&<d>$e$\f{g}_h ",
    "markdown": r"\[b\]a\|b\`c\`\&\<d\>$e$\\f{g}\_h",
    "csv": r"[b]a|b`c`&<d>$e$\f{g}_h",
    "json": r"[b]a|b`c`&<d>$e$\\f{g}_h",
    "jsonl": r"[b]a|b`c`&<d>$e$\\f{g}_h",
    "latex": r"[b]a$|$b`c`\&$<$d$>$\$e\$\textbackslash{}f\{g\}\_h",
    "junit": r"[b]a|b`c`&amp;&lt;d&gt;$e$\f{g}_h",
    "github": "",
}
"""A label with terminal escapes and the special characters of every format, as each format shows it."""

ROWS = [row(label, seed, 0.9 + seed / 100) for label in (LABEL, "categorical_crossentropy") for seed in (0, 1, 2)]


def comparison_text(name: str) -> str:
    return formats.comparison_text(Answer(compare(ROWS, Query())), name, to_stdout=False)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_escapes_labels(name: str) -> None:
    """What a run folder says stays text in each of them."""
    assert name in SHOWN, f"format {name}: add the text of LABEL in it to SHOWN in {Path(__file__).name}"
    text = comparison_text(name)
    assert text == Compared(Answer(compare(ROWS, Query()))).text(name)
    assert SHOWN[name] in text
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_has_a_purpose(name: str) -> None:
    """In a few words that the help shows."""
    purpose = formats.FORMATS[name].purpose
    assert purpose, f"format {name}: its entry in report/formats.py has no docstring that says what it is for"
    assert f"{name}: {purpose[0].lower()}{purpose[1:]}" in formats.help_text()
    assert len(purpose) <= 60


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_is_in_the_manual(name: str) -> None:
    """In the README or in a page of the guide, as code."""
    words = {word for path in MANUAL for code in path.read_text().split("`") for word in code.replace("\\", "").split()}
    named = {part for word in words for part in word.split("|")}
    assert name in named, f"format {name}: no page mentions `{name}`; run python tests/generate_guide.py"


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_is_a_choice_of_the_command(name: str, lossbench: Any) -> None:
    """The help lists it, and single runs are listed in it or the error says in which formats they are."""
    help_text = "".join(lossbench("compare", "--help", check=0, COLUMNS="200").stdout.split())
    assert f"|{name}|" in f"{help_text.partition('--format')[2].partition('-f<')[2].partition('>')[0]:|^500}"
    if formats.FORMATS[name].writers().runs:
        assert formats.runs_text(ROWS, Query(), name, to_stdout=False)
    else:
        with pytest.raises(UsageError, match=rf"format: expected .* for single runs, got {name}"):
            formats.runs_text(ROWS, Query(), name, to_stdout=False)


def test_an_unknown_format_is_an_error_that_names_all() -> None:
    """With the nearest name."""
    with pytest.raises(UsageError) as caught:
        comparison_text("latec")
    assert all(name in str(caught.value) for name in formats.FORMATS)
    assert "latex'?" in str(caught.value) or "latex?" in str(caught.value)


def test_every_record_of_a_single_run_has_a_screen_and_json() -> None:
    """`show`, `diff` and `verify` take whatever `view_text` is declared for."""
    declared = set(views.view_text.__annotations__["record"].split(" | "))
    assert {record.__name__ for record in views.VIEWS} == declared
