"""Comparison of losses over seeds, per condition: estimates, contrasts, verdicts. Conditions are never pooled."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from lossbench import statistics
from lossbench.analysis.estimates import average_by_seed, by_seed, contrast, estimate
from lossbench.analysis.result import Block, Comparison, Group
from lossbench.errors import UsageError, did_you_mean
from lossbench.metrics import REPORTED
from lossbench.runs import grouping
from lossbench.statistics import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.analysis.query import Query
    from lossbench.analysis.result import Baseline, Contrast, Verdict
    from lossbench.metrics import Metric
    from lossbench.runs.grouping import Cell
    from lossbench.runs.rows import RunRow

DEFAULT_BASELINE = "categorical_crossentropy"


def compare(rows: Sequence[RunRow], query: Query, baseline_file: Baseline | None = None) -> Comparison:
    """Compute every group's estimates, and its contrast with the baseline with a verdict.

    Args:
        rows: The runs.
        query: How to compare them; its selection of runs is not applied.
        baseline_file: Runs of a baseline file; each group is compared with itself there, by label, condition and seed.

    Raises:
        UsageError: A run has no best epoch and the query requests it; or the baseline or a key does not exist.
    """
    counted, duplicates = grouping.drop_duplicates(rows)
    named, ambiguous = grouping.disambiguate_labels(counted)
    if query.at == "best":
        _check_best(named)
    baseline_rows = (
        grouping.disambiguate_labels(grouping.drop_duplicates(baseline_file.rows)[0])[0] if baseline_file else []
    )
    now, then = grouping.group_runs(
        named,
        by=query.group_keys,
        across=query.across,
        baseline_rows=baseline_rows,
        ignore=(query.tune,) if query.tune else (),
    )
    groups = {cell: _group(cell[1], runs, query) for cell, runs in now.cells.items()}
    earlier = {cell: _group(cell[1], runs, query) for cell, runs in then.cells.items()}
    baseline = baseline_file.name if baseline_file else _baseline(query, {label for _, label in groups})
    references = earlier if baseline_file else {cell: groups.get((cell[0], baseline or "")) for cell in groups}
    compared = _with_verdicts(groups, references, query)
    comparisons = sum(group.difference is not None for group in compared.values())
    return Comparison(
        query=query,
        baseline=baseline,
        baseline_is_file=baseline_file is not None,
        setting=now.setting,
        varying=now.varying,
        hidden=now.hidden,
        blocks=_blocks(compared, now.varying, query),
        comparisons=comparisons,
        fewest_seeds=statistics.fewest_seeds(comparisons),
        absent=tuple(
            (label, dict(zip(then.varying, condition, strict=True)))
            for condition, label in sorted(earlier.keys() - groups.keys(), key=lambda cell: (cell[1], str(cell[0])))
        ),
        duplicates=duplicates,
        ambiguous=ambiguous,
        averaged=tuple(
            sorted({label for (_, label), runs in now.cells.items() if len(runs) > len({run["seed"] for run in runs})})
        ),
        versions=tuple(sorted({str(row["lossbench"]) for row in counted if row.get("lossbench")})),
    )


def _check_best(rows: Iterable[RunRow]) -> None:
    for row in rows:
        if row["status"] == "completed" and row.get("test.best.accuracy") is None:
            raise UsageError(
                f"{row['folder']} has no best epoch, as it had no validation images; choose 'last'", parameter="at"
            )


def _baseline(query: Query, labels: Iterable[str]) -> str | None:
    labels = set(labels)
    if query.baseline is None:
        return (
            DEFAULT_BASELINE if query.group_keys in {("loss",), ("loss.name",)} and DEFAULT_BASELINE in labels else None
        )
    if query.baseline not in labels:
        near = did_you_mean(query.baseline, labels) or f"; there are {', '.join(sorted(labels))}"
        raise UsageError(f"no group {query.baseline!r}{near}", parameter="baseline")
    return query.baseline


def _group(label: str, runs: Sequence[RunRow], query: Query) -> Group:
    statuses = Counter(run["status"] for run in runs)
    names = dict.fromkeys((*(metric.name for metric in query.all_metrics), *REPORTED))
    completed = by_seed(runs)
    return Group(
        label=label,
        link=" or ".join(sorted({str(run["link"] or "unknown") for run in runs})),
        seeds=tuple(completed),
        diverged=tuple(sorted(int(run["seed"] or 0) for run in runs if run["status"] == "diverged")),
        failed=statuses["failed"],
        unfinished=statuses["running"] + statuses["interrupted"],
        metrics={
            name: estimate(average_by_seed(completed, f"test.{query.at}.{name}"), query.confidence) for name in names
        },
        folders={seed: tuple(str(run["folder"]) for run in each) for seed, each in completed.items()},
    )


def _with_verdicts(
    groups: Mapping[Cell, Group], references: Mapping[Cell, Group | None], query: Query
) -> dict[Cell, Group]:
    """Return the groups with their references, their contrasts, p adjusted over all of them, and verdicts."""
    compared = {
        cell: replace(group, reference=None if references.get(cell) is group else references.get(cell))
        for cell, group in groups.items()
    }
    first = query.metrics[0]
    contrasts = {cell: each for cell, group in compared.items() if (each := contrast(group, first, query))}
    p_values = {cell: each.p for cell, each in contrasts.items() if each.p is not None}
    adjusted = dict(zip(p_values, statistics.holm(list(p_values.values())), strict=True))
    decided = {
        cell: _with_verdict(compared[cell], replace(each, p_holm=adjusted.get(cell)), query, len(contrasts))
        for cell, each in contrasts.items()
    }
    return {cell: replace(group, difference=decided.get(cell)) for cell, group in compared.items()}


def _with_verdict(group: Group, difference: Contrast, query: Query, comparisons: int) -> Contrast:
    """Return a contrast with its verdict; if undecided, also with the seeds that would decide."""
    difference = replace(difference, verdict=_verdict(group, difference, query))
    sd = statistics.deviation(list(difference.values.values()))
    if difference.verdict != "undecided" or sd is None or group.diverged:
        return difference
    needed = statistics.seeds_needed(difference.mean, sd, comparisons)
    shows = difference.n >= statistics.fewest_seeds(comparisons)
    return replace(
        difference,
        detectable=statistics.detectable(sd, difference.n, comparisons) if shows else None,
        further=None if needed is None else max(1, needed - difference.n),
    )


def _verdict(group: Group, difference: Contrast, query: Query) -> Verdict:
    """Decide equivalence first, then by the adjusted p; a side with diverged runs is never the better one."""
    gain = query.metrics[0].gain(difference.mean)
    reference_diverged = bool(group.reference and group.reference.diverged)
    if not group.diverged and not reference_diverged:
        margin, interval = query.margin, difference.interval
        if margin is not None and interval and -margin <= interval.low and interval.high <= margin:
            return "equivalent"
        if difference.values and not any(difference.values.values()):
            return "identical"
    if difference.p_holm is not None and difference.p_holm <= ALPHA:
        if gain > 0 and not group.diverged:
            return "better"
        if gain < 0 and not reference_diverged:
            return "worse"
    return "undecided"


def _blocks(groups: Mapping[Cell, Group], varying: Sequence[str], query: Query) -> tuple[Block, ...]:
    conditions = defaultdict(list)
    for (condition, _), group in groups.items():
        conditions[condition].append(group)
    return tuple(
        Block(dict(zip(varying, condition, strict=True)), _mark_best(conditions[condition], query))
        for condition in sorted(conditions, key=grouping.sort_key)
    )


def _mark_best(groups: Sequence[Group], query: Query) -> tuple[Group, ...]:
    """Return the groups of a block with the best means marked, sorted by the first metric."""
    best = {metric.name: _best_labels(groups, metric) for metric in (*query.metrics, *REPORTED.values())}
    marked = [replace(group, best=frozenset(name for name in best if group.label in best[name])) for group in groups]
    return tuple(sorted(marked, key=lambda group: (*rank(group, query.metrics[0]), group.label)))


def rank(group: Group, metric: Metric) -> tuple[bool, float]:
    """Return the sorting key of a group: the best mean first, groups without one last."""
    mean = group.metrics[metric.name].mean
    return (mean is None, 0 if mean is None else -metric.gain(mean))


def _best_labels(groups: Iterable[Group], metric: Metric) -> set[str]:
    """Return the labels with the best mean, if at least two can be compared."""
    gains = {
        group.label: metric.gain(mean)
        for group in groups
        if (mean := group.metrics[metric.name].mean) is not None
        and not group.diverged
        and (group.link == "softmax" or not metric.needs_softmax)
    }
    if len(gains) < 2:  # noqa: PLR2004 - the best of one is no news
        return set()
    return {label for label, gain in gains.items() if gain == max(gains.values())}
