"""The words of a comparison: its title, its conditions, and a sentence per verdict and gate result."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from lossbench.report import formatting
from lossbench.report.formatting import clean, count_of
from lossbench.runs import read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from lossbench.analysis.images import Image, ImageComparison
    from lossbench.analysis.result import Block, Comparison, Group
    from lossbench.runs.likeness import UnlikeKey

NOISE, IMBALANCE = "data.label_noise", "data.imbalance"
NOT_ALIKE = "not alike"
DIGEST = 12
"""Letters of a digest that are shown."""


def comparison_title(comparison: Comparison) -> str:
    """Return the settings that all runs share, the first metric and the baseline, in one line."""
    parts = [
        background(comparison),
        measured_on(comparison),
        f"baseline {clean(comparison.baseline)}" if comparison.baseline else None,
    ]
    return " · ".join(part for part in parts if part)


def measured_on(comparison: Comparison) -> str:
    """Return the first metric with what it was measured on: `test accuracy, last epoch`, `training time`."""
    first = comparison.query.metrics[0]
    return first.title if first.judges == "machine" else f"test {first.title}, {comparison.query.at} epoch"


def background(comparison: Comparison) -> str:
    """Return the settings that all runs share in one line: `mnist · mlp · 5 epochs · seeds 0–4`."""
    settings = comparison.setting
    epochs = settings.get("train.epochs")
    seeds = {seed for block in comparison.blocks for group in block.groups for seed in group.seeds}
    parts = [
        settings.get("data.name"),
        _shared_distortion("label noise", settings, NOISE, "rate"),
        _shared_distortion("imbalance", settings, IMBALANCE, "ratio"),
        settings.get("model.name"),
        None if epochs is None else count_of(epochs, "epoch"),
        f"{'seeds' if len(seeds) > 1 else 'seed'} {formatting.seeds(seeds)}" if seeds else None,
    ]
    return " · ".join(clean(part) for part in parts if part is not None)


def _shared_distortion(name: str, settings: Mapping[str, Any], key: str, size: str) -> str | None:
    if settings.get(f"{key}.type") is None:
        return None
    return f"{name} {settings[f'{key}.type']} {settings.get(f'{key}.{size}') or ''}".rstrip()


def condition(comparison: Comparison, block: Block) -> str:
    """Return a block's condition: `data.label_noise symmetric · data.label_noise.rate 0.2`; empty for the only one."""
    return " · ".join(setting(key, value) for key, value in condition_settings(comparison, block).items())


def condition_settings(comparison: Comparison, block: Block) -> dict[str, Any]:
    """Return the settings that distinguish a block, without those that do not apply to it or are off in all blocks."""
    values = {key: {other.condition[key] for other in comparison.blocks} for key in block.condition}
    return {key: value for key, value in block.condition.items() if _is_shown(key, block.condition, values)}


def group_name(label: str, condition: Mapping[str, Any]) -> str:
    """Return a group with its condition in brackets: `focal (data.label_noise.rate 0.2)`."""
    settings = " · ".join(setting(key, value) for key, value in condition.items() if _is_shown(key, condition, {}))
    return f"{clean(label)}{f' ({settings})' * bool(settings)}"


def setting(key: str, value: object) -> str:
    """Return a key with its value: `data.label_noise.rate 0.2`, `model mlp`."""
    return f"{clean(key.removesuffix('.name').removesuffix('.type'))} {value_text(value)}"


def value_text(value: object) -> str:
    """Return the value of a key: `none`, `true`, `0.2`."""
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else clean(value)


def _is_shown(key: str, here: Mapping[str, Any], everywhere: Mapping[str, Collection[Any]]) -> bool:
    """Return whether a key belongs in a title: not where it does not apply, nor where it is merely switched off."""
    if here[key] is not None:
        return here[key] is not False or True in everywhere.get(key, ())
    parent = key.rpartition(".")[0]
    return not {f"{parent}.name", f"{parent}.type"} & (here.keys() - {key})


def run_counts(group: Group) -> str:
    """Return the number of seeds with a result, then the runs without one: `7 + 3 diverged`."""
    others = {"diverged": len(group.diverged), "failed": group.failed, "unfinished": group.unfinished}
    return " + ".join([str(group.n), *(f"{count} {status}" for status, count in others.items() if count)])


def headlines(comparison: Comparison) -> Iterator[str]:
    """Yield a sentence per condition: which loss wins, by how much, with which interval."""
    for block in comparison.blocks:
        where = ", ".join(_spoken(condition_settings(comparison, block)))
        sentence = _headline(comparison, block)
        yield f"With {where}: {sentence}" if where else re.sub("^no ", "No ", sentence)  # a loss's name stays as it is


def verdict(group: Group) -> str:
    """Return the verdict on a loss; `not alike` where an unfair comparison has none, empty where there is none."""
    return NOT_ALIKE if group.unlike else (group.difference and group.difference.verdict) or ""


