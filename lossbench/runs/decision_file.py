"""The file `decision.json`, read strictly: every fault is one sentence, and nothing is changed."""

from __future__ import annotations

import reprlib
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lossbench.errors import LossbenchError
from lossbench.metrics import find
from lossbench.runs import paths, read, recorded
from lossbench.runs.decision import Look, PlannedComparison, SweepDecision, decisions_of, opened
from lossbench.runs.recorded import DamageError, are_counts, expect, is_score, is_text
from lossbench.statistics import FEWEST_SEEDS, SPENDING, Plan

if TYPE_CHECKING:
    from pathlib import Path

PLAN = ("metric", "baseline", "seeds", "looks", "alpha", "spending", "rope")
MOST_SEEDS = 200
VERDICTS = ("better", "worse", "equivalent", "identical", "undecided")


def save(folder: Path, decision: SweepDecision) -> None:
    """Write `decision.json` to the folder of a sweep, atomically.

    Raises:
        UsageError: The file is a link, a pipe or a device.
        MachineError: It cannot be written.
    """
    recorded.save(folder / paths.DECISION, _plain(decision))


def load(folder: Path) -> SweepDecision | None:
    """Return the decision in the folder of a sweep; None if it has none.

    Raises:
        MachineError: The file cannot be read, or is damaged.
        UsageError: It was written by a newer version.
    """
    remedy = "move it elsewhere to decide again from the same runs"
    return recorded.load(folder / paths.DECISION, paths.DECISION_VERSION, _decision, remedy)


def _plain(decision: SweepDecision) -> dict[str, Any]:
    return {
        "version": decision.version,
        "plan": {
            "metric": decision.metric,
            "baseline": decision.baseline,
            "seeds": decision.seeds,
            "looks": decision.plan.looks,
            "alpha": decision.plan.alpha,
            "spending": decision.plan.spending,
            "rope": decision.plan.rope,
        },
        "comparisons": [
            {"loss": each.loss, "condition": each.condition, "identity": each.identity, "baseline": each.baseline}
            for each in decision.comparisons
        ],
        "looks": [
            {"seeds": look.seeds, "open": look.open, "scores": look.scores, "verdicts": look.verdicts}
            for look in decision.looks
        ],
    }


def _decision(content: Any) -> SweepDecision:
    """Return the decision of JSON data.

    Raises:
        DamageError: A value is missing or invalid.
    """
    versions = range(1, paths.DECISION_VERSION + 1)
    expect(isinstance(content, dict), "decision", "a mapping", content)
    version = content.get("version")
    expect(type(version) is int and version in versions, "version", " or ".join(map(str, versions)), version)
    plan, comparisons, looks = (content.get(name) for name in ("plan", "comparisons", "looks"))
    expect(isinstance(plan, dict) and set(plan) == set(PLAN), "plan", f"a mapping of {', '.join(PLAN)}", plan)
    _check_plan(plan)
    expect(isinstance(comparisons, list) and comparisons, "comparisons", "a list of comparisons", comparisons)
    family = tuple(_comparison(each, f"comparisons.{index}") for index, each in enumerate(comparisons))
    expect(isinstance(looks, list) and looks, "looks", "a list of looks", looks)
    numbers = Plan(tuple(plan["looks"]), plan["alpha"], plan["spending"], plan["rope"])
    decision = SweepDecision(plan["metric"], plan["baseline"], tuple(plan["seeds"]), numbers, family, version=version)
    for index, each in enumerate(looks):
        decision = _with_look(opened(decision), each, f"looks.{index}")
        expect(decision.looks[-1].scores is not None or each is looks[-1], f"looks.{index}.scores", "scores", None)
    expect(opened(decision) == decision, "looks", f"the look after {len(looks)}", "none")
    made = {index: (each.verdict, each.seeds) for index, each in enumerate(decisions_of(decision)) if each}
    if not decision.is_by_another_test and made != decision.verdicts:
        raise DamageError("its verdicts do not follow from its scores")
    return decision


