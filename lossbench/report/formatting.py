"""Numbers and single words as every report writes them."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from lossbench.metrics import REPORTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lossbench.analysis.measure import Measure
    from lossbench.analysis.result import Estimate
    from lossbench.metrics import Metric
    from lossbench.runs.index import BrokenRun
    from lossbench.statistics import Interval

MINUS = "−"
"""As wide as the plus sign that it stands opposite."""

_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(\x1b\\|\x07|$)|.)", re.DOTALL)


def clean(text: object) -> str:
    """Text from a file without terminal escapes and whatever else is not printable."""
    return "".join(character for character in _ESCAPES.sub("", str(text)) if character.isprintable())


def filled(text: str, width: int, between: str, indent: str = "", first: str = "") -> str:
    """Lines of at most `width`, broken only behind a separator: `" · "`, `", "`."""
    solid, separator = text.replace(" ", "\xa0"), between.replace(" ", "\xa0")
    breakable = solid.replace(separator, separator[:-1] + " ")
    lines = textwrap.fill(breakable, width, initial_indent=first or indent, subsequent_indent=indent)
    return lines.replace("\xa0", " ")


def header(metric: str) -> str:
    """Return a reported metric's column title, with a % where the values are in percent."""
    return title(REPORTED[metric])


def number(metric: str, value: float | None) -> str:
    """Return a value of a metric as tables show it: `97.85`, `0.0712`, `-` where there is none."""
    return _number(value, in_percent=in_percent(metric))


def in_percent(metric: str) -> bool:
    """Return whether tables show a metric multiplied by 100; other numbers of a run are shown as they are."""
    return metric in REPORTED and REPORTED[metric].in_percent


def title(measure: Measure | Metric) -> str:
    """A measure's column title, with a % where the values are in per cent."""
    return f"{measure.title} %" if measure.in_percent else measure.title


def value(measure: Measure, number: float | None) -> str:
    """A value: `97.85` per cent, `0.0712`, `-` where there is none."""
    return _number(number, in_percent=measure.in_percent)


def estimate(measure: Measure, of: Estimate) -> str:
    """Mean and standard deviation: `97.85 ± 0.12`; of one seed, `97.85`."""
    return value(measure, of.mean) + ("" if of.sd is None else f" ± {value(measure, of.sd)}")


def interval(measure: Measure, of: Interval | None) -> str:
    """An interval of values: `[97.71, 97.99]`."""
    return "-" if of is None else f"[{value(measure, of.low)}, {value(measure, of.high)}]"


def unit(measure: Measure) -> str:
    """What stands behind a difference: pp for percentage points, nothing for a plain number."""
    return "pp" if measure.in_percent else ""


def signed(measure: Measure, difference: float) -> str:
    """A difference with its sign: `+0.13`, `−0.0041`; one that rounds to zero has none."""
    size = value(measure, abs(difference))
    return size if float(size) == 0 else f"{'+' if difference > 0 else MINUS}{size}"


def signed_interval(measure: Measure, of: Interval | None) -> str:
    """An interval of differences: `[−0.08, +0.34]`."""
    return "-" if of is None else f"[{signed(measure, of.low)}, {signed(measure, of.high)}]"


def sized(measure: Measure, size: float) -> str:
    """A size with its unit: `0.20 pp`, `0.0041`."""
    return f"{value(measure, size)} {unit(measure)}".rstrip()


def probability(p: float | None) -> str:
    """A p-value: `0.016`, `<.001`, `-`."""
    return "-" if p is None else "<.001" if p < 0.0005 else f"{p:.3f}"  # noqa: PLR2004 - what rounds to 0.000


def percent(confidence: float) -> str:
    """A confidence: `95 %`."""
    return f"{100 * confidence:g} %"


def counted(count: object, what: str) -> str:
    """`1 epoch`, `3 epochs`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def seeds(values: Iterable[int]) -> str:
    """Seeds with ranges joined: `0–4, 7`."""
    ranges: list[list[int]] = []
    for each in sorted(set(values)):
        if ranges and each == ranges[-1][1] + 1:
            ranges[-1][1] = each
        else:
            ranges.append([each, each])
    return ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in ranges)


def broken(folders: Iterable[BrokenRun]) -> list[str]:
    """A line for each folder that could not be read."""
    return [f"not counted: {clean(each.folder)}: {clean(each.reason)}" for each in folders]


def unread(folders: Iterable[BrokenRun]) -> list[str]:
    """A line for each run of which something could not be read for a drawing."""
    return [f"not drawn: {clean(each.folder)}: {clean(each.reason)}" for each in folders]


def _number(value: float | None, *, in_percent: bool) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.2f}" if in_percent else f"{value:.4f}"