def unlike_keys(unlike: Collection[UnlikeKey]) -> str:
    """Return keys that should agree, with the values of baseline and loss: `train.epochs 1 / 2, data.classes …`."""
    names = {each.key for each in unlike}
    shown = [each for each in unlike if each.key != "data.sha256" or "data.name" not in names]
    return ", ".join(f"{clean(each.key)} {_level(each, each.reference)} / {_level(each, each.value)}" for each in shown)


def unlike_groups(groups: Iterable[Group]) -> str:
    """Return the losses without a verdict: `not alike: focal (train.epochs 1 / 2)`; empty if there are none."""
    found = dict.fromkeys(f"{clean(each.label)} ({unlike_keys(each.unlike)})" for each in groups if each.unlike)
    return f"{NOT_ALIKE}: {'; '.join(found)}" if found else ""


def _level(of: UnlikeKey, value: object) -> str:
    text = setting("", value).lstrip()
    return text[:DIGEST] if of.key == "data.sha256" else text


def verdict_sentence(comparison: Comparison, group: Group) -> str:
    """Return a loss against its reference: `focal is better than ce: +3.10 pp in accuracy, 95 % interval […], …`."""
    contrast, first = group.difference, comparison.query.metrics[0]
    ours, theirs = clean(group.label), clean(comparison.baseline)
    if group.unlike:
        return f"no verdict: {theirs} and {ours} are not alike: {unlike_keys(group.unlike)}"
    if contrast is None:
        return f"{ours}: nothing to compare with"
    sentence = {
        "better": f"{ours} is better than {theirs}",
        "worse": f"{ours} is worse than {theirs}",
        "equivalent": f"{ours} and {theirs} are equivalent",
        "identical": f"{ours} and {theirs} give identical results",
        "undecided": f"undecided between {ours} and {theirs}",
        None: f"{ours} against {theirs}",
    }[contrast.verdict]
    if contrast.verdict == "identical":
        return f"{sentence}, {count_of(contrast.n, 'seed')}"
    size = f"{formatting.with_sign(first, contrast.mean)} {formatting.unit(first)}".rstrip()
    confidence = formatting.percent(comparison.query.confidence)
    ends = formatting.signed_interval(first, contrast.interval)
    repeated = "repeated " * (contrast.look is not None)
    interval = f", {confidence} {repeated}interval {ends}" * bool(contrast.interval)
    return f"{sentence}: {size} in {first.title}{interval}, {count_of(contrast.n, 'seed')}"


def _spoken(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield settings in words: `40 % symmetric noise`, `balanced classes`, `model cnn`."""
    left = dict(settings)
    rate, ratio = (
        left.pop(key) if read.is_number(left.get(key)) else None for key in (f"{NOISE}.rate", f"{IMBALANCE}.ratio")
    )
    if rate is not None or f"{NOISE}.type" in left:
        kind = left.pop(f"{NOISE}.type", "label")
        amount = "" if rate is None else f"{formatting.percent(rate)} "
        yield "clean labels" if kind is None else f"{amount}{clean(kind)} noise"
    if ratio is not None or f"{IMBALANCE}.type" in left:
        kind = left.pop(f"{IMBALANCE}.type", "an")
        amount = "" if ratio is None else f" of {ratio:g}"
        yield "balanced classes" if kind is None else f"{clean(kind)} imbalance{amount}"
    yield from (setting(key, value) for key, value in left.items())


def _headline(comparison: Comparison, block: Block) -> str:
    """Return the best loss that is shown to be better; or that none is, with the counts of the verdicts."""
    compared = [group for group in block.groups if group.difference and group.difference.verdict]
    unlike = [group for group in block.groups if group.unlike]
    if unlike and not compared:
        return verdict_sentence(comparison, unlike[0]) + _and_more(len(unlike) - 1)
    if not compared and any(group.difference and group.difference.is_barred for group in block.groups):
        return "no verdict: seeds were added by a plan that does not apply to this comparison"
    if comparison.baseline is None or not compared:
        return "no losses are compared, so none can be called better"
    counts = Counter(map(verdict, (*compared, *unlike)))
    for group in compared:
        if verdict(group) == "better":
            aside = f"; {len(unlike)} {NOT_ALIKE}, without a verdict" * bool(unlike)
            return verdict_sentence(comparison, group) + _and_more(counts["better"] - 1) + aside
    verdicts = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"no loss is shown to be better than {clean(comparison.baseline)} ({verdicts})"


def _and_more(others: int) -> str:
    return f"; so {'is' if others == 1 else 'are'} {others} more" * bool(others)


def disagreements(pair: ImageComparison) -> Iterator[tuple[str, tuple[Image, ...]]]:
    """Yield the images that one loss gets right and the other wrong in most seeds, with a title for each direction."""
    theirs = clean(pair.reference)
    yield f"right in most seeds where {theirs} is wrong", pair.gained
    yield f"wrong in most seeds where {theirs} is right", pair.lost
