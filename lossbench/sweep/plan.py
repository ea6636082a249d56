"""The experiments of a sweep: cases × parameters × seeds, in a fixed order, none left out.

The seed is the outermost loop, so that after its first round every case has been seen once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from lossbench.config import resolve, yaml
from lossbench.config.seeds import generator
from lossbench.config.sweep import Random, Sweep
from lossbench.config.yaml import Node, Position, show
from lossbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from lossbench.config.schema import Experiment

DISTRIBUTIONS = ("uniform", "log_uniform", "int_uniform")


@dataclass(frozen=True)
class Plan:
    """What a sweep trains: its name and its experiments, in order."""

    name: str
    experiments: tuple[Experiment, ...]


def load(path: Path, overrides: Sequence[str] = (), *, seeds: str | None = None) -> Plan:
    """The plan of a configuration; one without a `sweep` section is a sweep of one.

    Args:
        path: The YAML file.
        overrides: `key=value`; a comma outside brackets makes an axis, `loss.gamma=0,1,2`.
        seeds: Such as `0-9`, in place of the file's.

    Raises:
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
    cases = [dict(case.children()) for _, case in written.value["cases"].children()] if section.cases else [{}]
    combinations = list(_combinations(parameters, section))
    seed_values = [Node(seed) for seed in section.seeds] if section.seeds else [None]
    chosen = [
        {**case, **combination, **({"seed": seed} if seed else {})}
        for seed, combination, case in product(seed_values, combinations, cases)
    ]
    return Plan(resolve.build(base, name).name, tuple(_built(base, name, chosen, path)))


def _built(base: Node, name: str, chosen: Sequence[Mapping[str, Node]], path: Path) -> Iterator[Experiment]:
    lines: dict[str, None] = {}
    for settings in chosen:
        node = base
        for key, value in settings.items():
            node = resolve.set_key(node, str(key), value, path.parent)
        try:
            yield resolve.build(node, name)
        except ConfigError as error:
            lines |= dict.fromkeys(str(error).splitlines())
    if lines:
        raise ConfigError(list(lines))


def _parameters(written: Node) -> dict[str, Node]:
    """The keys to cross with what stands behind each, checked for form."""
    section = dict(written.children()).get("parameters", Node({}))
    parameters = {str(key): value for key, value in section.children()}
    for key, value in parameters.items():
        if not (isinstance(value.value, list) and value.value) and not isinstance(value.value, dict):
            expected = f"a list of values, or one of {', '.join(DISTRIBUTIONS)}"
            raise ConfigError([f"{value.position}: sweep.parameters: {key}: expected {expected}"])
    return parameters


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
