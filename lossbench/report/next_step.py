"""The last words of `compare` on a terminal: what the comparison shows in one sentence, and the next command."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from lossbench.analysis.query import Query
from lossbench.metrics import DEFAULTS
from lossbench.report import retrain, wording
from lossbench.report.formatting import clean, count_of
from lossbench.statistics import FEWEST_SEEDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Comparison, Group, RecordedPlan
    from lossbench.runs.rows import RunRow

MOST_SEEDS = 100
"""More seeds than this are no advice."""

MOST_COMMANDS = 2
"""Commands that are shown; with more losses, the others are alike."""

STOPPED = {"diverged": "diverged", "failed": "failed", "interrupted": "stopped early"}
"""Statuses of runs without metrics, in words."""


def next_step(answer: Answer, arguments: Sequence[str]) -> str:
    """Return one sentence, a colon, and a command that works.

    Args:
        answer: The complete comparison.
        arguments: The arguments of `lossbench` that made it, the first being `compare`.
    """
    groups = [group for block in answer.comparison.blocks for group in block.groups]
    again = ["lossbench", *arguments]
    return (
        _of_a_map(answer, again)
        or _without_verdicts(answer, groups, again)
        or _by_the_plan(answer, groups)
        or _better(answer, groups, again)
        or _stopped(answer)
        or _unlike(groups, again)
        or _not_ended(answer)
        or _undecided(answer, groups, again)
        or _none_better(answer, groups, again)
    )


def _advice(sentence: str, *commands: Sequence[str]) -> str:
    """Return the sentence and the first commands, a line each."""
    if not commands:
        return f"{sentence}."
    more = len(commands) - MOST_COMMANDS
    lines = [f"  {shlex.join(each)}" for each in commands[:MOST_COMMANDS]]
    return "\n".join([f"{sentence}:", *lines, *[f"and likewise for {more} more"] * (more > 0)])


def _name(answer: Answer, label: str | None) -> str:
    return clean(answer.names.get(str(label), label))


def _of_a_map(answer: Answer, again: Sequence[str]) -> str:
    if answer.comparison.loss_map is None:
        return ""
    return _advice("To see the map in colour, and every condition below it", _closer_look(answer, again))


def _without_verdicts(answer: Answer, groups: Sequence[Group], again: Sequence[str]) -> str:
    comparison = answer.comparison
    if len({group.label for group in groups}) == 1 and not comparison.baseline_is_file:
        return _advice("There is only one loss here; this lists others to train", ["lossbench", "losses"])
    if comparison.baseline is None:
        return _advice("Without a baseline there is no verdict; choose one", [*again, "--baseline", groups[0].label])
    return ""


def _by_the_plan(answer: Answer, groups: Sequence[Group]) -> str:
    """Return advice where no loss has a verdict, as seeds were added by a plan that does not apply."""
    differences = [group.difference for group in groups if group.difference]
    plan = next((each for each in answer.comparison.plans if each.reasons), None)
    if plan is None or any(each.verdict for each in differences):
        return ""
    if plan.decision.pending:
        return _not_ended(answer)
    return _advice(
        "Seeds were added by a plan that does not apply to this comparison; this compares by the plan",
        [
            *("lossbench", "compare", plan.folder, "--metric", plan.decision.metric),
            *("--baseline", plan.decision.baseline),
        ],
    )


def _not_ended(answer: Answer) -> str:
    """Return advice on a sweep that has not ended, though it is to add seeds until it is decided."""
    plan = next((each for each in answer.comparison.plans if each.decision.pending), None)
    folder = next((Path(str(row["folder"])) for row in answer.rows if plan and _is_in(row, plan)), None)
    argv = retrain.experiment(folder, without=retrain.FLAGS) if folder else []
    if plan is None or argv[:1] != ["sweep"]:
        return ""
    return _advice("The sweep has not ended; this continues it", ["lossbench", *argv])


def _is_in(row: RunRow, plan: RecordedPlan) -> bool:
    return str(Path(str(row["folder"])).parent) == plan.folder


def _better(answer: Answer, groups: Sequence[Group], again: Sequence[str]) -> str:
    better = list(dict.fromkeys(group.label for group in groups if wording.verdict(group) == "better"))
    if not better:
        return ""
    others = f" and {len(better) - 1} more are" if better[1:] else " is"
    blocks = answer.comparison.blocks
    count = sum(any(wording.verdict(group) == "better" for group in block.groups) for block in blocks)
    where = f" in {count} of {count_of(len(blocks), 'condition')}" if len(blocks) > 1 else ""
    baseline = _name(answer, answer.comparison.baseline)
    sentence = f"{_name(answer, better[0])}{others} better than {baseline}{where}; this draws it"
    return _advice(sentence, _closer_look(answer, again))


def _unlike(groups: Sequence[Group], again: Sequence[str]) -> str:
    """Return advice if no loss is like its baseline."""
    if {wording.verdict(group) for group in groups} - {""} != {wording.NOT_ALIKE}:
        return ""
    keys = ",".join(dict.fromkeys(each.key for group in groups for each in group.unlike))
    return _advice(
        f"Not only the losses differ, so there is no verdict; train them alike, or accept {keys}",
        [*again, "--allow-different", keys],
    )


def _none_better(answer: Answer, groups: Sequence[Group], again: Sequence[str]) -> str:
    verdicts = Counter(filter(None, map(wording.verdict, groups)))
    counts = ", ".join(f"{count} {name}" for name, count in verdicts.items()) or "none compared"
    blocks = len(answer.comparison.blocks)
    where = f"{blocks} conditions: " * (blocks > 1)
    baseline = _name(answer, answer.comparison.baseline)
    sentence = f"No loss is shown to be better than {baseline} ({where}{counts}). To see every seed"
    return _advice(sentence, _closer_look(answer, again))


def _stopped(answer: Answer) -> str:
    """Return advice on runs that diverged, failed or were stopped; empty if there are none."""
    for status, words in STOPPED.items():
        if runs := [row for row in answer.rows if row["status"] == status]:
            folder = Path(str(runs[0]["folder"]))
            counted, argv = f"{count_of(len(runs), 'run')} {words}", retrain.experiment(folder, without=retrain.FLAGS)
            if status == "diverged" or argv[:1] != ["sweep"]:
                return _advice(f"{counted}; this shows one of them", ["lossbench", "show", str(folder)])
            retry = ["--retry-failed"] * (status == "failed")
            return _advice(f"{counted}; this trains what is missing", ["lossbench", *argv, *retry])
    return ""


def _undecided(answer: Answer, groups: Sequence[Group], again: Sequence[str]) -> str:
    comparison = answer.comparison
    contrasts = [group.difference for group in groups if group.difference]
    if not contrasts or {each.verdict for each in contrasts} != {"undecided"}:
        return ""
    if any(each.look is not None for each in contrasts):
        sentence = "Nothing is decided, and the plan has no further look; this draws the differences"
        return _advice(sentence, _closer_look(answer, again))
    n = max(each.n for each in contrasts)
    if n < FEWEST_SEEDS:
        can = f"{count_of(n, 'seed')} cannot decide a comparison, {FEWEST_SEEDS} can; add seeds"
        return _advice(can, *_more_seeds(comparison, FEWEST_SEEDS))
    further = min((each.further for each in contrasts if each.further), default=MOST_SEEDS + 1)
    if n + further <= MOST_SEEDS:
        return _advice(
            f"Nothing is decided yet; about {count_of(further, 'more seed')} may decide the clearest difference",
            *_more_seeds(comparison, n + further),
        )
    metric = comparison.query.metrics[0]
    if comparison.query.rope is None and metric.in_percent:
        return _advice(
            "The differences are too small for these seeds; name the size that matters to you, e.g. 0.1 pp",
            [*again, "--rope", "0.1pp"],
        )
    return _advice("The differences are too small for these seeds; this draws them", _closer_look(answer, again))


def _more_seeds(comparison: Comparison, count: int) -> list[list[str]]:
    """Return the commands that train every group with a number of seeds; runs that are there count.

    There is none if a loss cannot be trained from the command line, as more seeds of the others do not help.
    """
    groups = [group for block in comparison.blocks for group in block.groups if group.seeds]
    first = min(seed for group in groups for seed in group.seeds)
    seeds = ["--seeds", f"{first}-{first + count - 1}"]
    folders = [Path(group.folders[group.seeds[0]][0]) for group in groups]
    found = [retrain.experiment(folder)[1:] or retrain.from_folder(folder) for folder in folders]
    return [["lossbench", "sweep", *each, *seeds] for each in retrain.joined(found)] if all(found) else []


def _closer_look(answer: Answer, again: Sequence[str]) -> list[str]:
    """Return the command that writes the page of a comparison; with a baseline file, which has none, its plots."""
    query = answer.comparison.query
    if query.baseline_file or query.tune or query.across or query.unpaired:
        return [*again, "--plots", "plots"]
    options = {
        "--where": query.where,
        "--seeds": ",".join(map(str, sorted(query.seeds))) if query.seeds else None,
        "--metric": ",".join(query.metric_names) if query.metric_names != DEFAULTS else None,
        "--at": query.at if query.at != "last" else None,
        "--by": ",".join(query.by) if query.by else None,
        "--map": ",".join(query.map_keys),
        "--baseline": query.baseline,
        "--rope": None if query.rope is None else str(query.rope),
        "--ci": f"{100 * query.confidence:g}" if query.confidence != Query.confidence else None,
        "--allow-different": ",".join(query.allow_different),
    }
    given = [part for name, value in options.items() if value for part in (name, value)]
    return ["lossbench", "report", *map(str, query.paths), *given]
