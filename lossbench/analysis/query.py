"""One function from a query about run folders to its answer, shared by `compare`, `report` and the Python API."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from lossbench.analysis import baseline_file, decisions, gate, loading, names, pivot, tunings
from lossbench.analysis.comparison import compare
from lossbench.analysis.images import compare_images
from lossbench.analysis.loss_map import check as check_map
from lossbench.analysis.loss_map import loss_map
from lossbench.analysis.result import At
from lossbench.analysis.thresholds import Threshold, parse_threshold
from lossbench.analysis.tune import tune
from lossbench.analysis.where import select
from lossbench.errors import UsageError
from lossbench.metrics import DEFAULTS, METRICS, find
from lossbench.sizes import parse_rope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.analysis.gate_result import GateResult
    from lossbench.analysis.images import ImageComparison
    from lossbench.analysis.result import Baseline, Comparison
    from lossbench.analysis.thresholds import CountThreshold
    from lossbench.metrics import Metric
    from lossbench.runs.index import BrokenRun
    from lossbench.runs.rows import RunRow


@dataclass(frozen=True)
class Query:
    """Runs to compare, and how to compare them.

    Attributes:
        paths: Run folders, or folders that contain them.
        where: Condition on runs, as `analysis.where` defines it; None selects all.
        seeds: Seeds to select; None selects all.
        tune: Key of which each group uses its best value by validation, e.g. `optimizer.learning_rate`.
        metric_names: Names of metrics; the first carries the verdict.
        at: Epoch whose weights were tested.
        by: Keys that define a group: `loss`, `loss.name`, or dotted keys; None: `loss`, or `loss.name` where `tune` is
            a hyperparameter of the loss.
        across: Keys that define the outermost blocks.
        pivot: Key whose values are the columns of a table of losses.
        map_keys: One or two keys whose values are the cells of a loss map; empty for no map.
        baseline: Label of the baseline; None: categorical_crossentropy, if it is among the groups.
        confidence: Confidence of the intervals, in (0, 1).
        rope: Largest difference that is equivalent to none, e.g. `0.1pp`; of NLL or Brier score, a plain number.
        unpaired: Whether seeds are not paired.
        allow_different: Keys that may differ between a loss and its baseline although they should agree, with the keys
            below them, e.g. `train.epochs` or `data`.
        thresholds: Thresholds of the gate, e.g. `delta.accuracy < -0.2pp` or `diverged > 0`.
        require_losses: Labels of losses that need a completed run in every condition.
        require_seeds: Completed seeds that every group needs; None: with a baseline file, those that it has.
        baseline_file: File of `baseline_file.save`; each group is compared with itself in that file.
        labels: For each display name, the ways in which its text can be read, as label -> name.
        images: Whether to compare saved predictions image by image.
        write_index: Whether to write `.index.json` to the folders that were searched, which makes later reads faster.
    """

    paths: tuple[Path, ...] = (Path("runs"),)
    where: str | None = None
    seeds: frozenset[int] | None = None
    tune: str | None = None
    metric_names: tuple[str, ...] = DEFAULTS
    at: At = "last"
    by: tuple[str, ...] | None = None
    across: tuple[str, ...] = ()
    pivot: str | None = None
    map_keys: tuple[str, ...] = ()
    baseline: str | None = None
    confidence: float = 0.95
    rope: str | float | None = None
    unpaired: bool = False
    allow_different: tuple[str, ...] = ()
    thresholds: tuple[str, ...] = ()
    require_losses: tuple[str, ...] = ()
    require_seeds: int | None = None
    baseline_file: Path | None = None
    labels: tuple[Mapping[str, str], ...] = ()
    images: bool = False
    write_index: bool = False

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of `metric_names`."""
        if not self.metric_names:
            raise UsageError(f"expected at least one, got none; choose {', '.join(METRICS)}", parameter="metrics")
        return tuple(map(find, self.metric_names))

    @cached_property
    def gate(self) -> tuple[Threshold | CountThreshold, ...]:
        """The thresholds, parsed."""
        return tuple(map(parse_threshold, self.thresholds))

    @cached_property
    def margin(self) -> float | None:
        """`rope` in the first metric's own unit."""
        return parse_rope(self.rope, self.metrics[0]) if self.rope is not None else None

    @property
    def group_keys(self) -> tuple[str, ...]:
        """`by`, or its default."""
        return self.by or (("loss.name",) if (self.tune or "").startswith("loss.") else ("loss",))

    @property
    def outer_keys(self) -> tuple[str, ...]:
        """The keys that make conditions whether they vary within a group or not: map, `pivot`, then `across`."""
        return tuple(dict.fromkeys((*self.map_keys, *([self.pivot] if self.pivot else ()), *self.across)))

    @property
    def all_metrics(self) -> tuple[Metric, ...]:
        """The metrics of the query and those of the thresholds, each once."""
        gated = (each.metric for each in self.gate if isinstance(each, Threshold))
        return tuple(dict.fromkeys((*self.metrics, *gated)))

    def check(self) -> None:
        """Raise a `UsageError` if a value is not valid, before any run is read."""
        if self.baseline and self.baseline_file:
            raise UsageError(
                "choose one of `baseline` and `baseline_file`",
                parameter="baseline",
                mentions=("baseline", "baseline_file"),
            )
        if self.at not in get_args(At):
            raise UsageError(f"expected {' or '.join(get_args(At))}, got {self.at!r}", parameter="at")
        if self.pivot and self.images:
            raise UsageError(
                "a pivot has no place for images; choose one of `pivot` and `images`",
                parameter="pivot",
                mentions=("pivot", "images"),
            )
        if self.map_keys and (self.pivot or self.images or self.unpaired):
            raise UsageError(
                "a map is a table of its own, with paired seeds; choose `map`, or else `pivot`, `images` or `unpaired`",
                parameter="map",
                mentions=("map", "pivot", "images", "unpaired"),
            )
        if not 0 < self.confidence < 1:
            raise UsageError(f"expected 0 < confidence < 1, e.g. 0.95, got {self.confidence}", parameter="confidence")
        if self.require_seeds is not None and self.require_seeds < 0:
            raise UsageError(f"expected a number of seeds, got {self.require_seeds}", parameter="require_seeds")
        _ = self.all_metrics, self.margin


