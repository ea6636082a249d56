"""Comparison of losses over seeds, per condition: estimates, contrasts, verdicts. Conditions are never pooled."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lossbench import statistics
from lossbench.analysis.measure import Measure, measure
from lossbench.analysis.result import Block, Comparison, Contrast, Estimate, Group
from lossbench.errors import UsageError, did_you_mean
from lossbench.metrics import REPORTED
from lossbench.runs import grouping
from lossbench.statistics import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lossbench.analysis.query import Query
    from lossbench.analysis.result import Baseline, Verdict
    from lossbench.runs.grouping import Cell
    from lossbench.runs.rows import RunRow, Scalar
    from lossbench.statistics import Interval

DEFAULT_BASELINE = "categorical_crossentropy"
RANDOM_SEED = 0
"""Seed of the sign-flip test's draws above 16 seeds, so that the same runs give the same p."""


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
    references = {
        cell: earlier.get(cell) if baseline_file else groups.get((cell[0], baseline or "")) for cell in groups
    }
    judged = _judged(groups, references, query)
    family = sum(group.difference is not None for group in judged.values())
    return Comparison(
        query=query,
        baseline=baseline,
        baseline_is_file=baseline_file is not None,
        setting=now.setting,
        varying=now.varying,
        hidden=now.hidden,
        blocks=_blocks(judged, now.varying, query),
        comparisons=family,
        fewest_seeds=statistics.fewest_seeds(family),
        absent=tuple(
            (label, dict(zip(then.varying, condition, strict=True)))
            for condition, label in sorted(earlier.keys() - groups.keys(), key=lambda cell: (cell[1], str(cell[0])))
        ),
        duplicates=duplicates,
        ambiguous=ambiguous,
        averaged=tuple(sorted({label for (_, label), runs in now.cells.items() if _has_several(runs)})),
        versions=tuple(sorted({str(row["lossbench"]) for row in counted if row.get("lossbench")})),
    )


def contrast(group: Group, name: str, query: Query) -> Contrast | None:
    """Contrast a group with its reference in one measure.

    Seeds are paired, unless the query says otherwise or no seed is shared.

    Returns:
        Group minus reference; None where one of them has no value.
    """
    if group.reference is None:
        return None
    ours, theirs = group.metrics[name], group.reference.metrics[name]
    if ours.mean is None or theirs.mean is None:
        return None
    shared = sorted(ours.values.keys() & theirs.values.keys())
    if query.unpaired or not shared:
        return _unpaired(ours, theirs, query.confidence)
    values = {seed: ours.values[seed] - theirs.values[seed] for seed in shared}
    differences = np.array(list(values.values()))
    sd = statistics.deviation(differences)
    gains = [measure(name).gain(value) for value in values.values()]
    lost = len(set(group.diverged) & theirs.values.keys())
    gifts = len(set(group.reference.diverged) & ours.values.keys())
    return Contrast(
        values=values,
        mean=float(differences.mean()),
        interval=statistics.t_interval(differences, query.confidence),
        n=len(shared),
        paired=True,
        effect=float(differences.mean()) / sd if sd else None,
        p=statistics.sign_flip(differences, np.random.default_rng(RANDOM_SEED)),
        won=sum(gain > 0 for gain in gains) + gifts,
        tied=sum(gain == 0 for gain in gains),
        contested=len(shared) + lost + gifts,
    )


def estimate(values: Mapping[int, float | None], confidence: float = 0.95) -> Estimate:
    """Compute mean, sample standard deviation (n - 1) and interval of a measure over seeds.

    Args:
        values: The measure by seed; None where a completed run lacks it.
        confidence: Confidence of the interval, in (0, 1).
    """
    present = {seed: value for seed, value in values.items() if value is not None}
    numbers = list(present.values())
    if not numbers or len(present) < len(values):
        return Estimate(present)
    mean, sd = float(np.mean(numbers)), statistics.deviation(numbers)
    return Estimate(present, mean, sd, statistics.t_interval(numbers, confidence))


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


def _has_several(runs: Sequence[RunRow]) -> bool:
    return len(runs) > len({row["seed"] for row in runs})


def by_seed(runs: Iterable[RunRow]) -> dict[int, list[RunRow]]:
    """Return the completed runs by seed, in the order of seeds: one, or several to be averaged."""
    completed: dict[int, list[RunRow]] = {}
    for run in sorted(runs, key=lambda run: int(run["seed"] or 0)):
        if run["status"] == "completed":
            completed.setdefault(int(run["seed"] or 0), []).append(run)
    return completed


def averaged(completed: Mapping[int, Sequence[RunRow]], column: str) -> dict[int, float | None]:
    """Return a metric by seed, averaged where a seed has several runs; None where one of them lacks it."""
    return {seed: _average([run.get(column) for run in runs]) for seed, runs in completed.items()}


def _average(values: Sequence[Scalar]) -> float | None:
    numbers = [value for value in values if isinstance(value, int | float)]
    return sum(numbers) / len(numbers) if len(numbers) == len(values) else None


