"""The text around a comparison's table: remarks below a row, the legend, and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench.report import formatting, wording
from lossbench.report.comparison import columns, plan_notes, seed_notes, tuned_notes
from lossbench.report.formatting import clean, count_of
from lossbench.report.wording import group_name, setting
from lossbench.runs import read
from lossbench.statistics import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossbench.analysis.result import Block, Choice, Comparison, Contrast, Group
    from lossbench.runs.grouping import HiddenKey


def remarks(comparison: Comparison, group: Group) -> Iterator[str]:
    """Yield the remarks below a row: runs without a result, unpaired seeds, how many more seeds are needed."""
    difference, first = group.difference, comparison.query.metrics[0]
    yield from tuned_notes.remarks(group)
    if group.unlike:
        yield f"{wording.NOT_ALIKE}: {wording.unlike_keys(group.unlike)}"
    counts = wording.run_counts(group)
    if counts != str(group.n):
        yield f"n {counts}{', never better' * bool(group.diverged and difference)}"
    if difference and not difference.paired:
        yield f"{'' if comparison.query.unpaired else 'no seed in common: '}not paired, Welch's test"
    if difference and difference.look is not None:
        yield from plan_notes.look_remarks(difference, group)
    elif difference and difference.verdict == "undecided" and difference.paired and not group.diverged:
        shows = "cannot show a difference"
        if difference.detectable is not None:
            shows = f"would show {formatting.with_unit(first, difference.detectable)}"
        this = formatting.with_unit(first, abs(difference.mean))
        needs = f"about {difference.further}" if difference.further else "over 1,000"
        yield f"{count_of(difference.n, 'seed')} {shows}" + f"; {this} needs {needs} more" * (difference.n > 1)


def labelled_remarks(comparison: Comparison, block: Block) -> Iterator[str]:
    """Yield the remarks on all rows of a block, each with the label of its row."""
    for group in block.groups:
        for remark in remarks(comparison, group):
            yield f"{clean(group.label)}: {remark}"


def legend(comparison: Comparison, *, with_remarks: bool = True) -> Iterator[str]:
    """Yield the meaning of the marks, columns and remarks, a line for each that occurs."""
    groups = [group for block in comparison.blocks for group in block.groups]
    differences = [group.difference for group in groups if group.difference]
    marks = {columns.value_mark(group, metric) for group in groups for metric in columns.shown_metrics(comparison)}
    if columns.BEST in marks:
        yield f"{columns.BEST} best mean{_left_out(comparison)}"
    yield from _reading_lines(comparison, marks)
    if any(group.n > 1 for group in groups):
        confidence = formatting.percent(comparison.query.confidence)
        yield f"± standard deviation over seeds; [ ] {confidence} interval, not adjusted for the number of comparisons"
    yield from plan_notes.legend(comparison)
    if any(group.unlike for group in groups):
        yield f"{wording.NOT_ALIKE}: baseline / loss; no verdict unless these keys are allowed to be different"
    if text := _adjustment(comparison, differences):
        won = "; won: seeds in which the loss did better" * any(difference.paired for difference in differences)
        yield text + won * with_remarks
    if with_remarks and any(difference.further or difference.detectable for difference in differences):
        yield "would show, needs: with 80 % probability, if further seeds vary like these"
    if (rope := comparison.query.margin) is not None:
        size = formatting.with_unit(comparison.query.metrics[0], rope)
        yield f"equivalent: the whole interval of the difference lies between {formatting.MINUS}{size} and +{size}"


def pivot_legend(comparison: Comparison) -> Iterator[str]:
    """Yield the meaning of the marks of a pivot, whose cells have no intervals."""
    groups = [group for block in comparison.blocks for group in block.groups]
    marks = {columns.value_mark(group, metric) for group in groups for metric in columns.shown_metrics(comparison)}
    if columns.BEST in marks:
        yield f"{columns.BEST} best mean of its column{_left_out(comparison)}"
    if comparison.baseline is not None:
        better, worse, equal = (columns.VERDICT_MARKS[each] for each in ("better", "worse", "identical"))
        unlike = f"{columns.VERDICT_MARKS[wording.NOT_ALIKE]} {wording.NOT_ALIKE}, "
        yield (
            f"{better} better than {clean(comparison.baseline)} in {comparison.query.metrics[0].title}, {worse} worse, "
            f"{equal} equivalent or identical, {unlike * any(group.unlike for group in groups)}no mark: undecided"
            + f"; p ≤ {ALPHA:g}, adjusted for {count_of(comparison.comparisons, 'comparison')}"
            * bool(comparison.comparisons)
        )
        yield from plan_notes.verdict_lines(comparison)
    yield from _reading_lines(comparison, marks)
    if any(group.n > 1 for group in groups):
        yield "± standard deviation over seeds"


def _left_out(comparison: Comparison) -> str:
    """Return which losses cannot be the best: `, without losses with diverged runs`; empty where all can."""
    groups = [group for block in comparison.blocks for group in block.groups]
    left_out = (
        "with diverged runs" * any(group.diverged for group in groups),
        "that are not alike" * bool(comparison.unlike),
    )
    without = " or ".join(filter(None, left_out))
    return f", without losses {without}" * bool(without)


def _reading_lines(comparison: Comparison, marks: set[str]) -> Iterator[str]:
    """Yield the meaning of what every format shows: values that rank nothing, scaled metrics, the arrows."""
    if columns.NO_SOFTMAX in marks:
        trains_none = "the loss trains no softmax probabilities, or does not declare them"
        yield f"{columns.NO_SOFTMAX} {trains_none}, so this is never marked best"
    if len(columns.shown_metrics(comparison)) > len(comparison.query.metrics):
        yield "scaled: of softmax(z/T), T fitted to the NLL of each run's validation images"
    yield f"{formatting.HIGHER} higher is better, {formatting.LOWER} lower is better"


def _adjustment(comparison: Comparison, differences: Sequence[Contrast]) -> str:
    """Return how p was computed and adjusted, for paired and for unpaired comparisons; empty without p."""
    among = count_of(comparison.comparisons, "comparison")
    match sorted({difference.adjustment for difference in differences if difference.adjustment}):
        case ["Holm", "max-T"]:
            return (
                "p: paired rows by sign flips, adjusted by max-T; unpaired rows by Welch's test, adjusted by Holm; "
                "both doubled, as these are two families"
            )
        case ["max-T"]:
            return f"p: sign-flip test of the paired differences, adjusted by max-T for {among}"
        case ["Holm"]:
            return f"p: Welch's test, adjusted by Holm for {among}"
    return ""


def notes(comparison: Comparison, *, with_tuning: bool = True) -> Iterator[str]:
    """Yield everything else that a reader of the numbers must know, a sentence each.

    Args:
        comparison: The comparison.
        with_tuning: Whether to include the values that were tuned, a line for each loss.
    """
    if comparison.baseline is None:
        labels = {group.label for block in comparison.blocks for group in block.groups}
        why = "no run has categorical_crossentropy with its defaults; choose another baseline"
        yield f"no differences: {'there is only one loss' if len(labels) == 1 else why}"
    yield from seed_notes.too_few(comparison)
    yield from seed_notes.unequal(comparison)
    yield from plan_notes.notes(comparison)
    yield from seed_notes.different(comparison)
    yield from run_notes(comparison, with_tuning=with_tuning)


def run_notes(comparison: Comparison, *, with_tuning: bool = True) -> Iterator[str]:
    """Yield what a reader must know of the runs themselves, whatever is computed from them."""
    yield from _missing_metrics(comparison)
    yield from _costs(comparison)
    remarked = {each.key for block in comparison.blocks for group in block.groups for each in group.unlike}
    for hidden in comparison.hidden:
        if hidden.key not in remarked:
            yield _hidden(hidden, is_unlike=hidden.key in comparison.unlike)
    if with_tuning:
        yield from tuning_notes(comparison)
    yield from _different_budgets(comparison.tuned)
    yield from tuned_notes.notes(comparison)
    for label in comparison.averaged:
        yield f"{clean(label)}: several runs of one condition and seed, averaged first"
    for loss in comparison.ambiguous:
        yield f"{clean(loss)} has different settings, each with a suffix of its own"
    for label, where in comparison.absent:
        yield f"in {clean(comparison.baseline)} but without a run now: {group_name(label, where)}"
    for copy, kept in comparison.duplicates:
        yield f"counted once: {clean(copy)} is the same trial as {clean(kept)}"
    if len(comparison.versions) > 1:
        yield f"runs of several versions of lossbench: {', '.join(map(clean, comparison.versions))}"


def _missing_metrics(comparison: Comparison) -> Iterator[str]:
    """Name the metrics that no completed run has, e.g. because they were added to lossbench later."""
    groups = [group for block in comparison.blocks for group in block.groups if group.n]
    for metric in comparison.query.metrics:
        if groups and not any(group.metrics[metric.name].values for group in groups):
            yield f"no run has {metric.title}"


def _costs(comparison: Comparison) -> Iterator[str]:
    """Warn of numbers that depend on the machine."""
    for metric in comparison.query.metrics:
        if metric.judges == "machine":
            yield (
                f"{metric.title}: training steps only, on the machine that trained the run; not comparable between "
                "machines, devices or loads; the first trial of a process also compiles"
            )


def _hidden(hidden: HiddenKey, *, is_unlike: bool) -> str:
    named = {value: formatting.first_few(labels) for value, labels in hidden.values.items()}
    values = (
        f"{setting(hidden.key, value).rpartition(' ')[2] if value is None else clean(value)} ({labels})"
        for value, labels in named.items()
    )
    what = "not ranked together, as they are not alike" if is_unlike else "differs between losses"
    return f"{what}: {clean(hidden.key)} {', '.join(values)}"


def tuning_notes(comparison: Comparison) -> Iterator[str]:
    """Yield the value that was chosen for each loss, sorted, then a warning for each at the end of its grid."""
    yield from sorted(map(_tuned, comparison.tuned))
    yield from sorted(line for choice in comparison.tuned for line in _at_the_edge(choice))


def _at_the_edge(choice: Choice) -> Iterator[str]:
    """Yield a warning if the best value is the first or the last of several numbers; nothing lies below 0 or none."""
    numbers = [value for value in choice.tried if read.is_number(value)]
    if len(numbers) < 2:  # noqa: PLR2004 - one value has no range
        return
    ends = {"smallest": None if None in choice.tried else min(numbers), "largest": max(numbers)}
    for end, edge in ends.items():
        if choice.value == edge and edge:
            where = group_name(choice.label, choice.condition)
            yield f"{where}: {clean(choice.key)} is best at {choice.value}, the {end} value tried: widen the grid"


def _tuned(choice: Choice) -> str:
    tried = f"best of {len(choice.tried)} by {choice.metric}" if choice.tried[1:] else "the only value"
    return (
        f"tuned: {group_name(choice.label, choice.condition)}: {setting(choice.key, choice.value)}, "
        f"{tried} ({count_of(choice.runs, 'run')})"
    )


def _different_budgets(choices: tuple[Choice, ...]) -> Iterator[str]:
    if len({(len(choice.tried), choice.runs) for choice in choices}) > 1:
        yield "tuned with different budgets: a loss that was tried more often has an advantage"


def left_out_line(block: Block) -> str:
    """Return the line below a table that does not show all groups; empty if it does."""
    return f"{block.left_out} more not shown" if block.left_out else ""