@dataclass(frozen=True)
class Answer:
    """A comparison and what belongs to it.

    Attributes:
        comparison: The groups, their differences and verdicts, as they are to be shown.
        broken: The folders that could not be read.
        gate_results: Each threshold and requirement applied to each group.
        image_comparisons: Each group compared with its reference image by image.
        rows: The runs compared.
        names: Display names by label.
        caption: The caption of a LaTeX table; None for the comparison's title.
        latex_label: The name by which a LaTeX document refers to the table; None for none.
    """

    comparison: Comparison
    broken: tuple[BrokenRun, ...] = ()
    gate_results: tuple[GateResult, ...] = ()
    image_comparisons: tuple[ImageComparison, ...] = ()
    rows: tuple[RunRow, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    caption: str | None = None
    latex_label: str | None = None


def select_runs(query: Query, stored: Baseline | None = None) -> tuple[list[RunRow], list[BrokenRun]]:
    """Read the runs that a query selects.

    Args:
        query: The query.
        stored: The runs of its baseline file, whose keys its condition may name too.

    Returns:
        The selected runs, with every metric of the query; and the folders that could not be read.

    Raises:
        UsageError: A value of the query is not valid, or a path does not exist.
        NothingMatchedError: No run is selected.
    """
    query.check()
    found, broken = loading.rows(query.paths, write_index=query.write_index)
    selected = _select(found, query, ", ".join(map(str, query.paths)) if stored else "", stored.rows if stored else ())
    measured = loading.with_class_metrics(selected, query.all_metrics)
    return loading.with_costs(measured, query.all_metrics), broken


def answer(query: Query) -> Answer:
    """Compare the runs that a query selects, and apply its gate.

    Raises:
        UsageError: A value of the query is not valid, or names a path, key or group that does not exist.
        NothingMatchedError: No run is selected, or a threshold applies to none.
    """
    query.check()
    stored = baseline_file.load(query.baseline_file) if query.baseline_file else None
    rows, broken = select_runs(query, stored)
    if query.pivot:
        pivot.check(rows, query, query.pivot)
    if query.map_keys:
        check_map(rows, query)
    if stored:
        stored = replace(stored, rows=_select(stored.rows, query, stored.name, rows))
    rows, choices = tune(rows, query) if query.tune else (rows, ())
    comparison = replace(compare(rows, query, stored, decisions.load(rows), tunings.load(rows)), tuned=choices)
    if query.map_keys:
        comparison = replace(comparison, loss_map=loss_map(comparison))
    return Answer(
        comparison=comparison,
        broken=tuple(broken),
        gate_results=tuple(gate.judge(comparison)),
        image_comparisons=tuple(compare_images(comparison)) if query.images else (),
        rows=tuple(rows),
        names=names.choose(query.labels, comparison),
    )


def _select(rows: Sequence[RunRow], query: Query, source: str, others: Iterable[RunRow]) -> list[RunRow]:
    """Select runs of one side of a comparison with a baseline file; an error names the side."""
    keys = {key for row in others for key in row}
    return select(rows, query.where, query.seeds, source=source, keys=keys)
