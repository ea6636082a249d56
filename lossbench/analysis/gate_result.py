"""Results of the gate: one threshold or requirement applied to one group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from lossbench.analysis.thresholds import Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lossbench.analysis.result import Block, Group
    from lossbench.analysis.thresholds import CountThreshold
    from lossbench.runs.likeness import UnlikeKey
    from lossbench.runs.rows import Scalar
    from lossbench.statistics import Interval

GateOutcome: TypeAlias = Literal["failed", "missing", "undecided", "passed"]

Reason: TypeAlias = Literal[
    "beyond", "within", "count", "runs", "few seeds", "noise", "new", "unlike", "unfinished", "no run", "no value",
    "no reference", "no pair", "reference runs", "alone", "seeds",
]  # fmt: skip
"""Why a result has its outcome; `report.wording` has a sentence for each."""


@dataclass(frozen=True)
class Requirement:
    """Evidence that must be there: a loss, a number of seeds, or the seeds of a baseline file.

    Attributes:
        text: What is required, in words.
        seeds: The required number of seeds; 0 for a requirement of the loss itself.
    """

    text: str
    seeds: int = 0


@dataclass(frozen=True)
class GateResult:
    """One threshold or requirement applied to one group.

    Attributes:
        rule: Which.
        label: The group.
        condition: Its condition's keys and values.
        outcome: passed, failed, missing (evidence is not there), or undecided (too noisy, or too few seeds).
        reason: Why.
        reference: What a difference is from; None for a threshold of the mean, and where there is nothing to compare.
        mean: Of the difference or of the metric itself, or a count; None without values.
        interval: Around it, not adjusted; None for one seed.
        n: Number of seeds.
        diverged: How many runs of the group diverged.
        failed: How many runs of the group failed.
        unfinished: How many runs of the group are still running or were interrupted.
        unlike: The keys in which group and reference are not alike.
        seeds: The seeds that a requirement lacks, where it names them.
        hint: Of a required loss without runs, a suggestion for a mistyped name.
    """

    rule: Threshold | CountThreshold | Requirement
    label: str
    condition: Mapping[str, Scalar]
    outcome: GateOutcome
    reason: Reason
    reference: str | None = None
    mean: float | None = None
    interval: Interval | None = None
    n: int = 0
    diverged: int = 0
    failed: int = 0
    unfinished: int = 0
    unlike: tuple[UnlikeKey, ...] = ()
    seeds: tuple[int, ...] = ()
    hint: str = ""

    @property
    def has_evidence(self) -> bool:
        """Whether a run was found that the rule is about."""
        return bool(self.n or self.diverged or self.failed or self.unfinished or self.unlike)


def of_group(
    rule: Threshold | CountThreshold | Requirement,
    block: Block,
    group: Group,
    outcome: GateOutcome,
    reason: Reason,
    reference: str | None = None,
) -> GateResult:
    """Return a result with the counts of a group's runs, and for a difference the keys in which it is not alike."""
    return GateResult(
        rule,
        group.label,
        block.condition,
        outcome,
        reason,
        reference,
        diverged=len(group.diverged),
        failed=group.failed,
        unfinished=group.unfinished,
        unlike=group.unlike if isinstance(rule, Threshold) and rule.is_delta else (),
    )
