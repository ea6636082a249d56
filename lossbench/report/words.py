"""The sentences and numbers that a table and a Markdown page share."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

from lossbench.metrics import METRICS, REPORTED, SCALED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lossbench.analysis.frame import Broken
    from lossbench.analysis.summary import Block, Comparison, Estimate, Group

BEST, NO_SOFTMAX = "*", "†"

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
    """A metric's column title: accuracy is shown in per cent."""
    return "accuracy %" if metric == "accuracy" else REPORTED[metric].title


def number(metric: str, value: float | None) -> str:
    """A metric as the tables show it: `97.85`, `0.0712`, `-` where there is none."""
    if value is None:
        return "-"
    return f"{100 * value:.2f}" if metric == "accuracy" else f"{value:.4f}"


def shown(comparison: Comparison) -> list[str]:
    """The metrics that readers see; the scaled ones, where there are any, only beside a loss without softmax."""
    groups = [group for block in comparison.blocks for group in block.groups if group.n]
    needed = any(group.link != "softmax" for group in groups)
    given = any(group.metrics[name].mean is not None for group in groups for name in SCALED)
    return list(REPORTED if needed and given else METRICS)


def estimate(metric: str, value: Estimate) -> str:
    """Mean and standard deviation: `97.85 ± 0.12`, `97.85 ± -` for one seed."""
    return "-" if value.mean is None else f"{number(metric, value.mean)} ± {number(metric, value.sd)}"


def mark(group: Group, metric: str) -> str:
    """What stands behind a value: `*` the best mean, `†` a value that the loss did not train."""
    if metric in group.best:
        return BEST
    as_given = metric != "accuracy" and metric not in SCALED
    return NO_SOFTMAX if as_given and group.link != "softmax" and group.n else ""


def counts(group: Group) -> list[str]:
    """Completed runs, then those that have no metrics: `["3", "+ 1 diverged"]`."""
    others = {"diverged": group.diverged, "failed": group.failed, "unfinished": group.unfinished}
    return [str(group.n), *(f"+ {count} {status}" for status, count in others.items() if count)]


def seeds(values: Iterable[int]) -> str:
    """Seeds with ranges joined: `0–4, 7`."""
    ranges: list[list[int]] = []
    for value in sorted(set(values)):
        if ranges and value == ranges[-1][1] + 1:
            ranges[-1][1] = value
        else:
            ranges.append([value, value])
    return ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in ranges)


def title(comparison: Comparison) -> str:
    """What all runs have in common, in one line."""
    setting = comparison.setting
    everyone = {seed for block in comparison.blocks for group in block.groups for seed in group.seeds}
    parts = [
        setting.get("data.name"),
        _disturbance("label noise", setting, "data.label_noise", "rate"),
        _disturbance("imbalance", setting, "data.imbalance", "ratio"),
        setting.get("model.name"),
        _counted(setting.get("train.epochs"), "epoch"),
        f"{'seeds' if len(everyone) > 1 else 'seed'} {seeds(everyone)}" if everyone else None,
        f"test set, {comparison.at} epoch",
    ]
    return " · ".join(clean(part) for part in parts if part is not None)


def _disturbance(what: str, setting: Mapping[str, Any], key: str, size: str) -> str | None:
    if f"{key}.type" not in setting:
        return None
    return f"{what} {setting[f'{key}.type']} {setting.get(f'{key}.{size}', '')}".rstrip()


def _counted(count: object, what: str) -> str | None:
    return None if count is None else f"{count} {what}{'' if count == 1 else 's'}"


def condition(comparison: Comparison, block: Block) -> str:
    """What sets a block apart: `data.label_noise symmetric · data.label_noise.rate 0.2`; empty if there is one only."""
    values = {key: {other.condition[key] for other in comparison.blocks} for key in block.condition}
    told = [key for key in block.condition if _tells(key, block.condition, values)]
    return " · ".join(f"{_key(key)} {_value(block.condition[key])}" for key in told)


def _tells(key: str, here: Mapping[str, Any], everywhere: Mapping[str, Collection[Any]]) -> bool:
    """Whether a reader needs a key: not where it does not apply, nor where it is merely not switched on."""
    if here[key] is not None:
        return here[key] is not False or True in everywhere[key]
    parent = key.rpartition(".")[0]
    return not {f"{parent}.name", f"{parent}.type"} & (here.keys() - {key})


def _key(key: str) -> str:
    return clean(key.removesuffix(".name").removesuffix(".type"))


def _value(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case _:
            return clean(value)


def legend(comparison: Comparison) -> list[str]:
    """What the marks behind the values mean, a line for each that occurs."""
    groups = [group for block in comparison.blocks for group in block.groups]
    diverged = any(group.diverged for group in groups)
    meanings = {
        BEST: f"best mean{', losses with diverged runs aside' if diverged else ''}",
        NO_SOFTMAX: "the loss trains no softmax probabilities, so this is never marked best",
    }
    names = shown(comparison)
    used = {mark(group, name) for group in groups for name in names}
    scaled = "scaled: of softmax(z/T), T fitted to the NLL of each run's validation images"
    return [f"{sign} {meaning}" for sign, meaning in meanings.items() if sign in used] + [scaled] * (
        len(names) > len(METRICS)
    )


def notes(comparison: Comparison) -> list[str]:
    """What a reader of the numbers must know, a sentence each."""
    versions = ", ".join(map(clean, comparison.versions))
    return [
        *_different_seeds(comparison),
        *(f"{clean(loss)} stands for different settings, told apart by a suffix" for loss in comparison.ambiguous),
        *(f"counted once: {clean(copy)} is the same trial as {clean(kept)}" for copy, kept in comparison.duplicates),
        *([f"runs of several versions of lossbench: {versions}"] if len(comparison.versions) > 1 else []),
    ]


def _different_seeds(comparison: Comparison) -> list[str]:
    """A warning for each block whose means are not over the same seeds, naming the losses that differ from most."""
    sentences = []
    for block in comparison.blocks:
        lists = {clean(group.loss): seeds(group.seeds) for group in block.groups if group.n}
        usual = Counter(lists.values()).most_common(1)
        others = [f"{loss} over {values}" for loss, values in lists.items() if values != usual[0][0]]
        if others:
            where = condition(comparison, block)
            sentences.append(
                f"means over other seeds than {usual[0][0]}{f' ({where})' * bool(where)}: {'; '.join(others)}"
            )
    return sentences


def broken(folders: Iterable[Broken]) -> list[str]:
    """A line for each folder that could not be read."""
    return [f"not counted: {clean(each.folder)}: {clean(each.reason)}" for each in folders]
