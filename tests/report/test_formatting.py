"""Numbers and single words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lossbench.analysis.result import Estimate
from lossbench.metrics import find
from lossbench.report import formatting
from lossbench.statistics import Interval

HOSTILE = {
    "\x1b[31mred\x1b[0m": "red",
    "\x1b]0;title\x07text": "text",
    "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": "link",
    "a\nb\rc\td\x00e\x7f": "abcde",
    "\u202eback\u200b": "back",
    "\x9b31mC1": "31mC1",
    "\x1b": "",
    "[bold]markup stays[/bold]": "[bold]markup stays[/bold]",
    "γ = 2 ± é": "γ = 2 ± é",
}


@pytest.mark.parametrize(("text", "expected"), HOSTILE.items(), ids=repr)
def test_escapes_are_stripped(text: str, expected: str) -> None:
    """Terminal escapes, control characters and invisible ones do not reach a terminal."""
    assert expected == formatting.clean(text)


@given(st.text())
def test_clean_text_is_printable(text: str) -> None:
    """Whatever comes in, what goes out is printable, and clean already."""
    once = formatting.clean(text)
    assert once.isprintable()
    assert once == formatting.clean(once)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0], "0"), ([0, 1, 2, 3], "0–3"), ([3, 1, 2, 7], "1–3, 7"), ([5, 5, 1], "1, 5"), ([], ""), ([-1, 0], "-1–0")],
)
def test_seeds(values: list[int], expected: str) -> None:
    """Runs of seeds are joined."""
    assert expected == formatting.seeds(values)


@pytest.mark.parametrize(
    ("metric", "estimate", "expected"),
    [
        ("accuracy", Estimate({}, 0.97854, 0.00123), "97.85 ± 0.12"),
        ("recall.5", Estimate({}, 0.97854, 0.00123), "97.85 ± 0.12"),
        ("nll", Estimate({}, 0.071239, 0.0012), "0.0712 ± 0.0012"),
        ("nll", Estimate({}, 0.071239, None), "0.0712"),
        ("ece", Estimate(), "-"),
    ],
)
def test_estimates(metric: str, estimate: Estimate, expected: str) -> None:
    """Shares of images in per cent, the others with four digits, what is missing a dash."""
    assert expected == formatting.estimate(find(metric), estimate)


@pytest.mark.parametrize(
    ("metric", "difference", "expected"),
    [("accuracy", 0.0013, "+0.13"), ("accuracy", -0.0013, "−0.13"), ("accuracy", -0.00001, "0.00"),
     ("nll", 0.00412, "+0.0041"), ("nll", -1e-9, "0.0000")],
)  # fmt: skip
def test_differences_have_a_sign(metric: str, difference: float, expected: str) -> None:
    """Unless they round to zero."""
    assert expected == formatting.with_sign(find(metric), difference)


def test_intervals() -> None:
    """From end to end, in the metric's own unit; a size has its unit behind it."""
    accuracy, nll = find("accuracy"), find("nll")
    assert formatting.interval(accuracy, Interval(0.9771, 0.9799)) == "[97.71, 97.99]"
    assert formatting.signed_interval(accuracy, Interval(-0.0008, 0.0034)) == "[−0.08, +0.34]"
    assert (formatting.interval(nll, None), formatting.signed_interval(nll, None)) == ("-", "-")
    assert (formatting.with_unit(accuracy, 0.002), formatting.with_unit(nll, 0.002)) == ("0.20 pp", "0.0020")


@pytest.mark.parametrize(("p", "expected"), [(None, "-"), (0.0156, "0.016"), (0.0004, "<.001"), (1.0, "1.000")])
def test_probabilities(p: float | None, expected: str) -> None:
    """Three digits; never 0."""
    assert expected == formatting.probability(p)


def test_counts() -> None:
    """As one says them."""
    assert [formatting.count_of(count, "seed") for count in (0, 1, 2)] == ["0 seeds", "1 seed", "2 seeds"]


def test_lines_break_behind_separators_only() -> None:
    """A key stays with its value."""
    text = "model mlp · hidden [256] · batch_norm (momentum 0.9)"
    assert formatting.fill(text, 28, " · ", indent="  ").splitlines() == [
        "  model mlp · hidden [256] ·",
        "  batch_norm (momentum 0.9)",
    ]


@given(st.text("焦点损失，（）a_ b9", min_size=1), st.integers(16, 44))
def test_a_label_is_wrapped_by_columns_of_the_terminal(label: str, width: int) -> None:
    """A Chinese character fills two; no character is lost."""
    lines = formatting.wrap_label(label, width)
    assert max(map(cell_len, lines)) <= width
    assert "".join(lines).replace(" ", "") == label.replace(" ", "")


@pytest.mark.parametrize(("width", "lines"), [
    (31, ["categorical_crossentropy", "  label_smoothing=0.1"]),
    (16, ["categorical_", "  crossentropy", "  label_", "  smoothing=0.1"]),
    (44, ["categorical_crossentropy label_smoothing=0.1"]),
])  # fmt: skip
def test_a_label_is_broken_within_words_only_if_a_word_is_too_long(width: int, lines: list[str]) -> None:
    """Names of losses and hyperparameters stay whole where a line has room for them."""
    assert formatting.wrap_label("categorical_crossentropy label_smoothing=0.1", width) == lines


def test_cells_are_aligned_by_columns_of_the_terminal() -> None:
    """To the left and to the right of Chinese text and of Latin text."""
    lines = formatting.align([["焦点损失", "数", "1"], ["focal", "ab", "22"]], texts=1)
    assert lines == ["焦点损失  数   1", "focal     ab  22"]
