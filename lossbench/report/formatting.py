"""Numbers, single words and lines as every report writes them."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from lossbench import errors, escapes
from lossbench.metrics import REPORTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lossbench.analysis.result import Estimate
    from lossbench.metrics import Metric
    from lossbench.runs.index import BrokenRun
    from lossbench.statistics import Interval

MINUS = "−"
"""A minus sign as wide as a plus sign."""

SECONDS = "s"
HIGHER, LOWER = "↑", "↓"
"""Which values are better, in the titles of columns."""

_WIDE = "\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\U0001f300-\U0001faff"
"""Characters that fill two columns of a terminal, between which a line may break."""

_INDENT = "  "
"""What lines of a label begin with, from the second on."""


def clean(text: object) -> str:
    """Return text from a file without terminal escapes and other characters that are not printable."""
    return "".join(character for character in escapes.removed(str(text)) if character.isprintable())


def fill(text: str, width: int, between: str, indent: str = "", first: str = "") -> str:
    """Return lines of at most `width` letters, broken only after a separator such as `" · "` or `", "`."""
    solid, separator = text.replace(" ", "\xa0"), between.replace(" ", "\xa0")
    breakable = solid.replace(separator, separator[:-1] + " ")
    lines = textwrap.fill(breakable, width, initial_indent=first or indent, subsequent_indent=indent)
    return lines.replace("\xa0", " ")


def columns_of(text: str) -> int:
    """Return the columns of a terminal that a text fills: two per Chinese character."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def pad(text: str, width: int) -> str:
    """Return a text with the blanks after it that fill `width` columns of a terminal."""
    return text + " " * (width - columns_of(text))


def wrap_label(label: str, width: int) -> list[str]:
    """Return the lines of a label, broken after blanks and Chinese characters.

    A word that has no room on a line of its own is also broken after underscores, and anywhere if still too long.
    No line is longer than `width` columns of a terminal.
    """
    lines = [""]
    for word in re.findall(rf"[^ {_WIDE}]+ ?|[{_WIDE} ]", label):
        is_whole = columns_of(word.rstrip()) <= width - len(_INDENT)
        for piece in [word] if is_whole else re.findall(rf"[^ _]{{1,{width - 3}}}[ _]?|[ _]", word):
            if columns_of(lines[-1] + piece.rstrip()) > width:
                lines.append(_INDENT)
            lines[-1] += piece
    return [line.rstrip() for line in lines]


def align(rows: Sequence[Sequence[str]], texts: int = 0, gap: str = "  ") -> list[str]:
    """Return rows of cells as lines with aligned columns, the first `texts` to the left, the others to the right."""
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    return [
        gap.join(
            pad(cell, widths[i]) if i < texts else " " * (widths[i] - columns_of(cell)) + cell
            for i, cell in enumerate(row)
        )
        for row in rows
    ]


def number(value: float | None, *, in_percent: bool) -> str:
    """Return a number: `97.85` in per cent, `0.0712` otherwise, `-` where there is none."""
    if value is None:
        return "-"
    return f"{100 * value:.2f}" if in_percent else f"{value:.4f}"


def in_percent(metric: str) -> bool:
    """Return whether tables show a metric multiplied by 100; other numbers of a run are shown as they are."""
    return metric in REPORTED and REPORTED[metric].in_percent


def arrow(metric: Metric) -> str:
    """Return the arrow that points to the better values of a metric."""
    return HIGHER if metric.direction == "higher" else LOWER


def metric_head(metric: Metric) -> str:
    """Return the title of a metric's column: `accuracy % ↑`, `NLL ↓`."""
    return f"{metric_title(metric)} {arrow(metric)}"


def metric_title(metric: Metric) -> str:
    """Return a metric's column title with the unit of its values: `accuracy %`, `NLL`, `training time s`."""
    unit = "%" if metric.in_percent else SECONDS if metric.unit == "seconds" else ""
    return f"{metric.title} {unit}".rstrip()


def value(metric: Metric, value: float | None) -> str:
    """Return a value of a metric as tables show it: `97.85`, `0.0712`, `-` where there is none."""
    if metric.unit == "seconds" and value is not None:
        return f"{value:.2f}"
    return number(value, in_percent=metric.in_percent)


def estimate(metric: Metric, of: Estimate) -> str:
    """Return mean and standard deviation: `97.85 ± 0.12`; for one seed, `97.85`."""
    return value(metric, of.mean) + ("" if of.sd is None else f" ± {value(metric, of.sd)}")


def interval(metric: Metric, of: Interval | None) -> str:
    """Return an interval of values: `[97.71, 97.99]`."""
    return "-" if of is None else f"[{value(metric, of.low)}, {value(metric, of.high)}]"


def unit(metric: Metric) -> str:
    """Return the unit of a difference: pp for percentage points, s for seconds, nothing for a plain number."""
    return "pp" if metric.in_percent else SECONDS if metric.unit == "seconds" else ""


def with_sign(metric: Metric, difference: float) -> str:
    """Return a difference with its sign: `+0.13`, `−0.0041`; one that rounds to zero has none."""
    size = value(metric, abs(difference))
    return size if float(size) == 0 else f"{'+' if difference > 0 else MINUS}{size}"


def signed_interval(metric: Metric, of: Interval | None) -> str:
    """Return an interval of differences: `[−0.08, +0.34]`."""
    return "-" if of is None else f"[{with_sign(metric, of.low)}, {with_sign(metric, of.high)}]"


def with_unit(metric: Metric, size: float) -> str:
    """Return a size with its unit: `0.20 pp`, `0.0041`."""
    return f"{value(metric, size)} {unit(metric)}".rstrip()


def probability(p: float | None) -> str:
    """Return a p-value: `0.016`, `<.001`, `-`."""
    return "-" if p is None else "<.001" if p < 0.0005 else f"{p:.3f}"  # noqa: PLR2004 - what rounds to 0.000


def percent(confidence: float) -> str:
    """Return a share in per cent: `95 %`."""
    return f"{100 * confidence:g} %"


def count_of(count: object, noun: str) -> str:
    """Return a count with its noun: `1 epoch`, `3 epochs`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def seeds(values: Iterable[int]) -> str:
    """Return seeds with ranges joined: `0–4, 7`."""
    ranges: list[list[int]] = []
    for each in sorted(set(values)):
        if ranges and each == ranges[-1][1] + 1:
            ranges[-1][1] = each
        else:
            ranges.append([each, each])
    return ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in ranges)


def first_few(texts: Sequence[str], separator: str = ", ") -> str:
    """Return the first three texts, cleaned, then the number of the others."""
    return errors.first_few([*map(clean, texts)], separator)


def broken_lines(folders: Iterable[BrokenRun], effect: str = "not counted") -> list[str]:
    """Return a line for each folder that could not be read, or lacks a file for a figure and is `not drawn`."""
    return [f"{effect}: {clean(each.folder)}: {clean(each.reason)}" for each in folders]
