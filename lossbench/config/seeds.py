"""Seeds of a sweep: a list, or a text such as `0-9`."""

import re
from collections import Counter
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from lossbench.config.section import Lax, Seed

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


Seeds: TypeAlias = Annotated[
    tuple[Seed, ...], Lax, Field(min_length=1), BeforeValidator(seeds), AfterValidator(_distinct)
]
