"""Expansion of a sweep into trials: cases × parameters × seeds, in a fixed order.

The seed is the outermost loop, so that every combination has a result after the first seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lossbench.config import identity, resolve, yaml
from lossbench.config.decide import planned_looks
from lossbench.config.dump import scalar
from lossbench.config.overrides import check_once, is_within, key_of
from lossbench.config.sweep import Random, Sweep, values_of
from lossbench.config.yaml import Node
from lossbench.errors import ConfigError, UsageError
from lossbench.losses.labels import label
from lossbench.runs.tuning import tuned_label
from lossbench.sweep import values
from lossbench.sweep.axes import axis, commas_explained
from lossbench.sweep.combinations import Builder, check_keys, check_tuned, check_unused_loss, tuned_spaces
from lossbench.sweep.comparisons import planned_decision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lossbench.config.decide import Decide
    from lossbench.config.identity import Trial
    from lossbench.config.resolve import Check
    from lossbench.config.schema import Experiment
    from lossbench.config.tune import Tune
    from lossbench.sweep.combinations import Combination

MAX_TRIALS = 1_000_000
"""Limit of a plan, unless the caller sets another one."""


@dataclass(frozen=True)
class PlannedTrial:
    """A trial, and the keys other than the seed that the sweep sets for it.

    Attributes:
        trial: The trial.
        settings: Keys of cases and parameters.
        tried: Values of tuned keys; empty for a default.
        tuned_from: Trials of the defaults whose best setting this is, with their seed.
        is_compared: Whether it is compared under the label of its own loss; a best setting is one of its default's.
        is_tuning: Whether its validation score helps to choose a setting; its test scores are then not shown.
    """

    trial: Trial
    settings: Mapping[str, Any]
    tried: Mapping[str, Any] = field(default_factory=dict)
    tuned_from: tuple[Trial, ...] = ()
    is_compared: bool = True
    is_tuning: bool = False

    @property
    def loss(self) -> str:
        """The label of the loss; of a best setting `focal tuned`, of one that is tried with the tuned values."""
        if self.tuned_from and not self.is_compared:
            return tuned_label(label(self.tuned_from[0].experiment.loss))
        others = {key: value for key, value in self.tried.items() if not is_within(key, "loss")}
        return " ".join(filter(None, [label(self.trial.experiment.loss), phrase(others)]))

    @property
    def all_settings(self) -> Mapping[str, Any]:
        """Keys of cases and parameters, and tuned keys."""
        return {**self.settings, **self.tried}


@dataclass(frozen=True)
class Plan:
    """All combinations of a sweep, each to be trained with all seeds.

    Attributes:
        name: The experiment's name; the runs go to `runs/<name>/`.
        combinations: The combinations in order.
        seeds: The seeds in order; empty if each combination has a seed of its own.
        random: Whether the combinations were drawn, so that one may occur twice.
        axes: The overrides whose commas made an axis.
        decide: How to add seeds until each loss is decided; None: all seeds are trained.
        tune: How to tune each loss before it is compared; None: no loss is tuned.
    """

    name: str
    combinations: tuple[Combination, ...]
    seeds: tuple[int, ...] = ()
    random: bool = False
    axes: tuple[str, ...] = ()
    decide: Decide | None = None
    tune: Tune | None = None

    def __len__(self) -> int:
        """The number of trials."""
        return len(self.combinations) * (len(self.seeds) or 1)

    def __iter__(self) -> Iterator[Combination]:
        """Yield every experiment with its settings, seed by seed."""
        if not self.seeds:
            yield from self.combinations
        for seed in self.seeds:
            for each in self.combinations:
                yield replace(each, experiment=each.experiment.model_copy(update={"seed": seed}))


def load(
    config: Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    seeds: str | Sequence[int] | None = None,
    until_decided: bool = False,
    decide: Mapping[str, Any] = MappingProxyType({}),
    max_trials: int | None = MAX_TRIALS,
    check: Check = resolve.no_problems,
) -> Plan:
    """Return the plan of a configuration; without a `sweep` section it has one combination.

    Args:
        config: The YAML file, or the keys of one as a mapping, which takes no overrides.
        overrides: `key=value`; a comma outside brackets makes an axis, e.g. `loss.gamma=0,1,2`.
        seeds: Seeds that replace the configuration's, e.g. `0-9` or `[0, 1]`.
        until_decided: Add seeds until each loss is decided, even if the configuration has no `sweep.decide`.
        decide: Keys of `sweep.decide` that replace the configuration's; None leaves one as it is.
        max_trials: The largest number of trials; None: unlimited.
        check: Returns further problems of a valid experiment; called for every combination.

    Raises:
        UsageError: There are more trials than `max_trials`, or `decide` has keys and the sweep trains all seeds.
        ConfigError: Experiments are invalid; the message has every problem once.
    """
    check_once(overrides)
    axes = tuple(text for text in overrides if values_of(text))
    with commas_explained(axes):
        settings = [text for text in overrides if text not in axes]
        given = {key: value for key, value in decide.items() if value is not None}
        added = given if given or until_decided else None
        return _load(
            config,
            settings,
            axes,
            seeds=seeds,
            until_decided=until_decided,
            decide=added,
            max_trials=max_trials,
            check=check,
        )


def _load(
    config: Path | Mapping[str, Any],
    settings: list[str],
    axes: tuple[str, ...],
    *,
    seeds: str | Sequence[int] | None,
    until_decided: bool,
    decide: Mapping[str, Any] | None,
    max_trials: int | None,
    check: Check,
) -> Plan:
    in_axes = [text for text in settings if any(is_within(key_of(text), key_of(axis)) for axis in axes)]
    settings = [text for text in settings if text not in in_axes]
    if isinstance(config, Path):
        settings += [f"sweep.seeds='{seeds}'"] if isinstance(seeds, str) else []
        (base, name), path = resolve.read(config, settings), config
    else:
        (base, name), path = resolve.read_mapping(config), Path("sweep")
    if seeds is not None and not (isinstance(seeds, str) and isinstance(config, Path)):
        base = resolve.set_key(base, "sweep.seeds", yaml.node(seeds), path.parent)
    if decide is not None:
        if not until_decided and not (resolve.build(base, name).sweep or Sweep()).decide:
            raise UsageError(
                "only a sweep that adds seeds until it is decided has it; add `until_decided`",
                parameter=next(iter(decide)),
                mentions=("until_decided",),
            )
        base = resolve.set_key(base, "sweep.decide", yaml.node(dict(decide)), path.parent)
    section = resolve.build(base, name).sweep or Sweep()
    if section.decide and not section.seeds:
        section = section.model_copy(update={"seeds": tuple(range(planned_looks(section.decide, None)[-1]))})
    written = base.value.pop("sweep", Node(None))
    parameters = values.parameters(dict(written.children()).get("parameters", Node({})))
    cases = [values.keys(case) for _, case in written.value["cases"].children()] if section.cases else [{}]
    swept = {*parameters, *(key for case in cases for key in case), *(["seed"] if section.seeds else [])}
    in_axes += [text for text in settings if any(is_within(key_of(text), key) for key in swept)]
    parameters |= dict(map(axis, [*axes, *in_axes]))
    spaces = tuned_spaces(written, section, cases, parameters)
    check_keys([*cases, parameters], seeds=bool(section.seeds))
    values.check_number(path, parameters, section, max_trials)
    chosen = [
        ({**case, **each}, space)
        for each, (case, space) in product(
            values.combinations(parameters, section), list(zip(cases, spaces, strict=True))
        )
    ]
    trials = section.tune.trials if section.tune else 1
    builder = Builder(base, name, path.parent, check)
    combinations = tuple(builder.combinations([each for each, _ in chosen], [each for _, each in chosen], trials))
    if section.tune:
        check_tuned(combinations, section.tune, section.seeds or ())
    experiment, loss = resolve.build(base, name), base.value["loss"]
    if _source(loss) == _source(written) is not None if isinstance(config, Path) else "loss" in config:
        check_unused_loss(loss, experiment, combinations)
    return Plan(
        experiment.name,
        combinations,
        section.seeds or (),
        isinstance(section.method, Random),
        axes,
        section.decide,
        section.tune,
    )


def _source(node: Node) -> str | None:
    """Return the file of a node; None if it is a default."""
    return node.position.source if node.position else None


def check(plan: Plan) -> None:
    """Raise the errors of a plan that show without its data: runs that occur twice, comparisons that are impossible.

    Raises:
        ConfigError: A grid has a run twice, or a decision has no baseline or losses that are not alike to it.
    """
    one_seed = replace(plan, seeds=plan.seeds[:1])
    planned, _ = trials(one_seed, lambda each: identity.trial(each, data_sha256=f"{each.data.name} {each.data.path}"))
    if plan.decide:
        tuned = [replace(each, tuned_from=(each.trial,)) for each in planned] if plan.tune else planned
        planned_decision(plan.decide, plan.seeds, tuned)


def trials(plan: Plan, identify: Callable[[Experiment], Trial]) -> tuple[list[PlannedTrial], int]:
    """Identify the trials of a plan.

    Args:
        plan: The plan.
        identify: Returns the trial of an experiment.

    Returns:
        The trials in order, each once; the number of draws of a random plan that repeat an earlier one.

    Raises:
        ConfigError: A grid has a trial twice, or `identify` raises.
    """
    known: dict[str, PlannedTrial] = {}
    repeated = 0
    for combination in plan:
        with commas_explained(plan.axes):
            trial = identify(combination.experiment)
        first = known.setdefault(trial.folder, PlannedTrial(trial, combination.settings))
        if first.trial is trial:
            continue
        if not plan.random:
            where = f"{combination.position or plan.name}: the sweep has {trial.folder.rpartition('-')[0]} twice"
            raise ConfigError([f"{where}{_twice(first.settings, combination.settings)}; remove one"])
        repeated += 1
    return list(known.values()), repeated


def _twice(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    unchanged = "the configuration as it is"
    a, b = phrase(first) or unchanged, phrase(second) or unchanged
    return f", each time with {a}" if a == b else f": {a} and {b}"


def phrase(settings: Mapping[str, Any]) -> str:
    """Return settings on one line, e.g. `loss=focal · train.epochs=3`.

    Example:
        >>> phrase({"loss": {"name": "gce", "q": 0.5}, "train.epochs": 3})
        'loss={name: gce, q: 0.5} · train.epochs=3'
    """
    return " · ".join(f"{key}={scalar(value)}" for key, value in settings.items())
