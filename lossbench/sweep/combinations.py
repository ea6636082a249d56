"""Combinations of a sweep, one value per key, as experiments; with `sweep.tune`, the settings to try for each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lossbench.config import resolve
from lossbench.config.dump import scalar
from lossbench.config.overrides import depth, is_within
from lossbench.errors import ConfigError
from lossbench.losses.labels import label
from lossbench.runs.likeness import IGNORED
from lossbench.sweep import space, values
from lossbench.sweep.values import located

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lossbench.config.resolve import Check
    from lossbench.config.schema import Experiment
    from lossbench.config.sweep import Sweep
    from lossbench.config.tune import Tune
    from lossbench.config.yaml import Node, Position

TUNE = "tune"
"""Key of a case that holds what is tuned for this case alone."""

NOT_TUNED = ("loss", "loss.name", "data", *IGNORED)
"""Keys that tuning cannot change: the loss itself, its data, and what changes no number."""


@dataclass(frozen=True)
class Combination:
    """A case with one value per parameter.

    Attributes:
        settings: The keys that the sweep sets, dotted, with plain values.
        experiment: The complete experiment.
        position: The position of the first of these keys; None: the sweep sets none.
        tried: Values of the keys that are tuned; empty for the default.
        space: What is searched: a list or a distribution per key that is tuned.
        others: The settings to try besides the default, if the sweep tunes.
    """

    settings: Mapping[str, Any]
    experiment: Experiment
    position: Position | None = None
    tried: Mapping[str, Any] = field(default_factory=dict)
    space: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[Combination, ...] = ()

    @property
    def all_settings(self) -> tuple[Combination, ...]:
        """The settings to try, the default first."""
        return (self, *self.others)


@dataclass(frozen=True)
class Builder:
    """Builds the combinations of a configuration.

    Attributes:
        base: The merged configuration without its sweep.
        name: Name of the experiment.
        folder: Folder of the configuration, against which paths are resolved.
        check: Returns further problems of a valid experiment.
    """

    base: Node
    name: str
    folder: Path
    check: Check

    def combinations(
        self, chosen: Sequence[Mapping[str, Node]], spaces: Sequence[Mapping[str, Node]], trials: int
    ) -> Iterator[Combination]:
        """Yield a combination for each choice of values.

        Args:
            chosen: The keys that the sweep sets, with their values.
            spaces: What is tuned for each of them.
            trials: Number of settings to try for each of them, the default among them.

        Raises:
            ConfigError: Experiments are invalid; the message has every problem once.
        """
        lines: dict[str, None] = {}
        common = set.intersection(*map(set, spaces)) if len(spaces) > 1 else ()
        shared = [key for key in common if is_within(key, "loss")]
        for settings, searched in zip(chosen, spaces, strict=True):
            try:
                default = self._combination(settings, {})
                others = tuple(self._others(default, settings, searched, trials))
                plain = {key: value.plain() for key, value in searched.items()}
                yield replace(default, space=plain, others=others)
            except ConfigError as error:
                lines |= dict.fromkeys(_advised(line, shared) for line in str(error).splitlines())
        if lines:
            raise ConfigError(_once(lines))

    def _combination(self, settings: Mapping[str, Node], tried: Mapping[str, Node]) -> Combination:
        node = self.base
        for key, value in sorted({**settings, **tried}.items(), key=lambda item: depth(item[0])):
            node = resolve.set_key(node, key, value, self.folder)
        plain, tuned = ({key: value.plain() for key, value in each.items()} for each in (settings, tried))
        position = next((value.position for value in (*settings.values(), *tried.values())), None)
        return Combination(plain, resolve.build(node, self.name, check=self.check), position, tuned)

    def _others(
        self, default: Combination, settings: Mapping[str, Node], searched: Mapping[str, Node], trials: int
    ) -> Iterator[Combination]:
        """Yield the settings to try besides the default, each once."""
        known = [default.experiment]
        for tried in space.settings(searched, trials):
            if len(known) == trials:
                return
            found = self._combination(settings, tried)
            if found.experiment not in known:
                known.append(found.experiment)
                yield found


def _once(lines: Iterable[str]) -> list[str]:
    """Return lines of an error, those that differ only in line and column as one, with the number of the others."""
    places: dict[str, list[str]] = {}
    for line in lines:
        places.setdefault(re.sub(r":\d+:\d+: ", ": ", line, count=1), []).append(line)
    return [first + _elsewhere(len(others)) for first, *others in places.values()]


def _elsewhere(places: int) -> str:
    return f" (the same in {places} other place{'s' * (places > 1)})" if places else ""


def _advised(line: str, shared: Sequence[str]) -> str:
    """Return a line of an error, with advice if it refuses a key that is tuned for all losses and only some have."""
    is_of_others = any(f"{key}: unknown key" in line for key in shared)
    return (
        f"{line}; tune it in the cases that have it, e.g. {{loss: gce, tune: {{loss.q: [0.5, 0.7]}}}}" * is_of_others
        or line
    )


def check_keys(mappings: Sequence[Mapping[str, Node]], *, seeds: bool) -> None:
    """Refuse keys that no trial can set: `sweep`, `extends`, and `seed` if `sweep.seeds` sets it."""
    for key, value in (item for mapping in mappings for item in mapping.items()):
        if key.partition(".")[0] in {"sweep", "extends"}:
            raise located(value.position, f"{key}: a trial has none; take the key out of cases and parameters")
        if key == "seed" and seeds:
            raise located(value.position, "seed: sweep.seeds sets it already; remove one of the two")


def check_unused_loss(loss: Node, experiment: Experiment, combinations: Sequence[Combination]) -> None:
    """Refuse the loss of a configuration if no trial has it, as each sets another one.

    Args:
        loss: The loss as written.
        experiment: The experiment without the sweep.
        combinations: The combinations of the sweep.

    Raises:
        ConfigError: There is such a loss.
    """
    names = {each.name for each in experiment.loss}
    if all(
        "loss" in each.settings and names.isdisjoint(term.name for term in each.experiment.loss)
        for each in combinations
    ):
        reason = f"no trial has {label(experiment.loss)}, as each sets another loss"
        raise located(loss.position, f"loss: {reason}; remove it, or add it to sweep.cases")


def tuned_spaces(
    written: Node, section: Sweep, cases: Sequence[dict[str, Node]], parameters: Mapping[str, Node]
) -> list[Mapping[str, Node]]:
    """Take what is tuned out of the cases, and return it for each of them, that of all losses included.

    Args:
        written: The section `sweep`.
        section: The same, validated.
        cases: The keys of each case; `tune` is removed.
        parameters: The keys of `sweep.parameters`, none of which may be tuned.

    Raises:
        ConfigError: Nothing is tuned, or a key that tuning cannot change, or a key that a parameter sets.
    """
    written_tune = written.value.get(TUNE) if isinstance(written.value, dict) else None
    own = [case.pop(TUNE, None) for case in cases]
    if section.tune is None:
        if written_tune is None and (first := next(filter(None, own), None)):
            raise located(first.position, f"{TUNE}: needs sweep.tune; add it, e.g. tune: {{trials: 8}}")
        return [{} for _ in cases]
    if wrong := next((each for each in own if each and not isinstance(each.value, dict | None)), None):
        expected = "a mapping of keys to lists or ranges, e.g. {loss.q: [0.5, 0.7]}"
        raise located(wrong.position, f"sweep.cases: {TUNE}: expected {expected}, got {scalar(wrong.plain())}")
    shared = values.keys(written_tune).get("parameters") if written_tune else None
    common = values.parameters(shared, "sweep.tune.parameters") if shared else {}
    spaces: list[Mapping[str, Node]] = [
        common | (values.parameters(each, "sweep.cases: tune") if each else {}) for each in own
    ]
    for key, value in [item for each in spaces for item in each.items()]:
        _check_tuned(key, value, parameters)
    if not any(spaces):
        where = written_tune.position if written_tune else None
        example = "e.g. parameters: {optimizer.learning_rate: [0.0003, 0.001, 0.003]}"
        raise located(where, f"sweep.tune: expected parameters, or cases with tune, got none; add {example}")
    return spaces


def _check_tuned(key: str, value: Node, parameters: Mapping[str, Node]) -> None:
    """Refuse a key that tuning cannot change, or that `sweep.parameters` sets."""
    where = f"sweep.tune: {key}"
    if key in NOT_TUNED or any(is_within(key, each) for each in ("data", *IGNORED)):
        remedy = "choose a key of the training or of the loss, e.g. optimizer.learning_rate or loss.q"
        reason = "the loss itself, data, seeds, names and keys that change no number are not tuned"
        raise located(value.position, f"{where}: {reason}; {remedy}")
    if both := next((each for each in parameters if is_within(key, each) or is_within(each, key)), None):
        reason = f"sweep.parameters has {both} too, which makes conditions; remove one of the two"
        raise located(value.position, f"{where}: {reason}")


def check_tuned(combinations: Sequence[Combination], tune: Tune, seeds: Sequence[int]) -> None:
    """Refuse seeds that tuning and comparison share, combinations without validation images, and nothing to choose.

    Raises:
        ConfigError: There are such seeds or combinations, or no loss has a setting besides its default.
    """
    for each in combinations:
        experiment, where = each.experiment, each.position or each.experiment.name
        if not seeds and experiment.seed in tune.seeds:
            reason = f"seed: {experiment.seed} is a seed of sweep.tune.seeds; choose others there, e.g. 1000-1001"
            raise ConfigError([f"{where}: {reason}"])
        if not experiment.data.validation_size:
            reason = "sweep.tune needs validation images, but data.validation_size is 0; set it, e.g. to 5000"
            raise ConfigError([f"{where}: {reason}"])
    if not any(each.others for each in combinations):
        where = combinations[0].position or combinations[0].experiment.name
        reason = "all values are those of the defaults, so there is nothing to choose; add others"
        raise ConfigError([f"{where}: sweep.tune: {reason}"])