def _group(label: str, runs: Sequence[RunRow], query: Query) -> Group:
    statuses = Counter(run["status"] for run in runs)
    names = dict.fromkeys((*(each.name for each in query.all_measures), *REPORTED))
    completed = by_seed(runs)
    return Group(
        label=label,
        link=" or ".join(sorted({str(run["link"] or "unknown") for run in runs})),
        seeds=tuple(completed),
        diverged=tuple(sorted(int(run["seed"] or 0) for run in runs if run["status"] == "diverged")),
        failed=statuses["failed"],
        unfinished=statuses["running"] + statuses["interrupted"],
        metrics={name: estimate(averaged(completed, f"test.{query.at}.{name}"), query.confidence) for name in names},
        folders={seed: tuple(str(run["folder"]) for run in each) for seed, each in completed.items()},
    )


def _judged(groups: Mapping[Cell, Group], references: Mapping[Cell, Group | None], query: Query) -> dict[Cell, Group]:
    """Return the groups with their contrasts, p adjusted over all of them, and verdicts."""
    first = query.measures[0]
    judged: dict[Cell, Group] = dict(groups)
    differences: dict[Cell, Contrast] = {}
    for cell, group in groups.items():
        if (reference := references[cell]) is not None and reference is not group:
            judged[cell] = replace(group, reference=reference)
            if difference := contrast(judged[cell], first.name, query):
                differences[cell] = difference
    tested = [cell for cell, difference in differences.items() if difference.p is not None]
    adjusted = dict(zip(tested, statistics.holm([differences[cell].p or 0 for cell in tested]), strict=True))
    for cell, difference in differences.items():
        corrected = replace(difference, p_holm=adjusted.get(cell))
        judged[cell] = replace(judged[cell], difference=_with_verdict(judged[cell], corrected, query, len(differences)))
    return judged


def _with_verdict(group: Group, difference: Contrast, query: Query, comparisons: int) -> Contrast:
    verdict = _verdict(group, difference, query)
    if verdict != "undecided" or not difference.paired or group.diverged or (sd := _sd(difference)) is None:
        return replace(difference, verdict=verdict)
    needed = statistics.seeds_needed(difference.mean, sd, comparisons)
    shows = difference.n >= statistics.fewest_seeds(comparisons)
    return replace(
        difference,
        verdict=verdict,
        detectable=statistics.detectable(sd, difference.n, comparisons) if shows else None,
        further=None if needed is None else max(1, needed - difference.n),
    )


def _sd(difference: Contrast) -> float | None:
    return statistics.deviation(list(difference.values.values()))


def _verdict(group: Group, difference: Contrast, query: Query) -> Verdict:
    """Decide equivalence first, then by the adjusted p; a side with diverged runs is never the better one."""
    gain = query.measures[0].gain(difference.mean)
    unharmed = not group.diverged and not (group.reference and group.reference.diverged)
    if unharmed and query.margin is not None and _lies_within(difference.interval, query.margin):
        return "equivalent"
    if unharmed and difference.values and not any(difference.values.values()):
        return "identical"
    if difference.p_holm is not None and difference.p_holm <= ALPHA:
        if gain > 0 and not group.diverged:
            return "better"
        if gain < 0 and not (group.reference and group.reference.diverged):
            return "worse"
    return "undecided"


def _lies_within(interval: Interval | None, size: float) -> bool:
    return interval is not None and -size <= interval.low and interval.high <= size


def _unpaired(ours: Estimate, theirs: Estimate, confidence: float) -> Contrast:
    first, second = list(ours.values.values()), list(theirs.values.values())
    interval, p = statistics.welch(first, second, confidence)
    mean = float(np.mean(first) - np.mean(second))
    pooled = None
    if ours.sd is not None and theirs.sd is not None:
        freedom = len(first) + len(second) - 2
        pooled = (((len(first) - 1) * ours.sd**2 + (len(second) - 1) * theirs.sd**2) / freedom) ** 0.5
    return Contrast(
        values={},
        mean=mean,
        interval=interval,
        n=min(len(first), len(second)),
        paired=False,
        effect=mean / pooled if pooled else None,
        p=p,
    )


def _blocks(groups: Mapping[Cell, Group], varying: Sequence[str], query: Query) -> tuple[Block, ...]:
    conditions = defaultdict(list)
    for (condition, _), group in groups.items():
        conditions[condition].append(group)
    return tuple(
        Block(dict(zip(varying, condition, strict=True)), _marked(conditions[condition], query))
        for condition in sorted(conditions, key=grouping.sort_key)
    )


def _marked(groups: Sequence[Group], query: Query) -> tuple[Group, ...]:
    """Return the groups of a block with the best means marked, sorted by the first measure."""
    measures = {each.name: each for each in (*query.measures, *map(measure, REPORTED))}
    best = {name: _best(groups, each) for name, each in measures.items()}
    marked = [replace(group, best=frozenset(name for name in best if group.label in best[name])) for group in groups]
    return tuple(sorted(marked, key=lambda group: (*rank(group, query.measures[0]), group.label)))


def rank(group: Group, by: Measure) -> tuple[bool, float]:
    """Return the sorting key of a group: the best mean first, groups without one last."""
    mean = group.metrics[by.name].mean
    return (mean is None, 0 if mean is None else -by.gain(mean))


def _best(groups: Iterable[Group], by: Measure) -> set[str]:
    """Return the labels with the best mean, if at least two can be compared."""
    gains = {
        group.label: by.gain(mean)
        for group in groups
        if (mean := group.metrics[by.name].mean) is not None
        and not group.diverged
        and (group.link == "softmax" or not by.of_probabilities)
    }
    if len(gains) < 2:  # noqa: PLR2004 - the best of one is no news
        return set()
    return {label for label, gain in gains.items() if gain == max(gains.values())}
