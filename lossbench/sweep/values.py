"""The values of a sweep's parameters: `sweep.parameters` as written, and the combinations of a grid or of draws."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol

from lossbench.config.dump import scalar
from lossbench.config.sweep import Random, Sweep
from lossbench.config.yaml import Node, show
from lossbench.errors import ConfigError, UsageError
from lossbench.seeding import generator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lossbench.config.yaml import Position

DISTRIBUTIONS = ("uniform", "log_uniform", "int_uniform")


class Source(Protocol):
    """What a value is drawn with: a random generator, or a coordinate of a quasi-random point."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number between low and high."""

    def integers(self, low: int, high: int | None = None, *, endpoint: bool = False) -> Any:
        """Return a whole number from low to high, or from 0 to below low."""


def parameters(written: Node, where: str = "sweep.parameters") -> dict[str, Node]:
    """Return the keys of a section such as `sweep.parameters` with their lists or distributions, checked for form.

    Args:
        written: The mapping of the keys.
        where: Name of the section.
    """
    parameters = keys(written)
    for key, value in parameters.items():
        if not (isinstance(value.value, list) and value.value) and not isinstance(value.value, dict):
            expected = f"a list of values, or one of {', '.join(DISTRIBUTIONS)}"
            raise located(value.position, f"{where}: {key}: expected {expected}, got {show(value.plain())}")
    return parameters


def located(position: Position | None, message: str) -> ConfigError:
    """Return the error of a value, with its position in the file if it has one."""
    return ConfigError([f"{position}: {message}" if position else message])


def keys(node: Node) -> dict[str, Node]:
    """Return the children of a node by their keys as text."""
    return {str(key): value for key, value in node.children()}


def check_number(path: Path, parameters: Mapping[str, Node], section: Sweep, max_trials: int | None) -> None:
    """Refuse a plan of too many trials before it is expanded."""
    grid = math.prod(len(value.value) for value in parameters.values())
    combinations = section.method.count if isinstance(section.method, Random) else grid
    number = combinations * len(section.cases or [None]) * len(section.seeds or [None])
    if max_trials is not None and number > max_trials:
        raise UsageError(
            f"{path}: {number:,} trials, more than {max_trials:,}; to train them all, confirm with `yes`",
            mentions=("yes",),
        )


def combinations(parameters: Mapping[str, Node], section: Sweep) -> Iterator[Mapping[str, Node]]:
    """Yield one value per parameter: every combination of a grid, or random draws.

    Raises:
        ConfigError: A value is neither a list nor a distribution that the method can use.
    """
    if isinstance(section.method, Random):
        random = generator(section.method.seed, "sweep")
        for _ in range(section.method.count):
            yield {key: draw(key, value, random) for key, value in parameters.items()}
        return
    for key, value in parameters.items():
        if isinstance(value.value, dict):
            remedy = "a grid needs a list of values; or set method: {name: random, count: 20}"
            raise located(value.position, f"sweep.parameters: {key}: {remedy}")
    for values in product(*(value.value for value in parameters.values())):
        yield dict(zip(parameters, values, strict=True))


def draw(key: str, value: Node, random: Source, where: str = "sweep.parameters") -> Node:
    """Draw a value uniformly from a list, or from a distribution.

    Raises:
        ConfigError: It is neither a list nor a distribution.
    """
    if isinstance(value.value, list):
        chosen: Node = value.value[random.integers(len(value.value))]
        return chosen
    match list(value.plain().items()):
        case [("uniform", [low, high])] if _rising(low, high):
            return Node(float(random.uniform(low, high)), value.position)
        case [("log_uniform", [low, high])] if _rising(low, high) and low > 0:
            return Node(math.exp(random.uniform(math.log(low), math.log(high))), value.position)
        case [("int_uniform", [low, high])] if _rising(low, high) and isinstance(low, int) and isinstance(high, int):
            return Node(int(random.integers(low, high, endpoint=True)), value.position)
    expected = f"a list of values, or one of {', '.join(DISTRIBUTIONS)} with [low, high], low < high"
    limits = "low > 0 for log_uniform, whole numbers for int_uniform"
    raise located(value.position, f"{where}: {key}: expected {expected} ({limits}), got {scalar(value.plain())}")


def _rising(low: Any, high: Any) -> bool:
    return isinstance(low, int | float) and isinstance(high, int | float) and low < high
