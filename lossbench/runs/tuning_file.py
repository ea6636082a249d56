"""The file `tuning.json`, read strictly: every fault is one sentence, and nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.metrics import METRICS
from lossbench.runs import paths, read, recorded, rows
from lossbench.runs.recorded import DamageError, are_counts, expect, is_score, is_text
from lossbench.runs.tuning import Setting, TunedLoss, Tuning, best

if TYPE_CHECKING:
    from pathlib import Path

PLAN = ("metric", "trials", "seeds")
LOSS = ("loss", "condition", "space", "columns", "settings", "choice")
SETTING = ("identity", "values", "scores")


def save(folder: Path, tuning: Tuning) -> None:
    """Write `tuning.json` to the folder of a sweep, atomically.

    Raises:
        UsageError: The file is a link, a pipe or a device.
        MachineError: It cannot be written.
    """
    recorded.save(folder / paths.TUNING, plain(tuning))


def load(folder: Path) -> Tuning | None:
    """Return the tuning in the folder of a sweep; None if it has none.

    Raises:
        MachineError: The file cannot be read, or is damaged.
        UsageError: It was written by a newer version.
    """
    remedy = f"move it elsewhere to choose again from the runs in {paths.TUNING_RUNS}"
    return recorded.load(folder / paths.TUNING, paths.TUNING_VERSION, _tuning, remedy)


def plain(tuning: Tuning) -> dict[str, Any]:
    """Return a tuning as plain data: plan, and per loss and condition its space, settings with scores, and choice."""
    return {
        "version": paths.TUNING_VERSION,
        "plan": {name: getattr(tuning, name) for name in PLAN},
        "losses": [
            {
                **{name: getattr(each, name) for name in LOSS},
                "settings": [{name: getattr(setting, name) for name in SETTING} for setting in each.settings],
            }
            for each in tuning.losses
        ],
    }


def _tuning(content: Any) -> Tuning:
    """Return the tuning of JSON data.

    Raises:
        DamageError: A value is missing or invalid.
    """
    expect(isinstance(content, dict) and content.get("version") == 1, "version", 1, content)
    plan, losses = content.get("plan"), content.get("losses")
    expect(isinstance(plan, dict) and set(plan) == {*PLAN}, "plan", f"a mapping of {', '.join(PLAN)}", plan)
    metric, seeds = plan["metric"], plan["seeds"]
    expect(is_text(metric) and metric.removeprefix("val_") in METRICS, "plan.metric", "a validation metric", metric)
    expect(type(plan["trials"]) is int and plan["trials"] > 1, "plan.trials", "a number above 1", plan["trials"])
    expect(are_counts(seeds) and len(set(seeds)) == len(seeds), "plan.seeds", "different seeds", seeds)
    expect(isinstance(losses, list) and losses, "losses", "a list of losses", losses)
    found = tuple(_loss(each, len(seeds), f"losses.{index}") for index, each in enumerate(losses))
    tuning = Tuning(metric, plan["trials"], tuple(seeds), found)
    for index, each in enumerate(found):
        expect((each.choice is None) == (not tuning.is_complete), f"losses.{index}.choice", "a choice", each.choice)
        right = best(each.settings, tuning.of) if tuning.is_complete else None
        if each.choice != right:
            raise DamageError(f"losses.{index}.choice: expected {right}, as the scores have it, got {each.choice}")
    return tuning


def _loss(value: Any, seeds: int, where: str) -> TunedLoss:
    expect(isinstance(value, dict) and set(value) == {*LOSS}, where, f"a mapping of {', '.join(LOSS)}", value)
    expect(is_text(value["loss"]), f"{where}.loss", "the label of a loss", value["loss"])
    for name in ("condition", "space", "columns"):
        expect(isinstance(value[name], dict), f"{where}.{name}", "a mapping", value[name])
    for name in ("condition", "columns"):
        expect(rows.are_scalars(value[name]), f"{where}.{name}", "a mapping of single values", value[name])
    for key, searched in value["space"].items():
        expect(_is_space(searched), f"{where}.space.{key}", "a list, or a range of numbers", searched)
    settings, choice = value["settings"], value["choice"]
    expect(isinstance(settings, list) and settings, f"{where}.settings", "a list of settings", settings)
    tried = tuple(_setting(each, seeds, f"{where}.settings.{index}") for index, each in enumerate(settings))
    is_choice = choice is None or (type(choice) is int and 0 <= choice < len(tried))
    expect(is_choice, f"{where}.choice", f"null or a number below {len(tried)}", choice)
    for index, each in enumerate(tried):
        here = f"{where}.settings.{index}.scores"
        expect(bool(each.scores) == (choice is not None), here, "scores with a choice, none without", each.scores)
    return TunedLoss(**{**value, "settings": tried})


def _setting(value: Any, seeds: int, where: str) -> Setting:
    expect(isinstance(value, dict) and set(value) == {*SETTING}, where, f"a mapping of {', '.join(SETTING)}", value)
    identity, values, scores = (value[name] for name in SETTING)
    expect(is_text(identity), f"{where}.identity", "text", identity)
    expect(isinstance(values, dict), f"{where}.values", "a mapping", values)
    is_list = isinstance(scores, list) and len(scores) in {0, seeds} and all(map(is_score, scores))
    expect(is_list, f"{where}.scores", f"{seeds} numbers, diverged or failed, or none", scores)
    return Setting(identity, values, tuple(scores))


def _is_space(value: Any) -> bool:
    """Return whether a value is a list, or the name of a distribution with two ends."""
    match value:
        case list():
            return bool(value)
        case {"log_uniform": [low, high]}:
            return read.is_number(low) and read.is_number(high) and 0 < low < high
        case {"uniform": [low, high]} | {"int_uniform": [low, high]}:
            return read.is_number(low) and read.is_number(high) and low < high
    return False
