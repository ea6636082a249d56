"""Comparison of losses over seeds, per condition: estimates, contrasts, verdicts. Conditions are never pooled."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from lossbench import statistics
from lossbench.analysis import alike, decisions
from lossbench.analysis.adjustment import with_adjusted_p
from lossbench.analysis.estimates import average_by_seed, by_seed, contrast, estimate
from lossbench.analysis.ranking import ranked
from lossbench.analysis.result import Block, Comparison, Group, RecordedTuning
from lossbench.analysis.tunings import default_baseline, with_tuned_rows
from lossbench.errors import UsageError, did_you_mean
from lossbench.metrics import REPORTED
from lossbench.runs import grouping
from lossbench.statistics import ALPHA

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from lossbench.analysis.alike import Unlike
    from lossbench.analysis.query import Query
    from lossbench.analysis.result import Baseline, Contrast, RecordedPlan, Verdict
    from lossbench.runs.decision import SweepDecision
    from lossbench.runs.grouping import Cell
    from lossbench.runs.rows import RunRow
    from lossbench.runs.tuning import TunedLoss, Tuning


def compare(
    rows: Sequence[RunRow],
    query: Query,
    baseline_file: Baseline | None = None,
    recorded: Mapping[str, SweepDecision] = MappingProxyType({}),
    tunings: Mapping[str, Tuning] = MappingProxyType({}),
) -> Comparison:
    """Compute every group's estimates, and its contrast with the baseline with a verdict.

    Args:
        rows: The runs.
        query: How to compare them; its selection of runs is not applied.
        baseline_file: Runs of a baseline file; each group is compared with itself there, by label, condition and seed.
        recorded: The decisions that sweeps recorded beside the runs, by folder.
        tunings: The tunings that sweeps recorded beside the runs, by folder.

    Raises:
        UsageError: A run has no best epoch and the query requests it; or the baseline or a key does not exist.
    """
    alike.check_allowed((*rows, *(baseline_file.rows if baseline_file else ())), query)
    counted, duplicates = grouping.drop_duplicates(rows)
    labelled, tuned = with_tuned_rows(counted, tunings, query)
    named, ambiguous = grouping.disambiguate_labels(labelled)
    if query.at == "best":
        _check_best(named)
    stored = grouping.drop_duplicates(baseline_file.rows)[0] if baseline_file else []
    baseline_rows = grouping.disambiguate_labels(with_tuned_rows(stored, tunings, query, moved=True).rows)[0]
    now, then = grouping.group_runs(
        named,
        by=query.group_keys,
        across=query.outer_keys,
        baseline_rows=baseline_rows,
        ignore=(query.tune,) if query.tune else (),
    )
    groups = {cell: _group(cell[1], runs, query, tuned) for cell, runs in now.cells.items()}
    earlier = {cell: _group(cell[1], runs, query) for cell, runs in then.cells.items()}
    baseline = baseline_file.name if baseline_file else _baseline(query, groups.keys())
    references = earlier if baseline_file else {cell: groups.get((cell[0], baseline or "")) for cell in groups}
    unlike = alike.unlikeness(now.hidden, query)
    compared, plans = _with_verdicts(_with_references(groups, references, unlike), query, recorded)
    standard = None if baseline_file else baseline
    blocks = _blocks(
        compared, now.varying, lambda groups: ranked(groups, alike.rivals(groups, standard, unlike), query)
    )
    comparisons = sum(_is_adjusted(group.difference) for group in compared.values())
    return Comparison(
        query=query,
        baseline=baseline,
        baseline_is_file=baseline_file is not None,
        setting=now.setting,
        varying=now.varying,
        hidden=now.hidden,
        unlike=alike.differing([block.groups for block in blocks], unlike),
        blocks=blocks,
        comparisons=comparisons,
        absent=tuple(
            (label, dict(zip(then.varying, condition, strict=True)))
            for condition, label in sorted(earlier.keys() - groups.keys(), key=lambda cell: (cell[1], str(cell[0])))
            if earlier[condition, label].n
        ),
        duplicates=duplicates,
        ambiguous=ambiguous,
        averaged=tuple(
            sorted({label for (_, label), runs in now.cells.items() if len(runs) > len({run["seed"] for run in runs})})
        ),
        versions=tuple(sorted({str(row["lossbench"]) for row in counted if row.get("lossbench")})),
        plans=plans,
        tunings=tuple(
            RecordedTuning(folder, tuning)
            for folder, tuning in tunings.items()
            if any(each in tuning.losses for each in tuned.values())
        ),
    )


def _is_adjusted(difference: Contrast | None) -> bool:
    """Return whether a contrast counts among those for which p is adjusted."""
    return difference is not None and difference.look is None and not difference.is_barred


def _check_best(rows: Iterable[RunRow]) -> None:
    for row in rows:
        if row["status"] == "completed" and row.get("test.best.accuracy") is None:
            raise UsageError(
                f"{row['folder']} has no best epoch, as it had no validation images; choose 'last'", parameter="at"
            )


def _baseline(query: Query, cells: Collection[Cell]) -> str | None:
    labels = {label for _, label in cells}
    if query.baseline is None:
        usual = default_baseline(cells)
        return usual if query.group_keys in {("loss",), ("loss.name",)} and usual in labels else None
    if query.baseline not in labels:
        near = did_you_mean(query.baseline, labels) or f"; there are {', '.join(sorted(labels))}"
        raise UsageError(f"no group {query.baseline!r}{near}", parameter="baseline")
    return query.baseline


def _group(
    label: str,
    runs: Sequence[RunRow],
    query: Query,
    tuned: Mapping[tuple[str, str], TunedLoss] = MappingProxyType({}),
) -> Group:
    statuses = Counter(run["status"] for run in runs)
    names = dict.fromkeys((*(metric.name for metric in query.all_metrics), *REPORTED))
    completed = by_seed(runs)
    return Group(
        label=label,
        link=" or ".join(sorted({str(run["link"] or "unknown") for run in runs})),
        seeds=tuple(completed),
        started=tuple(sorted({int(run["seed"] or 0) for run in runs})),
        diverged=tuple(sorted(int(run["seed"] or 0) for run in runs if run["status"] == "diverged")),
        failed=statuses["failed"],
        unfinished=statuses["running"] + statuses["interrupted"],
        metrics={
            name: estimate(average_by_seed(completed, f"test.{query.at}.{name}"), query.confidence) for name in names
        },
        folders={seed: tuple(str(run["folder"]) for run in each) for seed, each in completed.items()},
        row=runs[0],
        identities=tuple(dict.fromkeys(str(run["identity"]) for run in runs)),
        tuned=tuned.get((label, str(runs[0]["identity"]))),
    )


def _with_references(
    groups: Mapping[Cell, Group], references: Mapping[Cell, Group | None], unlike: Unlike
) -> dict[Cell, Group]:
    """Return the groups with their references, and the keys in which they are not alike."""
    linked = {}
    for cell, group in groups.items():
        reference = None if references.get(cell) is group else references.get(cell)
        linked[cell] = replace(group, reference=reference, unlike=unlike(reference, group) if reference else ())
    return linked


def _with_verdicts(
    compared: Mapping[Cell, Group], query: Query, recorded: Mapping[str, SweepDecision]
) -> tuple[dict[Cell, Group], tuple[RecordedPlan, ...]]:
    """Return the groups with their contrasts, p adjusted over all of them, and verdicts; and the recorded plans."""
    first = query.metrics[0]
    contrasts = {cell: each for cell, group in compared.items() if (each := contrast(group, first, query))}
    planned, plans = decisions.apply(contrasts, compared, query, recorded)
    usual = {cell: each for cell, each in contrasts.items() if cell not in planned}
    decided = planned | {
        cell: _with_verdict(compared[cell], each, query, len(usual)) for cell, each in with_adjusted_p(usual).items()
    }
    return {cell: replace(group, difference=decided.get(cell)) for cell, group in compared.items()}, plans


def _with_verdict(group: Group, difference: Contrast, query: Query, comparisons: int) -> Contrast:
    """Return a contrast with its verdict; if undecided, also with the seeds that would decide."""
    difference = replace(difference, verdict=_verdict(group, difference, query))
    sd = statistics.deviation(list(difference.values.values()))
    if difference.verdict != "undecided" or sd is None or group.diverged:
        return difference
    needed = statistics.seeds_needed(difference.mean, sd, comparisons)
    shows = difference.n >= statistics.FEWEST_SEEDS
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
    if difference.p_adjusted is not None and difference.p_adjusted <= ALPHA:
        directed = statistics.direction(gain, loss_diverged=bool(group.diverged), baseline_diverged=reference_diverged)
        return directed or "undecided"
    return "undecided"


def _blocks(
    groups: Mapping[Cell, Group], varying: Sequence[str], rank: Callable[[Sequence[Group]], tuple[Group, ...]]
) -> tuple[Block, ...]:
    conditions = defaultdict(list)
    for (condition, _), group in groups.items():
        conditions[condition].append(group)
    return tuple(
        Block(dict(zip(varying, condition, strict=True)), rank(conditions[condition]))
        for condition in sorted(conditions, key=grouping.sort_key)
    )
