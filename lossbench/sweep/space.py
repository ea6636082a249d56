"""The settings to try for a loss: the default, then its whole grid, or draws from it by a quasi-random sequence."""

from __future__ import annotations

import math
from itertools import count, islice, product
from typing import TYPE_CHECKING, Any

from lossbench.config.yaml import Node
from lossbench.sweep import values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_WHOLE_NUMBERS = 1000
"""Up to this many, the whole numbers of a range are a grid."""

REPEATS = 100
"""Draws per trial before the rest of a grid is taken in order, or a range is taken to have no further values."""


def settings(space: Mapping[str, Node], trials: int) -> Iterator[Mapping[str, Node]]:
    """Yield settings of a space other than the default, in the order in which they are tried; some may repeat.

    A grid is yielded completely, a large one after draws from it. A short range may have fewer different values than
    trials. The caller skips a setting that equals another one or the default, and takes as many as are needed.

    Args:
        space: For each key, its values as a list, or a distribution.
        trials: Number of settings to try, the default among them.

    Raises:
        ConfigError: A value is neither a list nor a distribution.
    """
    if not space:
        return
    lists = {key: _values(key, value) for key, value in space.items()}
    finite = [each for each in lists.values() if each is not None]
    is_grid = len(finite) == len(lists)
    if not is_grid or math.prod(map(len, finite)) >= trials:
        yield from _draws(space, lists, REPEATS * trials)
    for each in product(*finite) if is_grid else ():
        yield dict(zip(lists, each, strict=True))


def _draws(
    space: Mapping[str, Node], lists: Mapping[str, Sequence[Node] | None], number: int
) -> Iterator[Mapping[str, Node]]:
    """Yield the different settings among a number of draws."""
    known = set()
    for point in islice(sequence(len(space)), number):
        drawn = {
            key: _draw(key, value, lists[key], coordinate)
            for (key, value), coordinate in zip(space.items(), point, strict=True)
        }
        values_drawn = repr([each.plain() for each in drawn.values()])
        if values_drawn not in known:
            known.add(values_drawn)
            yield drawn


def sequence(dimensions: int) -> Iterator[tuple[float, ...]]:
    """Yield points of [0, 1)^d that fill it evenly, the same everywhere: Halton's sequence with scrambled digits.

    Coordinate j of point n is n in base p, the j-th prime, mirrored at the point: Σ_i (m d_i mod p) p^(-i-1), d_i the
    digits and m ≈ 0.618 p. Every coordinate alone fills [0, 1) too.

    Source: Halton (1960). doi:10.1007/BF01386213. Digits are multiplied as in Mascagni and Chi (2004). On the scrambled
    Halton sequence. doi:10.1515/mcma.2004.10.3-4.435.

    Example:
        >>> list(islice(sequence(2), 3))
        [(0.5, 0.6666666666666666), (0.25, 0.3333333333333333), (0.75, 0.2222222222222222)]
    """
    bases = list(islice(_primes(), dimensions))
    for number in count(1):
        yield tuple(_mirrored(number, base, max(1, round(0.618 * base))) for base in bases)


def _mirrored(number: int, base: int, factor: int) -> float:
    mirrored, power = 0, 1
    while number:
        number, digit = divmod(number, base)
        mirrored, power = mirrored * base + digit * factor % base, power * base
    return mirrored / power


def _primes() -> Iterator[int]:
    known: list[int] = []
    for number in count(2):
        if all(number % prime for prime in known):
            known.append(number)
            yield number


def _values(key: str, value: Node) -> Sequence[Node] | None:
    """Return the different values of a list or of a short range of whole numbers; None for a range of numbers."""
    if isinstance(value.value, list):
        return list({repr(each.plain()): each for each in value.value}.values())
    values.draw(key, value, _Coordinate(0.5), "sweep.tune")
    match value.plain():
        case {"int_uniform": [low, high]} if high - low < MOST_WHOLE_NUMBERS:
            return [Node(number, value.position) for number in range(low, high + 1)]
    return None


def _draw(key: str, value: Node, listed: Sequence[Node] | None, coordinate: float) -> Node:
    """Return the value at a coordinate; numbers of a range have four digits, so that they are equal everywhere."""
    if listed is not None:
        return listed[int(coordinate * len(listed))]
    drawn = values.draw(key, value, _Coordinate(coordinate), "sweep.tune")
    ((_, (low, high)),) = value.plain().items()
    return (
        Node(min(max(float(f"{drawn.value:.4g}"), low), high), drawn.position)
        if isinstance(drawn.value, float)
        else drawn
    )


class _Coordinate:
    """A coordinate in [0, 1) in place of a random generator."""

    def __init__(self, coordinate: float) -> None:
        self._coordinate = coordinate

    def uniform(self, low: float, high: float) -> float:
        """Return the number at the coordinate between low and high."""
        return low + self._coordinate * (high - low)

    def integers(self, low: int, high: int | None = None, *, endpoint: bool = False) -> Any:
        """Return the whole number at the coordinate from low to high, or from 0 to low."""
        first, end = (0, low) if high is None else (low, high + endpoint)
        return first + int(self._coordinate * (end - first))
