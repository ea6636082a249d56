"""Display names of losses: what readers see in place of a label."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lossbench.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lossbench.analysis.map_result import LossMap
    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Block, Comparison, Group


def choose(readings: Iterable[Mapping[str, str]], comparison: Comparison) -> dict[str, str]:
    """Return the display name of each label that has one.

    Args:
        readings: For each name, the ways in which its text can be read, as label -> name. `focal gamma=2=Ours` can
            name `focal` or `focal gamma=2`; the longest label that exists is meant.
        comparison: The comparison, which has the labels that exist.

    Raises:
        UsageError: A label does not exist or is named twice, or two labels have one name.
    """
    labels = {group.label for block in comparison.blocks for group in block.groups}
    names: dict[str, str] = {}
    for each in readings:
        label = max((label for label in each if label in labels), key=len, default=None)
        if label is None:
            first, *others = each
            meant = next((label for label in reversed(others) if did_you_mean(label, labels)), first)
            near = did_you_mean(meant, labels) or f"; there are {', '.join(sorted(labels))}"
            raise UsageError(f"no group {meant!r}{near}", parameter="labels")
        if label in names:
            raise UsageError(f"{label!r} has two names: {names[label]!r} and {each[label]!r}", parameter="labels")
        names[label] = each[label]
    shown = [names.get(label, label) for label in sorted(labels)]
    if twice := next((name for name in shown if shown.count(name) > 1), None):
        raise UsageError(f"two groups would be called {twice!r}; choose different names", parameter="labels")
    return names


def with_names(answer: Answer) -> Answer:
    """Return an answer with display names in place of labels, for readers; formats for programs keep the labels."""
    names = answer.names
    if not names:
        return answer

    def named(label: Any) -> Any:
        return names.get(label, label)

    return replace(
        answer,
        comparison=_comparison(answer.comparison, named),
        gate_results=tuple(
            replace(each, label=named(each.label), reference=named(each.reference)) for each in answer.gate_results
        ),
        image_comparisons=tuple(
            replace(each, label=named(each.label), reference=named(each.reference)) for each in answer.image_comparisons
        ),
        rows=tuple({**row, "loss": named(row["loss"])} for row in answer.rows),
    )


def _comparison(comparison: Comparison, named: Callable[[Any], Any]) -> Comparison:
    return replace(
        comparison,
        baseline=comparison.baseline if comparison.baseline_is_file else named(comparison.baseline),
        hidden=tuple(
            replace(each, values={value: tuple(map(named, labels)) for value, labels in each.values.items()})
            for each in comparison.hidden
        ),
        blocks=tuple(_block(block, named) for block in comparison.blocks),
        absent=tuple((named(label), condition) for label, condition in comparison.absent),
        ambiguous=tuple(map(named, comparison.ambiguous)),
        averaged=tuple(map(named, comparison.averaged)),
        tuned=tuple(replace(each, label=named(each.label)) for each in comparison.tuned),
        loss_map=comparison.loss_map and _map(comparison.loss_map, named),
    )


def _map(of: LossMap, named: Callable[[Any], Any]) -> LossMap:
    def renamed(items: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(replace(each, label=named(each.label)) for each in items)

    return replace(
        of,
        cells=tuple(
            replace(cell, entries=renamed(cell.entries), missing=tuple(map(named, cell.missing))) for cell in of.cells
        ),
        losses=renamed(of.losses),
        single_best=named(of.single_best),
        safest=named(of.safest),
        unranked=tuple(map(named, of.unranked)),
    )


def _block(block: Block, named: Callable[[Any], Any]) -> Block:
    def renamed(group: Group) -> Group:
        reference = group.reference and replace(group.reference, label=named(group.reference.label))
        return replace(group, label=named(group.label), reference=reference)

    return replace(block, groups=tuple(map(renamed, block.groups)))
