"""The `sweep` section: which losses, hyperparameters, conditions and seeds are crossed."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from lossbench.config.decide import Decide
from lossbench.config.section import Choice, Count, Lax, Section, Seed
from lossbench.config.seeds import Seeds
from lossbench.config.tune import Tune


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
    tune: Tune | None = None
    """Tune each loss before it is compared, e.g. {trials: 8, parameters: {optimizer.learning_rate: [0.001, 0.01]}}."""
