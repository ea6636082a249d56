"""The records that a comparison consists of: what reports print and plots draw. No arithmetic but a count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lossbench.analysis.query import Query
    from lossbench.runs.grouping import HiddenKey
    from lossbench.runs.rows import RunRow, Scalar
    from lossbench.statistics import Interval

Verdict: TypeAlias = Literal["better", "worse", "equivalent", "identical", "undecided"]


@dataclass(frozen=True)
class Estimate:
    """A measure over seeds.

    Attributes:
        values: By seed, those that have one.
        mean: None where there is no value, or where a completed run lacks it.
        sd: Sample standard deviation; None for one seed.
        interval: Student's interval of the mean; None for one seed.
    """

    values: Mapping[int, float] = field(default_factory=dict)
    mean: float | None = None
    sd: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True)
class Contrast:
    """A group against what it is compared with, in one measure; group minus reference.

    Attributes:
        values: By seed, over the seeds that both have; empty where seeds are not paired.
        mean: Of the differences; of the unpaired, the difference of the means.
        interval: Student's, or Welch's where seeds are not paired; not adjusted for other comparisons.
        n: The pairs; where seeds are not paired, the fewer runs of the two.
        paired: Whether seeds are paired.
        effect: The mean over the differences' standard deviation (unpaired: over the pooled one); None without one.
        p: Exact sign-flip test of no difference (unpaired: Welch's t-test).
        p_holm: p adjusted over every comparison of the selection; None for all but the first measure.
        won: Seeds in which the group was better.
        tied: Seeds in which it was equal.
        contested: Seeds in which both ended, a diverged run against a completed one being lost.
        verdict: None for all but the first measure.
        detectable: The difference that these seeds would show with probability 0.8; None if they show none at all.
        further: The seeds still needed to show this one; None if over 1,000, or if seeds are not the matter.
    """

    values: Mapping[int, float]
    mean: float
    interval: Interval | None
    n: int
    paired: bool
    effect: float | None
    p: float | None
    p_holm: float | None = None
    won: int = 0
    tied: int = 0
    contested: int = 0
    verdict: Verdict | None = None
    detectable: float | None = None
    further: int | None = None


@dataclass(frozen=True)
class Group:
    """One loss in one condition.

    Attributes:
        label: The loss, or what `by` names.
        link: softmax, sigmoid or none: only softmax losses train the probabilities that NLL, Brier and ECE look at.
        seeds: Those with a completed run; `n` is their number.
        diverged: The seeds whose loss became NaN or infinite: a result, though not one with metrics.
        failed: How many runs ended by an error.
        unfinished: How many are still running or were interrupted.
        metrics: An estimate for each measure asked for and each that is always reported, by name.
        folders: The completed runs' folders by seed.
        reference: What the group is compared with; None for the baseline itself and where there is none.
        difference: From the reference, in the first measure; None without shared results.
        best: The measures whose mean is the best of the block: none with diverged runs, and without softmax none of
            the probabilities as given.
    """

    label: str
    link: str
    seeds: tuple[int, ...]
    diverged: tuple[int, ...]
    failed: int
    unfinished: int
    metrics: Mapping[str, Estimate]
    folders: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    reference: Group | None = None
    difference: Contrast | None = None
    best: frozenset[str] = frozenset()

    @property
    def n(self) -> int:
        """The number of seeds with a completed run."""
        return len(self.seeds)


@dataclass(frozen=True)
class Block:
    """The groups of one condition, the best in the first measure first; `left_out` more are not shown."""

    condition: Mapping[str, Scalar]
    groups: tuple[Group, ...]
    left_out: int = 0


@dataclass(frozen=True)
class Choice:
    """The value of a key that served a group best in one condition, by validation.

    Attributes:
        label: The group.
        condition: Where.
        key: What was tuned.
        value: The best value.
        tried: Every value that the group had a completed run of: its budget, beside the number of `runs`.
        runs: All runs that the choice was made from, finished or not.
        measure: The name of the validation metric.
        mean: Its mean over seeds at the best value.
    """

    label: str
    condition: Mapping[str, Scalar]
    key: str
    value: Scalar
    tried: tuple[Scalar, ...]
    runs: int
    measure: str
    mean: float


@dataclass(frozen=True)
class Comparison:
    """What `compare` shows.

    Attributes:
        query: The query that it answers.
        baseline: What the differences are from: a label, or a stored baseline's name; None where there is none.
        baseline_is_file: Whether it was read from a file.
        setting: The keys on which all runs agree.
        varying: The keys that part the blocks.
        hidden: The keys that differ between groups only: a footnote each.
        blocks: One for each condition.
        comparisons: How many groups are compared in the first measure, over all blocks: Holm's family.
        fewest_seeds: Below this, no verdict is possible among so many.
        absent: Labels of a stored baseline without a run now, each with its condition.
        duplicates: Folders left out because they hold the same trial as another: (left out, counted).
        ambiguous: Labels behind which different settings stood; each got a suffix.
        averaged: Labels under which several runs of one condition and seed were averaged first.
        versions: The versions of lossbench that wrote the runs.
        tuned: What was chosen by validation for each group, if anything was.
    """

    query: Query
    baseline: str | None
    baseline_is_file: bool
    setting: RunRow
    varying: tuple[str, ...]
    hidden: tuple[HiddenKey, ...]
    blocks: tuple[Block, ...]
    comparisons: int
    fewest_seeds: int
    absent: tuple[tuple[str, Mapping[str, Scalar]], ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    ambiguous: tuple[str, ...] = ()
    averaged: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    tuned: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Baseline:
    """The runs of a stored baseline, and what it is called."""

    name: str
    rows: Sequence[RunRow]
