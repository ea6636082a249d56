"""What every form of a comparison says in words: its title, its conditions, its remarks, legend and notes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lossbench.report import formatting
from lossbench.report.comparison import columns
from lossbench.report.formatting import clean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from lossbench.analysis.result import Block, Choice, Comparison, Group
    from lossbench.runs.grouping import HiddenKey


def title(comparison: Comparison) -> str:
    """What all runs have in common, what is measured and what it is held against, in one line."""
    parts = [
        background(comparison),
        f"test {comparison.question.measures[0].title}, {comparison.question.at} epoch",
        f"baseline {clean(comparison.baseline)}" if comparison.baseline else None,
    ]
    return " · ".join(part for part in parts if part)


def background(comparison: Comparison) -> str:
    """What all runs have in common, in one line."""
    setting = comparison.setting
    epochs = setting.get("train.epochs")
    everyone = {seed for block in comparison.blocks for group in block.groups for seed in group.seeds}
    parts = [
        setting.get("data.name"),
        _disturbance("label noise", setting, "data.label_noise", "rate"),
        _disturbance("imbalance", setting, "data.imbalance", "ratio"),
        setting.get("model.name"),
        None if epochs is None else formatting.counted(epochs, "epoch"),
        f"{'seeds' if len(everyone) > 1 else 'seed'} {formatting.seeds(everyone)}" if everyone else None,
    ]
    return " · ".join(clean(part) for part in parts if part is not None)


def _disturbance(what: str, setting: Mapping[str, Any], key: str, size: str) -> str | None:
    if setting.get(f"{key}.type") is None:
        return None
    return f"{what} {setting[f'{key}.type']} {setting.get(f'{key}.{size}') or ''}".rstrip()


def condition(comparison: Comparison, block: Block) -> str:
    """What sets a block apart: `data.label_noise symmetric · data.label_noise.rate 0.2`; empty if there is one only."""
    return " · ".join(setting(key, value) for key, value in told(comparison, block).items())


def told(comparison: Comparison, block: Block) -> dict[str, Any]:
    """The keys and values that set a block apart, without those that a reader does not need."""
    values = {key: {other.condition[key] for other in comparison.blocks} for key in block.condition}
    return {key: value for key, value in block.condition.items() if _tells(key, block.condition, values)}


def named(label: str, condition: Mapping[str, Any]) -> str:
    """A group, with its condition in brackets: `focal (data.label_noise.rate 0.2)`."""
    told = " · ".join(setting(key, value) for key, value in condition.items() if _tells(key, condition, {}))
    return f"{clean(label)}{f' ({told})' * bool(told)}"


def setting(key: str, value: object) -> str:
    """A key with its value: `data.label_noise.rate 0.2`, `model mlp`."""
    text = "none" if value is None else str(value).lower() if isinstance(value, bool) else clean(value)
    return f"{clean(key.removesuffix('.name').removesuffix('.type'))} {text}"


def _tells(key: str, here: Mapping[str, Any], everywhere: Mapping[str, Collection[Any]]) -> bool:
    """Whether a reader needs a key: not where it does not apply, nor where it is merely not switched on."""
    if here[key] is not None:
        return here[key] is not False or True in everywhere.get(key, ())
    parent = key.rpartition(".")[0]
    return not {f"{parent}.name", f"{parent}.type"} & (here.keys() - {key})


def remarks(comparison: Comparison, group: Group) -> Iterator[str]:
    """What stands below a row: runs without a result, pairs that are none, what more seeds would tell."""
    difference, first = group.difference, comparison.question.measures[0]
    counts = columns.counts(group)
    if counts != str(group.n):
        yield f"n {counts}{', never better' * bool(group.diverged and difference)}"
    if difference and not difference.paired:
        yield f"{'' if comparison.question.unpaired else 'no seed in common: '}not paired, Welch's test"
    if difference and difference.verdict == "undecided" and difference.paired and not group.diverged:
        shows = "can show none"
        if difference.detectable is not None:
            shows = f"would show {formatting.sized(first, difference.detectable)}"
        this = formatting.sized(first, abs(difference.mean))
        needs = f"about {difference.further}" if difference.further else "over 1,000"
        yield f"{formatting.counted(difference.n, 'seed')} {shows}" + f"; {this} needs {needs} more" * (
            difference.n > 1
        )


def legend(comparison: Comparison, *, with_remarks: bool = True) -> Iterator[str]:
    """What the marks, columns and remarks mean, a line for each that occurs."""
    groups = [group for block in comparison.blocks for group in block.groups]
    differences = [group.difference for group in groups if group.difference]
    marks = {columns.mark(group, measure) for group in groups for measure in columns.shown(comparison)}
    if columns.BEST in marks:
        yield f"{columns.BEST} best mean{', losses with diverged runs aside' * any(group.diverged for group in groups)}"
    if columns.NO_SOFTMAX in marks:
        yield f"{columns.NO_SOFTMAX} the loss trains no softmax probabilities, so this is never marked best"
    if len(columns.shown(comparison)) > len(comparison.question.measures):
        yield "scaled: of softmax(z/T), T fitted to the NLL of each run's validation images"
    if any(group.n > 1 for group in groups):
        confidence = formatting.percent(comparison.question.confidence)
        yield f"± standard deviation over seeds; [ ] {confidence} interval, not adjusted for the number of comparisons"
    if any(difference.paired for difference in differences):
        yield (
            "p: exact sign-flip test of the paired differences, adjusted by Holm for "
            f"{formatting.counted(comparison.comparisons, 'comparison')}"
            + "; won: seeds in which the loss did better"
            * with_remarks
        )
    if with_remarks and any(difference.further or difference.detectable for difference in differences):
        yield "would show, needs: with 80 % probability, if the seeds to come scatter like these"
    if (rope := comparison.question.rope) is not None:
        size = formatting.sized(comparison.question.measures[0], rope)
        yield f"equivalent: the whole interval of the difference lies within ±{size}"


def notes(comparison: Comparison) -> Iterator[str]:
    """What a reader of the numbers must know, a sentence each."""
    if comparison.baseline is None:
        yield "no differences: there is no categorical_crossentropy with its defaults; name a --baseline"
    yield from _too_few_seeds(comparison)
    yield from map(_hidden, comparison.hidden)
    yield from map(_chosen, comparison.tuned)
    yield from _different_budgets(comparison.tuned)
    yield from _different_seeds(comparison)
    for label in comparison.averaged:
        yield f"{clean(label)}: several runs of one condition and seed, averaged first"
    for loss in comparison.ambiguous:
        yield f"{clean(loss)} stands for different settings, told apart by a suffix"
    for label, where in comparison.absent:
        yield f"in {clean(comparison.baseline)}, but without a run now: {named(label, where)}"
    for copy, kept in comparison.duplicates:
        yield f"counted once: {clean(copy)} is the same trial as {clean(kept)}"
    if len(comparison.versions) > 1:
        yield f"runs of several versions of lossbench: {', '.join(map(clean, comparison.versions))}"


def _too_few_seeds(comparison: Comparison) -> Iterator[str]:
    least = comparison.fewest_seeds
    pairs = [
        group.difference.n
        for block in comparison.blocks
        for group in block.groups
        if group.difference and group.difference.paired
    ]
    if any(n < least for n in pairs):
        among = formatting.counted(comparison.comparisons, "comparison")
        yield f"with {among} no verdict is possible below {formatting.counted(least, 'seed')}"


def _hidden(hidden: HiddenKey) -> str:
    values = (
        f"{setting(hidden.key, value).rpartition(' ')[2] if value is None else clean(value)} ({_some(labels)})"
        for value, labels in hidden.values.items()
    )
    return f"differs between losses: {clean(hidden.key)} {', '.join(values)}"


def _some(labels: tuple[str, ...]) -> str:
    few = 3
    return ", ".join(map(clean, labels[:few])) + f" and {len(labels) - few} more" * (len(labels) > few)


def _chosen(choice: Choice) -> str:
    tried = f"best of {len(choice.tried)} by {choice.measure}" if choice.tried[1:] else "the only value"
    return (
        f"tuned: {named(choice.label, choice.condition)}: {setting(choice.key, choice.value)}, "
        f"{tried} ({formatting.counted(choice.runs, 'run')})"
    )


def _different_budgets(choices: tuple[Choice, ...]) -> Iterator[str]:
    if len({(len(choice.tried), choice.runs) for choice in choices}) > 1:
        yield "tuned with different budgets: a loss that was tried more often has an advantage"


def _different_seeds(comparison: Comparison) -> Iterator[str]:
    """A warning for each block whose means are not over the same seeds, naming the losses that differ from most."""
    for block in comparison.blocks:
        lists = {clean(group.label): formatting.seeds(group.seeds) for group in block.groups if group.n}
        usual = Counter(lists.values()).most_common(1)
        others = [f"{loss} over {values}" for loss, values in lists.items() if values != usual[0][0]]
        if others:
            where = condition(comparison, block)
            yield f"means over other seeds than {usual[0][0]}{f' ({where})' * bool(where)}: {'; '.join(others)}"


def left_out(block: Block) -> str:
    """What stands below a table that does not show all groups; empty if it does."""
    return f"{block.left_out} more not shown" if block.left_out else ""
