"""Requirements of the gate: the losses and seeds without which it has no evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lossbench.analysis.gate_result import GateResult, Requirement, of_group
from lossbench.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossbench.analysis.gate_result import GateOutcome
    from lossbench.analysis.result import Block, Comparison, Group


def required_losses(comparison: Comparison) -> Iterator[GateResult]:
    """Yield a result per required loss and condition; a loss needs a completed run."""
    names = comparison.query.require_losses
    others = {group.label for block in comparison.blocks for group in block.groups} - set(names)
    for name in names:
        rule = Requirement(f"{name} is required")
        for block in comparison.blocks:
            groups = [group for group in block.groups if group.label.partition(" #")[0] == name]
            if not groups:
                hint = did_you_mean(name, others)
                yield GateResult(rule, name, block.condition, "missing", "no run", hint=hint)
            for group in groups:
                outcome: GateOutcome = "passed" if group.n else "missing"
                yield replace(of_group(rule, block, group, outcome, "seeds"), n=group.n)


def required_seeds(comparison: Comparison) -> Iterator[GateResult]:
    """Yield the groups without the required number of seeds, or without the losses and seeds of a baseline file."""
    required = comparison.query.require_seeds
    if comparison.baseline_is_file:
        rule = Requirement(f"the runs of {comparison.baseline} are required")
        for label, condition in comparison.absent:
            yield GateResult(rule, label, condition, "missing", "no run", comparison.baseline)
    for block in comparison.blocks:
        for group in block.groups:
            if required:
                outcome: GateOutcome = "passed" if group.n >= required else "missing"
                rule = Requirement(f"{required} seeds are required", required)
                yield replace(of_group(rule, block, group, outcome, "seeds"), n=group.n)
            elif required is None and comparison.baseline_is_file and group.reference:
                yield from _stored_seeds(comparison, block, group, group.reference.seeds)


def _stored_seeds(comparison: Comparison, block: Block, group: Group, seeds: Sequence[int]) -> Iterator[GateResult]:
    if lacking := tuple(sorted(set(seeds) - set(group.seeds))):
        rule = Requirement(f"the seeds of {comparison.baseline} are required", len(seeds))
        found = of_group(rule, block, group, "missing", "seeds", comparison.baseline)
        yield replace(found, n=len(seeds) - len(lacking), seeds=lacking)
