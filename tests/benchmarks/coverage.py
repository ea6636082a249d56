"""How often `compare` as a whole is wrong, finds a true difference, and gives intervals that hold the true value.

    python tests/benchmarks/coverage.py

Each simulated comparison has five losses under one condition over ten seeds and goes through the same function as the
command. A seed's luck (sd 2) is shared by all losses of that seed, a loss's own scatter has sd 1 / √2, so that the
differences have sd 1; a true difference of 1 sd is one of these. Normal numbers; the comparison knows nothing of that.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

COMPARISONS, LOSSES, SEEDS = 2000, 5, 10
BASELINE = "categorical_crossentropy"


def simulated(generator: np.random.Generator, shift: float, seeds: int = SEEDS) -> list[dict[str, object]]:
    """The rows of one comparison; the last loss is truly better by the shift."""
    from fabricate import row

    luck = generator.normal(0, 2, seeds)
    rows = []
    for number in range(LOSSES):
        values = luck + generator.normal(0, 0.5**0.5, seeds) + shift * (number == LOSSES - 1)
        label = f"loss{number}" if number else BASELINE
        rows += [row(label, seed, float(value)) for seed, value in enumerate(values)]
    return rows


def verdicts(shift: float, comparisons: int = COMPARISONS) -> tuple[float, float]:
    """The share of comparisons with any better or worse among losses that are equal; and that found the shifted one."""
    from lossbench.analysis.comparison import compare
    from lossbench.analysis.query import Query

    generator = np.random.default_rng(2026)
    wrong = found = 0
    for _ in range(comparisons):
        (block,) = compare(simulated(generator, shift), Query()).blocks
        told = {group.label: group.difference.verdict for group in block.groups if group.difference}
        shifted = told.pop(f"loss{LOSSES - 1}")
        if not shift:
            told["shifted"] = shifted
        wrong += bool({"better", "worse"} & set(told.values()))
        found += shifted == "better"
    return wrong / comparisons, found / comparisons


def coverage(seeds: int, samples: int = COMPARISONS) -> tuple[float, float]:
    """How often the interval of a mean holds the true mean, and that of a difference the true difference."""
    from lossbench.analysis.comparison import compare
    from lossbench.analysis.query import Query

    generator = np.random.default_rng(seeds)
    of_mean = of_difference = 0
    for _ in range(samples):
        (block,) = compare(simulated(generator, 1.0, seeds), Query()).blocks
        (group,) = [group for group in block.groups if group.label == f"loss{LOSSES - 1}"]
        mean, difference = group.metrics["accuracy"].interval, group.difference and group.difference.interval
        assert mean
        assert difference
        of_mean += mean.low <= 1 <= mean.high
        of_difference += difference.low <= 1 <= difference.high
    return of_mean / samples, of_difference / samples


def crossed_coverage(seeds: int, images: int = 200, samples: int = COMPARISONS) -> float:
    """How often the interval over seeds × images holds 0, the true difference."""
    from lossbench.statistics import two_way_interval

    generator = np.random.default_rng(seeds)
    held = 0
    for _ in range(samples):
        table = generator.normal(0, 0.1, (seeds, 1)) + generator.normal(0, 0.5, images)
        interval = two_way_interval(table + generator.normal(0, 1, (seeds, images)))
        assert interval
        held += interval.low <= 0 <= interval.high
    return held / samples


def main() -> None:
    """Print a line for each question."""
    print(f"{COMPARISONS:,} comparisons of {LOSSES} losses × {SEEDS} seeds, normal numbers")
    for shift in (0.0, 1.0, 2.0):
        wrong, found = verdicts(shift)
        print(f"true difference of one loss {shift:g} sd: any wrong verdict {wrong:.1%}, found {found:.1%}")
    for seeds in (3, 5, 10):
        mean, difference = coverage(seeds)
        print(f"n = {seeds}: 95 % intervals hold the mean {mean:.1%}, the difference {difference:.1%}, ", end="")
        print(f"the difference over seeds × 200 images {crossed_coverage(seeds):.1%}")


if __name__ == "__main__":
    main()
