"""Each loss is tuned before losses are compared: the trials that tune, the choices, and the trials to compare.

Tuning runs lie in `tuning/` in the sweep's folder. `tuning.json` beside it has the settings before the first trial,
and their scores and the choices once every trial has ended. An identity leaves out the seed and the name, so a setting
has one identity in both stages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product, zip_longest
from typing import TYPE_CHECKING

from lossbench.errors import UsageError, first_few
from lossbench.json_data import to_json
from lossbench.runs import grouping, lock, paths, tuning_file
from lossbench.runs.scores import read_validation_score
from lossbench.runs.tuning import Setting, TunedLoss, Tuning, with_scores
from lossbench.sweep.comparisons import planned_decision, planned_row
from lossbench.sweep.journal import event
from lossbench.sweep.plan import PlannedTrial
from lossbench.sweep.status import FINISHED, read_status
from lossbench.training import run_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from lossbench.config.identity import Trial
    from lossbench.config.schema import Experiment
    from lossbench.config.tune import Tune
    from lossbench.runs.decision import Score
    from lossbench.runs.rows import RunRow
    from lossbench.sweep.combinations import Combination
    from lossbench.sweep.plan import Plan

NO_SETTING = ("identity", "seed", "loss")
"""Columns of a run that are no setting."""


@dataclass(frozen=True)
class TuningStage:
    """The first stage of a sweep that tunes.

    Attributes:
        folder: The sweep's folder, which is the runs folder of the tuning runs.
        trials: The trials that tune.
        tuning: Their settings; with scores and choices if the stage has ended.
        defaults: The trials of the comparison with default settings.
        combinations: The combinations by identity of the default.
        identify: Returns the trial of an experiment.
    """

    folder: Path
    trials: Sequence[PlannedTrial]
    tuning: Tuning
    defaults: Sequence[PlannedTrial]
    combinations: Mapping[str, Combination]
    identify: Callable[[Experiment], Trial]

    def begin(self) -> None:
        """Write the settings before the first trial, unless another sweep has done so.

        Raises:
            UsageError: Another sweep has started another tuning meanwhile.
            MachineError: The file is damaged or cannot be written.
        """
        with lock.claim(self.folder / paths.TUNING, wait=True):
            resume(self.folder, self.tuning)
            if not (self.folder / paths.TUNING).exists():
                tuning_file.save(self.folder, self.tuning)

    def unfinished(self) -> int:
        """Return how many trials, of all shards, have not ended."""
        status = read_status(self.trials, self.folder)
        return len(status.trials) - sum(status.counts[each] for each in FINISHED)

    def concluded(self) -> TuningStage:
        """Make the choices once every trial has ended, or take over those that another sweep has made.

        Raises:
            UsageError: A run lacks the metric.
            MachineError: The file is damaged or cannot be written.
        """
        scores = self._scores()
        with lock.claim(self.folder / paths.TUNING, wait=True):
            recorded = resume(self.folder, self.tuning)
            if not recorded.is_complete:
                recorded = with_scores(recorded, scores)
                tuning_file.save(self.folder, recorded)
        return replace(self, tuning=recorded)

    def _scores(self) -> Mapping[str, Sequence[Score]]:
        found = {}
        for each in self.trials:
            score = read_validation_score(run_folder(each.trial, self.folder), self.tuning.metric)
            found[each.trial.identity, each.trial.experiment.seed] = score
        return {name: [found[name, seed] for seed in self.tuning.seeds] for name in self.tuning.identities}

    def compared(self) -> list[PlannedTrial]:
        """Return the trials to compare, seed by seed: each default, then its best setting unless that is the default.

        Before the choices are made, each default counts as the best setting.
        """
        chosen = {each.settings[0].identity: each for each in self.tuning.losses}
        found: dict[str, PlannedTrial] = {}
        for each in self.defaults:
            known = found.get(each.trial.folder)
            found[each.trial.folder] = replace(each, tuned_from=known.tuned_from) if known else each
            tuned = chosen[each.trial.identity]
            best = self.combinations[each.trial.identity].all_settings[tuned.choice or 0]
            trial = self.identify(_with(best.experiment, seed=each.trial.experiment.seed))
            other = PlannedTrial(trial, each.settings, tuned.chosen.values, is_compared=False)
            known = found.get(trial.folder, other)
            found[trial.folder] = replace(known, tuned_from=(*known.tuned_from, each.trial))
        return list(found.values())


def choices(tuning: Tuning) -> dict[str, Any]:
    """Return the event that records the choices."""
    chosen = [{"loss": each.loss, "condition": each.condition, "values": each.chosen.values} for each in tuning.losses]
    return event("tuned", metric=tuning.metric, choices=chosen)


def prepare(
    swept: Plan, defaults: Sequence[PlannedTrial], identify: Callable[[Experiment], Trial], folder: Path
) -> TuningStage | None:
    """Return the first stage of a sweep that tunes, with the choices if they are made; None for any other sweep.

    Args:
        swept: The plan of the sweep.
        defaults: Its trials.
        identify: Returns the trial of an experiment.
        folder: The sweep's folder.

    Raises:
        ConfigError: A decision that follows has no baseline, or losses that are not alike to it.
        UsageError: The folder's tuning was started with another plan, or by a newer version.
        MachineError: The folder's tuning is damaged.
    """
    if swept.tune is None:
        return None
    combinations = {identify(each.experiment).identity: each for each in swept.combinations}
    trials = list(_trials(swept.tune, tuple(combinations.values()), identify))
    planned = _planned(swept.tune, combinations, identify)
    stage = TuningStage(folder, trials, resume(folder, planned), defaults, combinations, identify)
    if swept.decide:
        planned_decision(swept.decide, swept.seeds, stage.compared())
    return stage


def resume(folder: Path, planned: Tuning) -> Tuning:
    """Return the tuning that a sweep's folder records; `planned` if it records none.

    Raises:
        UsageError: It was started with another plan, or by a newer version.
        MachineError: The file is damaged.
    """
    recorded = tuning_file.load(folder)
    if recorded is None:
        return planned
    if changes := list(_changes(recorded, planned)):
        raise UsageError(
            f"{folder / paths.TUNING}: the tuning was started with another plan: {'; '.join(changes)}; continue with "
            f"that plan, or start another tuning under another name, e.g. name={folder.name}-2"
        )
    return recorded


def _trials(
    tune: Tune, combinations: Sequence[Combination], identify: Callable[[Experiment], Trial]
) -> Iterator[PlannedTrial]:
    """Yield the trials that tune, each once, seed by seed and setting by setting, the defaults first."""
    known = set()
    in_turn = [
        setting for row in zip_longest(*(each.all_settings for each in combinations)) for setting in row if setting
    ]
    for seed, setting in product(tune.seeds, in_turn):
        trial = identify(_with(setting.experiment, seed=seed, name=paths.TUNING_RUNS))
        if trial.folder not in known:
            known.add(trial.folder)
            yield PlannedTrial(trial, setting.settings, setting.tried, is_tuning=True)


def _with(experiment: Experiment, **keys: Any) -> Experiment:
    return experiment.model_copy(update=keys)


def _planned(tune: Tune, combinations: Mapping[str, Combination], identify: Callable[[Experiment], Trial]) -> Tuning:
    """Return the tuning before any run: label and condition of each loss, as `compare` has them, and its settings."""
    default_rows = [planned_row(identify(each.experiment)) for each in combinations.values()]
    found = grouping.group_runs(default_rows, by=("loss",))[0]
    cells = {row["identity"]: (condition, loss) for (condition, loss), alike in found.cells.items() for row in alike}
    losses = []
    for row, each in zip(default_rows, combinations.values(), strict=True):
        condition, loss = cells[row["identity"]]
        tried = [row, *(planned_row(identify(other.experiment)) for other in each.others)]
        losses.append(
            TunedLoss(
                loss=loss,
                condition=dict(zip(found.varying, condition, strict=True)),
                space=each.space,
                columns=_columns(row, tried),
                settings=tuple(
                    Setting(str(one["identity"]), setting.tried)
                    for one, setting in zip(tried, each.all_settings, strict=True)
                ),
            )
        )
    return Tuning(tune.metric, tune.trials, tune.seeds, tuple(losses))


def _columns(default: RunRow, tried: Sequence[RunRow]) -> RunRow:
    """Return the columns in which settings differ from the default, with the default's values."""
    keys = dict.fromkeys(key for row in tried for key in row if row[key] != default.get(key))
    keys |= dict.fromkeys(key for row in tried for key in default if key not in row)
    return {key: default.get(key) for key in keys if key not in NO_SETTING}


def _changes(recorded: Tuning, planned: Tuning) -> Iterator[str]:
    """Yield what differs between two plans, the recorded value first."""
    for key in tuning_file.PLAN:
        before, now = getattr(recorded, key), getattr(planned, key)
        if before != now:
            yield f"{key} {_text(before)}, now {_text(now)}"
    old, new = ({each.settings[0].identity: each for each in tuning.losses} for tuning in (recorded, planned))
    for word, names in (("without", old.keys() - new.keys()), ("with", new.keys() - old.keys())):
        if names:
            losses = sorted({(old | new)[name].loss for name in names})
            yield f"now {word} {first_few(losses)}"
    changed = sorted({new[name].loss for name in old.keys() & new.keys() if _plan(old[name]) != _plan(new[name])})
    if changed and recorded.trials == planned.trials:
        yield f"another space of {first_few(changed)}"


def _plan(tuned: TunedLoss) -> str:
    """Return what is searched and what is tried, in a form that can be compared."""
    tried = [{"identity": each.identity, "values": each.values} for each in tuned.settings]
    return to_json({"space": tuned.space, "tried": tried, "columns": tuned.columns})


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
