"""The comparisons that a sweep decides: each loss with the baseline of its condition, grouped as `compare` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossbench import statistics
from lossbench.config.decide import baseline_label, margin, planned_looks
from lossbench.config.dump import dump
from lossbench.errors import ConfigError, did_you_mean
from lossbench.losses.labels import label
from lossbench.runs import grouping, likeness, rows
from lossbench.runs.decision import PlannedComparison, SweepDecision, opened
from lossbench.runs.tuning import tuned_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lossbench.config.decide import Decide
    from lossbench.config.identity import Trial
    from lossbench.runs.rows import RunRow, Scalar
    from lossbench.sweep.plan import PlannedTrial


def planned_decision(decide: Decide, seeds: Sequence[int], planned: Iterable[PlannedTrial]) -> SweepDecision:
    """Return the decision of a sweep before any run, with its first look open.

    Args:
        decide: The section `sweep.decide`.
        seeds: The seeds in the order in which they are added.
        planned: All trials.

    Raises:
        ConfigError: The baseline is missing in a condition, or is the only loss; or a loss is not alike to it.
    """
    plan = statistics.Plan(planned_looks(decide, seeds), decide.alpha, decide.spending, margin(decide))
    trials = {each.trial.identity: each for each in planned}
    rows = [row for each in trials.values() for row in planned_rows(each)]
    baseline = baseline_label(decide) or default_baseline(trials.values())
    found = grouping.group_runs(rows, by=("loss",))[0]
    name = next(iter(trials.values())).trial.experiment.name
    comparisons = tuple(_comparisons(found, baseline, f"{name}: sweep.decide"))
    if not comparisons:
        raise ConfigError(
            [f"{name}: sweep.decide: expected a loss besides the baseline {baseline}; add it to the cases"]
        )
    return opened(SweepDecision(decide.metric, baseline, tuple(seeds), plan, comparisons))


def _comparisons(found: grouping.Grouping, baseline: str, where: str) -> Iterator[PlannedComparison]:
    labels = {loss for _, loss in found.cells}
    if baseline not in labels:
        near = did_you_mean(baseline, labels) or f"; there are {', '.join(sorted(labels))}"
        raise ConfigError([f"{where}.baseline: no case has the loss {baseline}{near}"])
    for (condition, loss), runs in found.cells.items():
        here = dict(zip(found.varying, condition, strict=True))
        reference = found.cells.get((condition, baseline))
        if loss == baseline:
            continue
        if reference is None:
            raise ConfigError([f"{where}.baseline: {baseline} is missing where {_text(here)}; add it to the cases"])
        if len(runs) > 1 or len(reference) > 1:
            raise ConfigError([f"{where}: {loss} has several settings in one condition; compare takes them as one"])
        hidden = [each.key for each in found.hidden]
        if unlike := likeness.unlike_keys(hidden, reference[0], runs[0], ("loss",)):
            keys = ", ".join(f"{each.key} {each.reference} / {each.value}" for each in unlike)
            raise ConfigError([f"{where}: {baseline} and {loss} are not alike, so there is no verdict: {keys}"])
        yield PlannedComparison(loss, here, str(runs[0]["identity"]), str(reference[0]["identity"]))


def _text(condition: Mapping[str, Scalar]) -> str:
    return " · ".join(f"{key} {value}" for key, value in condition.items())


def planned_rows(planned: PlannedTrial) -> list[RunRow]:
    """Return the rows that `compare` will read of a trial: its own, and one per loss whose best setting it is."""
    tuned = [
        {
            **planned_row(default),
            "loss": tuned_label(label(default.experiment.loss)),
            "identity": planned.trial.identity,
        }
        for default in planned.tuned_from
    ]
    return [*([planned_row(planned.trial)] if planned.is_compared else []), *tuned]


def default_baseline(planned: Iterable[PlannedTrial]) -> str:
    """Return the label of the baseline unless the user names one: categorical_crossentropy, tuned if losses are."""
    tuned = {label(default.experiment.loss) for each in planned for default in each.tuned_from}
    usual = grouping.DEFAULT_BASELINE
    return tuned_label(usual) if usual in tuned else usual


def planned_row(trial: Trial) -> RunRow:
    """Return the row that `compare` will read from the run folder of a trial, as far as groups depend on it."""
    config = dump(trial.experiment)
    return {
        **rows.config_columns(config),
        "loss": label(trial.experiment.loss),
        "loss.name": rows.loss_names(config["loss"]),
        "plugin": trial.plugin_sha256,
        "settings": rows.settings(config["loss"], trial.plugin_sha256),
        "identity": trial.identity,
        "data.sha256": trial.data_sha256,
        "seed": trial.experiment.seed,
    }
