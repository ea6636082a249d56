"""A comparison in a sentence for each of its conditions: who wins, by how much, and how sure that is."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from lossbench.report import formatting, wording
from lossbench.report.formatting import clean
from lossbench.runs import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lossbench.analysis.result import Block, Comparison, Group

NOISE, IMBALANCE = "data.label_noise", "data.imbalance"


def headlines(comparison: Comparison) -> Iterator[str]:
    """A sentence for each block."""
    for block in comparison.blocks:
        where = ", ".join(_circumstances(wording.told(comparison, block)))
        said = _headline(comparison, block)
        yield f"With {where}: {said}" if where else re.sub("^no ", "No ", said)  # a loss's name stays as it is


def verdicts(comparison: Comparison, block: Block) -> Iterator[str]:
    """A sentence for each loss that is compared with another."""
    return (verdict(comparison, group) for group in block.groups if group.difference)


def verdict(comparison: Comparison, group: Group) -> str:
    """One loss against its reference: `focal is better than ce: +3.10 pp in accuracy, 95 % interval […], 10 seeds`."""
    difference, first = group.difference, comparison.question.measures[0]
    if difference is None:
        return f"{clean(group.label)}: nothing to compare with"
    ours, theirs = clean(group.label), clean(comparison.baseline)
    said = {
        "better": f"{ours} is better than {theirs}",
        "worse": f"{ours} is worse than {theirs}",
        "equivalent": f"{ours} and {theirs} are equivalent",
        "identical": f"{ours} and {theirs} give identical results",
        "undecided": f"undecided between {ours} and {theirs}",
        None: f"{ours} against {theirs}",
    }[difference.verdict]
    if difference.verdict == "identical":
        return f"{said}, {formatting.counted(difference.n, 'seed')}"
    confidence = formatting.percent(comparison.question.confidence)
    size = f"{formatting.signed(first, difference.mean)} {formatting.unit(first)}".rstrip()
    interval = f", {confidence} interval {formatting.signed_interval(first, difference.interval)}" * bool(
        difference.interval
    )
    return f"{said}: {size} in {first.title}{interval}, {formatting.counted(difference.n, 'seed')}"


def _circumstances(settings: dict[str, Any]) -> Iterator[str]:
    """Settings as one speaks of them: `40 % symmetric noise`, `balanced classes`, `model cnn`."""
    left = dict(settings)
    rate, ratio = (
        left.pop(key) if read.is_number(left.get(key)) else None for key in (f"{NOISE}.rate", f"{IMBALANCE}.ratio")
    )
    if rate is not None or f"{NOISE}.type" in left:
        kind = left.pop(f"{NOISE}.type", "label")
        amount = "" if rate is None else f"{formatting.percent(rate)} "
        yield "right labels" if kind is None else f"{amount}{clean(kind)} noise"
    if ratio is not None or f"{IMBALANCE}.type" in left:
        kind = left.pop(f"{IMBALANCE}.type", "an")
        amount = "" if ratio is None else f" of {ratio:g}"
        yield "balanced classes" if kind is None else f"{clean(kind)} imbalance{amount}"
    yield from (wording.setting(key, value) for key, value in left.items())


def _headline(comparison: Comparison, block: Block) -> str:
    """The best loss that is shown to be better; or that none is, and what else is known."""
    compared = [group for group in block.groups if group.difference and group.difference.verdict]
    if comparison.baseline is None or not compared:
        return "no losses are compared, so none can be called better"
    counts = Counter(group.difference.verdict for group in compared if group.difference)
    for group in compared:
        if group.difference and group.difference.verdict == "better":
            others = counts["better"] - 1
            return verdict(comparison, group) + f"; so {'is' if others == 1 else 'are'} {others} more" * bool(others)
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"no loss is shown to be better than {clean(comparison.baseline)} ({told})"