def _check_plan(plan: dict[str, Any]) -> None:
    seeds, looks = plan["seeds"], plan["looks"]
    try:
        find(plan["metric"])
    except (LossbenchError, TypeError, AttributeError):
        expect(None, "plan.metric", "the name of a metric", plan["metric"])
    expect(is_text(plan["baseline"]), "plan.baseline", "the label of a loss", plan["baseline"])
    expect(are_counts(seeds) and len(set(seeds)) == len(seeds), "plan.seeds", "different seeds", seeds)
    expect(
        are_counts(looks) and looks[0] >= FEWEST_SEEDS and looks[-1] == len(seeds) <= MOST_SEEDS and _is_rising(looks),
        "plan.looks",
        f"increasing numbers from {FEWEST_SEEDS} to {len(seeds)}, the number of seeds",
        looks,
    )
    expect(read.is_number(plan["alpha"]) and 0 < plan["alpha"] <= 0.5, "plan.alpha", "0 < alpha ≤ 0.5", plan["alpha"])  # noqa: PLR2004 - the limit of the option
    expect(plan["spending"] in list(SPENDING), "plan.spending", f"one of {', '.join(SPENDING)}", plan["spending"])
    rope = plan["rope"]
    expect(rope is None or (read.is_number(rope) and rope > 0), "plan.rope", "a number above 0, or null", rope)


def _comparison(value: Any, where: str) -> PlannedComparison:
    names = ("loss", "condition", "identity", "baseline")
    expect(isinstance(value, dict) and set(value) == set(names), where, f"a mapping of {', '.join(names)}", value)
    for name in ("loss", "identity", "baseline"):
        expect(is_text(value[name]), f"{where}.{name}", "text", value[name])
    condition = value["condition"]
    expect(isinstance(condition, dict) and not any(isinstance(each, dict | list) for each in condition.values()),
            f"{where}.condition", "a mapping of settings", condition)  # fmt: skip
    return PlannedComparison(value["loss"], condition, value["identity"], value["baseline"])


def _with_look(decision: SweepDecision, value: Any, where: str) -> SweepDecision:
    """Return a decision whose open look has the content of the file, which must be that look."""
    names = ("seeds", "open", "scores", "verdicts")
    expect(isinstance(value, dict) and set(value) == set(names), where, f"a mapping of {', '.join(names)}", value)
    look = decision.pending
    if look is None:
        raise DamageError(f"{where}: expected no look after the decision has ended, got {reprlib.repr(value)}")
    expect(value["seeds"] == look.seeds, f"{where}.seeds", look.seeds, value["seeds"])
    expect(value["open"] == list(look.open), f"{where}.open", list(look.open), value["open"])
    if value["scores"] is None:
        return decision
    number, needed = len(decision.new_seeds(look)), decision.identities(look)
    scores, verdicts = value["scores"], value["verdicts"]
    expect(isinstance(scores, dict) and set(scores) == set(needed), f"{where}.scores", "a list per open loss", scores)
    for identity in needed:
        found = scores[identity]
        expect(isinstance(found, list) and len(found) == number and all(map(is_score, found)),
                f"{where}.scores.{identity}", f"{number} numbers, diverged or failed", found)  # fmt: skip
    is_valid = isinstance(verdicts, dict) and verdicts.keys() <= {*map(str, look.open)}
    is_valid = is_valid and all(each in VERDICTS for each in verdicts.values())
    expect(is_valid, f"{where}.verdicts", f"{', '.join(VERDICTS)} by number of an open comparison", verdicts)
    made = Look(
        look.seeds,
        look.open,
        {identity: tuple(scores[identity]) for identity in needed},
        {int(index): verdict for index, verdict in verdicts.items()},
    )
    return replace(decision, looks=(*decision.looks[:-1], made))


def _is_rising(values: list[int]) -> bool:
    return all(first < second for first, second in pairwise(values))
