"""The group-sequential test by its definition, one sign vector and one number at a time: the oracle of its tests."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def statistic(values: list[float]) -> float:
    """T of a list of differences, one number at a time."""
    length = math.sqrt(sum(value * value for value in values))
    return abs(sum(values)) / length if length else 0.0


def naive(table: np.ndarray, looks: tuple[int, ...], alpha: float) -> list[tuple[int, int] | None]:
    """Decisions by the definition, with linear spending: the sign of the mean and the seeds of each."""
    signs = list(itertools.product((1, -1), repeat=looks[-1]))
    spent: set[int] = set()
    decided: dict[int, tuple[int, int]] = {}
    for seeds in looks:
        budget = alpha * seeds / looks[-1] - len(spent) / len(signs)
        while left := [column for column in range(table.shape[1]) if column not in decided]:
            flipped = {
                vector: max(
                    statistic([sign * value for sign, value in zip(each, table[:seeds, column], strict=False)])
                    for column in left
                )
                for vector, each in enumerate(signs)
                if vector not in spent
            }
            reached = {
                value: sum(other >= value - 1e-9 for other in flipped.values()) / len(signs)
                for value in flipped.values()
            }
            critical = min((value for value, share in reached.items() if share <= budget + 1e-9), default=math.inf)
            over = [column for column in left if statistic(list(table[:seeds, column])) >= critical - 1e-9]
            if not over:
                spent |= {vector for vector, value in flipped.items() if value >= critical - 1e-9}
                break
            decided |= {column: (1 if table[:seeds, column].sum() > 0 else -1, seeds) for column in over}
    return [decided.get(column) for column in range(table.shape[1])]
