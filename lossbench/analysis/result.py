"""Records of a comparison, which reports print and plots draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lossbench.analysis.map_result import LossMap
    from lossbench.analysis.query import Query
    from lossbench.runs.decision import SweepDecision
    from lossbench.runs.grouping import HiddenKey
    from lossbench.runs.likeness import UnlikeKey
    from lossbench.runs.rows import RunRow, Scalar
    from lossbench.runs.tuning import TunedLoss, Tuning
    from lossbench.statistics import Interval

At: TypeAlias = Literal["last", "best"]
"""The epoch whose weights were tested: the last, or the best by validation."""

Count: TypeAlias = Literal["diverged", "failed", "unfinished"]
"""Runs without a result: diverged, ended by an error, or still running or interrupted."""

Verdict: TypeAlias = Literal["better", "worse", "equivalent", "identical", "undecided"]


@dataclass(frozen=True)
class Estimate:
    """A metric over seeds.

    Attributes:
        values: Values by seed, for the seeds that have one.
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
    """Group minus reference in one metric.

    Attributes:
        values: Differences by seed, over the seeds that both have; empty if seeds are not paired.
        mean: Mean of the differences; if seeds are not paired, the difference of the means.
        interval: Student's interval, Welch's if seeds are not paired, or the repeated one at a look, which few seeds
            lack; not adjusted for other comparisons.
        n: Number of pairs; if seeds are not paired, the smaller number of runs.
        paired: Whether seeds are paired.
        effect: The mean over the differences' standard deviation (unpaired: over the pooled one); None without one.
        p: Sign-flip test of no difference (unpaired: Welch's t-test); None for all but the first metric.
        p_adjusted: p adjusted over every comparison of the selection; None for all but the first metric.
        adjustment: Method of the adjustment: max-T for paired comparisons, Holm's for others; `sequential` where a
            recorded plan decided, without p.
        won: Seeds in which the group was better.
        tied: Seeds in which it was equal.
        contested: Seeds in which both ended; a diverged run loses against a completed one.
        verdict: None for all but the first metric.
        detectable: Difference that these seeds would detect with probability 0.8; None if too few for any.
        further: Further seeds needed to detect this difference; None if over 1,000 or not computed.
        look: Number of seeds at the look that made the verdict, or at the last look; None without a recorded plan.
        is_barred: Whether there is no test, as seeds were added by a plan that does not apply to this contrast.
    """

    values: Mapping[int, float]
    mean: float
    interval: Interval | None
    n: int
    paired: bool
    effect: float | None
    p: float | None
    p_adjusted: float | None = None
    adjustment: Literal["max-T", "Holm", "sequential"] | None = None
    won: int = 0
    tied: int = 0
    contested: int = 0
    verdict: Verdict | None = None
    detectable: float | None = None
    further: int | None = None
    look: int | None = None
    is_barred: bool = False

    @property
    def interval_method(self) -> Literal["Student", "Welch", "repeated"]:
        """The method of the interval."""
        return "repeated" if self.look is not None else "Student" if self.paired else "Welch"


@dataclass(frozen=True)
class Group:
    """One loss in one condition.

    Attributes:
        label: The loss, or what `by` names.
        link: `softmax`, `sigmoid` or `none`; only softmax losses train the probabilities that NLL, Brier and ECE judge.
        seeds: Seeds with a completed run; `n` is their number.
        started: Seeds with a run, whatever its status.
        diverged: Seeds whose loss became NaN or infinite, so that they have no metrics.
        failed: Number of runs that ended by an error.
        unfinished: Number of runs that are still running or were interrupted.
        metrics: Estimates by name, of the query's metrics and those that are always reported.
        folders: Folders of the completed runs, by seed.
        row: One of its runs, with the keys that all of them share.
        identities: Identities of its trials, each once: one, unless several runs of a seed are averaged.
        tuned: What was tried to find its setting, if it is the best setting of a loss that a sweep has tuned.
        reference: The group with which this one is compared; None for the baseline itself and without a baseline.
        unlike: Keys that must agree with those of the reference and do not; if there are any, there is no contrast.
        difference: Contrast with the reference in the first metric; None if one of them has no result.
        best: Metrics whose mean is the best of the block; none if runs diverged or are not alike, and none that judges
            probabilities if the loss trains no softmax.
    """

    label: str
    link: str
    seeds: tuple[int, ...]
    started: tuple[int, ...]
    diverged: tuple[int, ...]
    failed: int
    unfinished: int
    metrics: Mapping[str, Estimate]
    folders: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    row: RunRow = field(default_factory=dict, compare=False, repr=False)
    identities: tuple[str, ...] = ()
    tuned: TunedLoss | None = None
    reference: Group | None = None
    unlike: tuple[UnlikeKey, ...] = ()
    difference: Contrast | None = None
    best: frozenset[str] = frozenset()

    @property
    def n(self) -> int:
        """The number of seeds with a completed run."""
        return len(self.seeds)


