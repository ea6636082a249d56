"""How often a judgement of cross-entropy under another name is wrong: python tests/benchmarks/judgements.py [FOLDER].

Trains cross-entropy with 30 seeds and the opponents of the suite with those of its last look, in every condition with
the quick budget, in FOLDER. Then resamples judgements from these runs: every loss gets seeds of its own, so that the
copy and cross-entropy differ as two equal losses do. With the same seeds their runs are equal to the last digit.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import lossbench
from lossbench import suite
from lossbench.config.decide import Decide, margin
from lossbench.statistics import Plan, decide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

SEEDS, JUDGEMENTS = 30, 400
BUDGET = suite.BUDGETS["quick"]


def train(folder: Path) -> list[list[np.ndarray]]:
    """Train the losses of every condition; return the accuracies of each loss, those of cross-entropy first."""
    return [
        [
            *accuracies(folder, f"judged-{number}", condition, [suite.REFERENCE], SEEDS),
            *accuracies(folder, f"opponents-{number}", condition, condition.opponents, BUDGET.looks[-1]),
        ]
        for number, condition in enumerate(suite.CONDITIONS)
    ]


def accuracies(
    folder: Path, name: str, condition: suite.Condition, losses: Sequence[Any], seeds: int
) -> list[np.ndarray]:
    """Train losses in a condition; return the accuracies of each."""
    cases = [{**suite.settings(condition, BUDGET), "loss": loss} for loss in losses]
    result = lossbench.sweep(
        {"name": name, **suite.SHARED, "sweep": {"cases": cases}}, seeds=range(seeds), runs_dir=folder
    )
    runs = lossbench.load_runs(result.folder)
    return [each.to_numpy() for _, each in runs.groupby("loss")["test.last.accuracy"]]


def judge(conditions: list[list[np.ndarray]], random: np.random.Generator) -> list[str]:
    """Return the verdicts against cross-entropy in one resampled judgement of its copy."""
    plan = Plan(BUDGET.looks, rope=margin(Decide(rope=BUDGET.rope)))
    gains = []
    for pools in conditions:
        judged = random.choice(pools[0], BUDGET.looks[-1])
        gains += [random.choice(pool, BUDGET.looks[-1]) - judged for pool in pools]
    of_references = np.cumsum([0, *map(len, conditions[:-1])])
    decisions = decide(gains, plan)
    return [each.verdict if each else "undecided" for each in (decisions[index] for index in of_references)]


def main() -> None:
    """Print the share of judgements with a false verdict, and all verdicts."""
    conditions = train(Path(sys.argv[1] if sys.argv[1:] else "runs/judgements"))
    random = np.random.default_rng(0)
    judgements = [judge(conditions, random) for _ in range(JUDGEMENTS)]
    wrong = sum(bool({"better", "worse"} & set(each)) for each in judgements)
    print(f"{sum(len(pool) for pools in conditions for pool in pools)} runs of {suite.full_name('quick')}")
    print(f"{wrong} of {JUDGEMENTS} judgements have a false verdict")
    print(Counter(verdict for each in judgements for verdict in each))


if __name__ == "__main__":
    main()
