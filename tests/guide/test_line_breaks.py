"""Lines of mixed Chinese and Latin text in the columns of a terminal."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from lossbench.guide import terminal
from lossbench.guide.line_breaks import Prose, starts_of_lines

CLOSING = "，。：；、？！）」』】》”’,.:;?!)]}%…"
OPENING = "（「『【《“‘([{"
PIECES = [
    "损失",
    "函",
    "交叉熵",
    "loss",
    "γ",
    "0.5",
    "`x`",
    " ",
    " ",
    "，",
    "。",
    "（",
    "）",
    "“",
    "”",
    "——",
    "%",
    "😀",
]


def lines(text, width):
    """The lines of a text, without the blanks at their ends."""
    starts = [0, *starts_of_lines(text, width), len(text)]
    return [text[begin:end].rstrip() for begin, end in itertools.pairwise(starts)]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=60).map("".join), st.integers(8, 80))
def test_lines_fit_keep_every_character_and_begin_and_end_with_the_right_punctuation(text, width):
    """Unless punctuation alone fills a line; a Latin word or number is never cut."""
    found = lines(text, width)
    assert "".join(found).replace(" ", "") == text.replace(" ", "")
    for start in starts_of_lines(text, width):
        before, after = text[:start].rstrip()[-1], text[start]
        assert after not in CLOSING
        assert before not in OPENING
        assert text[start - 1] == " " or not (before + after).isascii()
    for line in found:
        assert cell_len(line) <= width or no_break_is_allowed(line)


def no_break_is_allowed(line):
    """Whether punctuation and Latin characters leave no place to break a line, by an independent rule."""
    places = itertools.pairwise(re.sub(r"\s", "", line))
    wide = re.compile("[⺀-鿿＀-￯😀]")
    return not any(
        wide.search(before + after) and before not in OPENING and after not in f"{CLOSING}—" for before, after in places
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("损失函数的梯度", ["损失函数", "的梯度"]),
        ("损失函数，梯度", ["损失函", "数，梯度"]),
        ("损失函（梯度）", ["损失函", "（梯度）"]),
        ("损失函数”的梯", ["损失函", "数”的梯"]),
        ("的 focal 损失", ["的 focal", "损失"]),
        ("focal损失函数", ["focal损", "失函数"]),
        ("a bcdefgh ijk", ["a", "bcdefgh", "ijk"]),
        ("损失函……数的", ["损失函……", "数的"]),
        ("（（损失函数））", ["（（损失", "函数））"]),
    ],
)
def test_where_lines_of_eight_columns_end(text, expected):
    """Between Chinese characters, before what opens, after what closes, at blanks."""
    assert lines(text, 8) == expected


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_tables_headings_and_lists_of_mixed_text_fit(columns, monkeypatch):
    """In display columns; every cell is there, and the columns of a table begin below each other."""
    monkeypatch.setenv("COLUMNS", str(columns))
    text = (
        "# 标签噪声与类别不平衡：哪个损失函数更好，在什么条件下更好，结论有多可靠？\n\n"
        "- 交叉熵（cross-entropy）与焦点损失（focal loss）在干净标签上没有显著差别，在噪声下则不然。\n\n"
        "| 键 | 含义 |\n| --- | --- |\n| 类别不平衡 | 最大类别与最小类别的大小之比；测试集不变。 |\n"
    )
    shown = terminal.render(text)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(cell_len, plain.splitlines())) <= columns
    for word in ("焦点损失", "最大类别"):
        assert word in re.sub(r"\s|•", "", plain)


def test_a_table_does_not_squeeze_a_short_chinese_cell():
    """It keeps six characters in one line; a Latin word stays whole, however long."""
    console = Console(width=80)
    least = [
        console.measure(Prose(text)).minimum for text in ("未定", "自定义损失函数", "categorical_crossentropy 损失")
    ]
    assert least == [4, 12, 24]


def test_columns_of_a_table_begin_below_each_other(monkeypatch):
    """Whatever the characters before them."""
    monkeypatch.setenv("COLUMNS", "80")
    rows = ("| 指标 | value |", "| --- | --- |", "| 准确率 | value |", "| NLL | value |", "| Brier 分数 | value |")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", terminal.render("\n".join(rows)))
    begins = {cell_len(line.partition("value")[0]) for line in plain.splitlines() if "value" in line}
    assert len(begins) == 1