@dataclass(frozen=True)
class Block:
    """The groups of one condition, the best in the first metric first; `left_out` more are not shown."""

    condition: Mapping[str, Scalar]
    groups: tuple[Group, ...]
    left_out: int = 0


@dataclass(frozen=True)
class Choice:
    """The best value of a tuned key by validation, for one group in one condition.

    Attributes:
        label: The group's label.
        condition: The condition.
        key: The tuned key.
        value: The best value.
        tried: Every value with a completed run; with `runs`, the tuning budget.
        runs: Number of runs among which the value was chosen, finished or not.
        metric: The name of the validation metric.
        mean: Its mean over seeds at the best value.
    """

    label: str
    condition: Mapping[str, Scalar]
    key: str
    value: Scalar
    tried: tuple[Scalar, ...]
    runs: int
    metric: str
    mean: float


@dataclass(frozen=True)
class RecordedPlan:
    """The decision that a sweep recorded, with the reasons why it does not apply to contrasts of a comparison.

    Attributes:
        folder: The sweep's folder.
        decision: Plan and looks.
        reasons: Why contrasts have no verdict; empty if the plan applies to all of its losses.
    """

    folder: str
    decision: SweepDecision
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordedTuning:
    """The tuning that a sweep recorded."""

    folder: str
    tuning: Tuning


@dataclass(frozen=True)
class Comparison:
    """A comparison of groups, per condition.

    Attributes:
        query: The query that it answers.
        baseline: Label of the baseline, or name of the baseline file; None without a baseline.
        baseline_is_file: Whether it was read from a file.
        setting: The keys that have one value in all runs.
        varying: The keys that distinguish the blocks.
        hidden: The keys that differ only between groups; each gets a footnote.
        unlike: Those of `hidden` that must agree before losses are compared or ranked, unless the query allows them.
        blocks: One for each condition.
        comparisons: Number of contrasts over all blocks for which p is adjusted.
        absent: Labels of the baseline file without a run now, each with its condition.
        duplicates: Folders left out because they hold the same trial as another: (left out, counted).
        ambiguous: Labels that stood for different settings; each got a suffix.
        averaged: Labels under which several runs of one condition and seed were averaged first.
        versions: The versions of lossbench that wrote the runs.
        tuned: The values chosen by validation, if the query tunes a key.
        plans: The plans of sweeps that added seeds until they were decided.
        loss_map: Which losses may be best in each cell of the query's map keys; None without such keys.
        tunings: The tunings of sweeps that tuned each loss before.
    """

    query: Query
    baseline: str | None
    baseline_is_file: bool
    setting: RunRow
    varying: tuple[str, ...]
    hidden: tuple[HiddenKey, ...]
    unlike: tuple[str, ...]
    blocks: tuple[Block, ...]
    comparisons: int
    absent: tuple[tuple[str, Mapping[str, Scalar]], ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    ambiguous: tuple[str, ...] = ()
    averaged: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    tuned: tuple[Choice, ...] = ()
    plans: tuple[RecordedPlan, ...] = ()
    loss_map: LossMap | None = None
    tunings: tuple[RecordedTuning, ...] = ()


@dataclass(frozen=True)
class Baseline:
    """The runs of a baseline file, and the file's name."""

    name: str
    rows: Sequence[RunRow]
