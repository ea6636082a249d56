"""The trials of a sweep: cases × parameters × seeds, in a fixed order, none left out in silence.

The seed is the outermost loop, so that after its first round every combination has been seen once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from lossbench.config import resolve, yaml
from lossbench.config.dump import scalar
from lossbench.config.sweep import Random, Sweep
from lossbench.config.yaml import Node, Position, show
from lossbench.errors import ConfigError, UsageError
from lossbench.seeding import generator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from lossbench.config.identity import Trial
    from lossbench.config.schema import Experiment

DISTRIBUTIONS = ("uniform", "log_uniform", "int_uniform")
MAX_TRIALS = 1_000_000
"""More are planned only if that is asked for."""


@dataclass(frozen=True)
class Combination:
    """One case with one value for each parameter: what it sets, dotted keys to plain values, and what comes of it."""

    settings: Mapping[str, Any]
    experiment: Experiment


@dataclass(frozen=True)
class PlannedTrial:
    """A trial, and what the sweep has set for it beside the seed."""

    trial: Trial
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """What a sweep trains: each of its combinations under each of its seeds.

    Attributes:
        name: The runs go to `runs/<name>/`.
        combinations: In order.
        seeds: In order; empty where each combination has its own.
        random: Whether the combinations were drawn, so that one may be drawn twice.
    """

    name: str
    combinations: tuple[Combination, ...]
    seeds: tuple[int, ...] = ()
    random: bool = False

    def __len__(self) -> int:
        """The number of trials."""
        return len(self.combinations) * (len(self.seeds) or 1)

    def __iter__(self) -> Iterator[Combination]:
        """Every experiment with its settings, seed by seed."""
        if not self.seeds:
            yield from self.combinations
        for seed in self.seeds:
            for each in self.combinations:
                yield Combination(each.settings, each.experiment.model_copy(update={"seed": seed}))

    @property
    def experiments(self) -> tuple[Experiment, ...]:
        """Every experiment, seed by seed."""
        return tuple(each.experiment for each in self)


def load(
    path: Path, overrides: Sequence[str] = (), *, seeds: str | None = None, max_trials: int | None = MAX_TRIALS
) -> Plan:
    """The plan of a configuration; one without a `sweep` section is a sweep of one.

    Args:
        path: The YAML file.
        overrides: `key=value`; a comma outside brackets makes an axis, `loss.gamma=0,1,2`.
        seeds: Such as `0-9`, in place of the file's.
        max_trials: How many trials there may be; None: any number.

    Raises:
        UsageError: There are more trials than that.
        ConfigError: Every problem of every experiment, each line once.
    """
    axes = dict(_axis(text) for text in overrides if _values(text))
    settings = [text for text in overrides if not _values(text)]
    if seeds is not None:
        settings.append(f"sweep.seeds='{seeds}'")
    base, name = resolve.read(path, settings)
    section = resolve.build(base, name).sweep or Sweep()
    written = base.value.pop("sweep", Node(None))
    parameters = {**_parameters(written), **axes}
    cases = [_keys(case) for _, case in written.value["cases"].children()] if section.cases else [{}]
    _check_keys([*cases, parameters], seeds=bool(section.seeds))
    _check_number(path, parameters, section, max_trials)
    chosen = [{**case, **values} for values, case in product(_combinations(parameters, section), cases)]
    combinations = tuple(_built(base, name, chosen, path))
    random = isinstance(section.method, Random)
    return Plan(resolve.build(base, name).name, combinations, section.seeds or (), random)


def trials(plan: Plan, identify: Callable[[Experiment], Trial]) -> tuple[list[PlannedTrial], int]:
    """The trials of a plan in order, each once, and how many draws of a random plan repeated an earlier one.

    Raises:
        ConfigError: Two trials of a grid are the same; or what `identify` raises.
    """
    known: dict[str, PlannedTrial] = {}
    repeated = 0
    for combination in plan:
        trial = identify(combination.experiment)
        first = known.setdefault(trial.folder, PlannedTrial(trial, combination.settings))
        if first.trial is trial:
            continue
        if not plan.random:
            twice = " and ".join(phrase(each.settings) or "no settings" for each in (first, combination))
            raise ConfigError([f"{plan.name}: the sweep has {trial.folder} twice: {twice}; remove one"])
        repeated += 1
    return list(known.values()), repeated


def phrase(settings: Mapping[str, Any]) -> str:
    """Settings on one line: `loss=focal · train.epochs=3`.

    Example:
        >>> phrase({"loss": {"name": "gce", "q": 0.5}, "train.epochs": 3})
        'loss={name: gce, q: 0.5} · train.epochs=3'
    """
    return " · ".join(f"{key}={scalar(value)}" for key, value in settings.items())


def _built(base: Node, name: str, chosen: Sequence[Mapping[str, Node]], path: Path) -> Iterator[Combination]:
    lines: dict[str, None] = {}
    for settings in chosen:
        node = base
        for key, value in settings.items():
            node = resolve.set_key(node, key, value, path.parent)
        try:
            yield Combination({key: value.plain() for key, value in settings.items()}, resolve.build(node, name))
        except ConfigError as error:
            lines |= dict.fromkeys(str(error).splitlines())
    if lines:
        raise ConfigError(list(lines))


def _check_keys(places: Sequence[Mapping[str, Node]], *, seeds: bool) -> None:
    """Refuse what no trial can have: a sweep of its own, another file below it, a seed beside `sweep.seeds`."""
    for key, value in (item for place in places for item in place.items()):
        if key.partition(".")[0] in {"sweep", "extends"}:
            raise ConfigError([f"{value.position}: {key}: a trial has none; take the key out of cases and parameters"])
        if key == "seed" and seeds:
            raise ConfigError([f"{value.position}: seed: sweep.seeds sets it already; remove one of the two"])


def _parameters(written: Node) -> dict[str, Node]:
    """The keys to cross with what stands behind each, checked for form."""
    section = dict(written.children()).get("parameters", Node({}))
    parameters = _keys(section)
    for key, value in parameters.items():
        if not (isinstance(value.value, list) and value.value) and not isinstance(value.value, dict):
            expected = f"a list of values, or one of {', '.join(DISTRIBUTIONS)}"
            raise ConfigError(
                [f"{value.position}: sweep.parameters: {key}: expected {expected}, got {show(value.plain())}"]
            )
    return parameters


def _keys(node: Node) -> dict[str, Node]:
    return {str(key): value for key, value in node.children()}


def _check_number(path: Path, parameters: Mapping[str, Node], section: Sweep, max_trials: int | None) -> None:
    """Refuse a plan that nobody can have meant before it is expanded."""
    grid = math.prod(len(value.value) for value in parameters.values())
    drawn = section.method.count if isinstance(section.method, Random) else grid
    number = drawn * len(section.cases or [None]) * len(section.seeds or [None])
    if max_trials is not None and number > max_trials:
        raise UsageError(f"{path}: {number:,} trials, more than {max_trials:,}; to train them all, confirm with `yes`")


def _combinations(parameters: Mapping[str, Node], section: Sweep) -> Iterator[Mapping[str, Node]]:
    if isinstance(section.method, Random):
        random = generator(section.method.seed, "sweep")
        for _ in range(section.method.count):
            yield {key: _drawn(key, value, random) for key, value in parameters.items()}
        return
    for key, value in parameters.items():
        if isinstance(value.value, dict):
            remedy = "a grid needs a list of values; or set method: {name: random, count: 20}"
            raise ConfigError([f"{value.position}: sweep.parameters: {key}: {remedy}"])
    for values in product(*(value.value for value in parameters.values())):
        yield dict(zip(parameters, values, strict=True))


def _drawn(key: str, value: Node, random: np.random.Generator) -> Node:
    """One value: of a list each as likely as the other, of a distribution by its rule."""
    if isinstance(value.value, list):
        chosen: Node = value.value[random.integers(len(value.value))]
        return chosen
    match value.plain():
        case {"uniform": [low, high]} if _rising(low, high):
            return Node(float(random.uniform(low, high)), value.position)
        case {"log_uniform": [low, high]} if _rising(low, high) and low > 0:
            return Node(math.exp(random.uniform(math.log(low), math.log(high))), value.position)
        case {"int_uniform": [low, high]} if _rising(low, high) and isinstance(low, int) and isinstance(high, int):
            return Node(int(random.integers(low, high, endpoint=True)), value.position)
    expected = f"a list of values, or one of {', '.join(DISTRIBUTIONS)} with [low, high], low < high"
    raise ConfigError([f"{value.position}: sweep.parameters: {key}: expected {expected}, got {show(value.plain())}"])


def _rising(low: Any, high: Any) -> bool:
    return isinstance(low, int | float) and isinstance(high, int | float) and low < high


def _axis(text: str) -> tuple[str, Node]:
    key, _, _ = text.partition("=")
    position = Position(f"command line: {show(text)}")
    return key.strip(), Node([yaml.parse_value(value, position) for value in _values(text)], position)


def _values(text: str) -> list[str]:
    """The values of `key=a,b`, split at commas outside brackets and quotes; none if there is no such comma."""
    values, depth, quote = [""], 0, ""
    for character in text.partition("=")[2]:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        depth += (character in "[{") - (character in "]}") if not quote else 0
        if character == "," and not depth and not quote:
            values.append("")
        else:
            values[-1] += character
    return values if len(values) > 1 else []
