"""The group-sequential test by its definition, one sign vector and one number at a time: the oracle of its tests."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CLOSE = 1e-9


def statistic(values: list[float], signs: tuple[int, ...], kind: str, rope: float) -> float:
    """T of a list of differences, for one of the three hypotheses, one number at a time."""
    shifted = [{"zero": value, "low": value + rope, "high": rope - value}[kind] for value in values]
    length = math.sqrt(sum(value * value for value in shifted))
    total = sum(sign * value for sign, value in zip(signs, shifted, strict=False))
    found = total / length if length else 0.0
    return abs(found) if kind == "zero" else found


def naive(
    table: np.ndarray, looks: tuple[int, ...], alpha: float, rope: float | None = None
) -> list[tuple[str, int] | None]:
    """Decisions by the definition, with linear spending: the verdict and the seeds of each."""
    signs = list(itertools.product((1, -1), repeat=looks[-1]))
    kinds = ("zero",) if rope is None else ("zero", "low", "high")
    hypotheses = [(column, kind) for column in range(table.shape[1]) for kind in kinds]
    spent: set[int] = set()
    rejected: set[tuple[int, str]] = set()
    decided: dict[int, tuple[str, int]] = {}
    for seeds in looks:
        if len(decided) == table.shape[1]:
            break
        seen = [
            list(table[: min(seeds, decided.get(column, ("", seeds))[1]), column]) for column in range(table.shape[1])
        ]
        budget = alpha * seeds / looks[-1] - len(spent) / len(signs)
        while left := [each for each in hypotheses if each not in rejected]:
            maxima = {
                vector: max(statistic(seen[column], each, kind, rope or 0) for column, kind in left)
                for vector, each in enumerate(signs)
                if vector not in spent
            }
            reached = {value: sum(other >= value - CLOSE for other in maxima.values()) for value in maxima.values()}
            affordable = [value for value, count in reached.items() if count / len(signs) <= budget + CLOSE]
            critical = min(affordable, default=math.inf)
            over = {
                (column, kind)
                for column, kind in left
                if column not in decided and statistic(seen[column], signs[0], kind, rope or 0) >= critical - CLOSE
            }
            if not over:
                spent |= {vector for vector, value in maxima.items() if value >= critical - CLOSE}
                break
            rejected |= over
        for column in [each for each in range(table.shape[1]) if each not in decided]:
            if {(column, "low"), (column, "high")} <= rejected:
                decided[column] = "equivalent", seeds
            elif (column, "zero") in rejected:
                decided[column] = "better" if sum(seen[column]) > 0 else "worse", seeds
            elif not any(seen[column]):
                decided[column] = "identical", seeds
    return [decided.get(column) for column in range(table.shape[1])]
