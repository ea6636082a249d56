"""The `sweep` section: which losses, hyperparameters, conditions and seeds are crossed."""

import re
from collections import Counter
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from lossbench.config.decide import Decide
from lossbench.config.section import Choice, Count, Lax, Section, Seed

MOST_SEEDS = 1_000_000


def seeds(value: object) -> object:
    """Return the numbers that a text such as `0-9` or `0-4, 7` means; anything else as it is."""
    if not isinstance(value, str):
        return (value,) if isinstance(value, int) and not isinstance(value, bool) else value
    return numbers(value)


def _distinct(seeds: tuple[int, ...]) -> tuple[int, ...]:
    repeated = sorted({seed for seed, count in Counter(seeds).items() if count > 1})
    if repeated:
        raise ValueError(f"expected each seed once, got {', '.join(map(str, repeated[:5]))} twice or more")
    return seeds


def numbers(value: str) -> tuple[int, ...]:
    """Return the numbers that a text such as `0-9` or `0-4, 7` means.

    Raises:
        ValueError: It is none.
    """
    numbers: list[int] = []
    for part in value.split(","):
        found = re.fullmatch(r"\s*([0-9]{1,10})(?:\s*-\s*([0-9]{1,10}))?\s*", part)
        if found is None:
            raise ValueError(f"expected seeds such as 0-9 or [0, 1, 2], got {value[:40]!r}")
        first, last = int(found[1]), int(found[2] or found[1])
        if not 0 <= last - first < MOST_SEEDS - len(numbers):
            raise ValueError(f"expected ranges from low to high, {MOST_SEEDS:,} seeds at most, got {part.strip()!r}")
        numbers += range(first, last + 1)
    return tuple(numbers)


def values_of(text: str) -> list[str]:
    """Return the values of `key=a,b`, split at commas outside brackets and quotes; empty if there is no such comma."""
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


class Grid(Choice):
    """Every combination."""

    name: Literal["grid"] = "grid"


class Random(Choice):
    """Combinations drawn at random."""

    name: Literal["random"] = "random"
    count: Count
    """Number of combinations of parameters to draw."""
    seed: Seed = 0
    """Seed of the draw."""


Method: TypeAlias = Annotated[Grid | Random, Field(discriminator="name")]
Seeds: TypeAlias = Annotated[
    tuple[Seed, ...], Lax, Field(min_length=1), BeforeValidator(seeds), AfterValidator(_distinct)
]


class Sweep(Section):
    """Cases × parameters × seeds; each combination is a run."""

    method: Method = Grid()
    """grid, or {name: random, count, seed}."""
    cases: Annotated[tuple[dict[str, Any], ...], Lax, Field(min_length=1)] | None = None
    """List of mappings of dotted keys, e.g. [{loss: ce}, {loss: gce}]."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Dotted keys with the values to cross, e.g. {loss.gamma: [0, 1, 2]}."""
    seeds: Seeds | None = None
    """Seeds, e.g. 0-9 or [0, 1, 2]; null: the seed of the experiment."""
    decide: Decide | None = None
    """Add seeds until each loss is decided, e.g. {max_seeds: 30, rope: 0.1pp}; null: train all seeds."""
