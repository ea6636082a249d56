"""The sweep of a judgement: one loss against the opponents of the suite, with seeds added until it is decided.

The judged loss is the baseline of the decision: an opponent that is worse means that the judged loss is better. All
conditions and opponents are one family, so that the probability of any false verdict is at most 5 %.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lossbench import suite
from lossbench.config import identity
from lossbench.errors import UsageError
from lossbench.losses.expression import dump, needs_head, parse
from lossbench.losses.labels import label
from lossbench.sweep import plan, verdicts
from lossbench.training import checks, identify, runtime, user_loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lossbench.losses.expression import LossTerm
    from lossbench.losses.plugin import PluginLoaded
    from lossbench.sweep.plan import Plan, PlannedTrial

SLUG_LENGTH, DIGITS = 36, 8
"""Letters of the loss's name and of the digest in the name of a folder, which may have 64."""


def plan_judgement(
    terms: Sequence[LossTerm], budget: str, plugins: Sequence[PluginLoaded] = ()
) -> tuple[Plan, list[PlannedTrial]]:
    """Plan the trials of a judgement.

    Args:
        terms: The judged loss.
        budget: Name of the budget.
        plugins: The files of the user's losses.

    Returns:
        The plan and its trials; another file, or another choice of hyperparameters, has another folder.

    Raises:
        UsageError: The loss needs a network of its own.
        ConfigError: It cannot be trained in a condition of the suite.
    """
    if needs_head(terms):
        raise UsageError(
            f"{label(terms)} needs model.head: cosine, and its opponents have a linear head, so the difference would "
            "not be that of the losses; compare it with others of its kind by `lossbench sweep`"
        )
    found = plan.load({"name": suite.full_name(budget), **_configuration(terms, budget)}, check=checks.problems)
    trials, _ = plan.trials(found, lambda experiment: identify(experiment, plugins))
    name = _name(suite.full_name(budget), terms, trials[0].trial.identity)
    named = [replace(each, trial=_renamed(each, name)) for each in trials]
    return replace(found, name=name), named


def _configuration(terms: Sequence[LossTerm], budget: str) -> dict[str, Any]:
    how = suite.BUDGETS[budget]
    decide = {"baseline": label(terms), "looks": list(how.looks), "rope": how.rope}
    return {**suite.SHARED, "sweep": {"cases": list(_cases(terms, how)), "decide": decide}}


def _cases(terms: Sequence[LossTerm], budget: suite.Budget) -> Iterator[dict[str, Any]]:
    """Yield the judged loss and its opponents in each condition; a loss is no opponent of itself."""
    for condition in suite.CONDITIONS:
        losses = {label(parse(each)): each for each in (dump(terms), suite.REFERENCE, *condition.opponents)}
        losses[label(terms)] = dump(terms)
        for loss in losses.values():
            yield {**suite.settings(condition, budget), "loss": loss}


def _renamed(planned: PlannedTrial, name: str) -> identity.Trial:
    return replace(planned.trial, experiment=planned.trial.experiment.model_copy(update={"name": name}))


def _name(prefix: str, terms: Sequence[LossTerm], digest: str) -> str:
    """Return e.g. `judge-2-quick-focal-c2886e2d`."""
    slug = identity.slug(label(terms))[:SLUG_LENGTH].strip("-.")
    return f"{prefix}-{slug}-{digest[:DIGITS]}"


def condition_name(budget: str) -> Callable[[Mapping[str, Any]], str]:
    """Return the function that names the condition with the given settings, for views of the running sweep."""

    def name(settings: Mapping[str, Any]) -> str:
        found = suite.condition_of(settings, suite.BUDGETS[budget])
        return found.name if found else verdicts.condition(settings)

    return name


def check_loss(terms: Sequence[LossTerm], trials: Sequence[PlannedTrial]) -> None:
    """Make the checks of `losses --check`, and try a user's loss as training does.

    Args:
        terms: The judged loss.
        trials: The trials of the judgement.

    Raises:
        UsageError: A check failed; one line each.
        PluginError: Training would refuse the loss.
    """
    runtime.start(device="cpu", threads=runtime.cores())
    from lossbench.losses.lab.check import check

    failed = [each for each in check(terms) if each.passed is False]
    if failed:
        raise UsageError("\n".join(f"{label(terms)}: check {each.name!r} failed: {each.words}" for each in failed))
    with user_loss.isolated():
        checks.call_own_losses(each.trial.experiment for each in trials)
