"""How often a judgement of cross-entropy under another name is wrong: python tests/benchmarks/judgements.py [FOLDER].

Trains cross-entropy in every condition of the suite with the quick budget, 30 seeds each, in FOLDER. Then resamples
judgements from these runs: the copy has other seeds than its opponents, so that they differ as two equal losses do.
With the same seeds their runs are equal to the last digit.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np

import lossbench
from lossbench import suite
from lossbench.config.decide import Decide, margin
from lossbench.statistics import Plan, decide

SEEDS, JUDGEMENTS, OPPONENTS = 30, 400, 6
BUDGET = suite.BUDGETS["quick"]


def train(folder: Path) -> dict[str, np.ndarray]:
    """Train cross-entropy in every condition; return its accuracies by condition."""
    found = {}
    for number, condition in enumerate(suite.CONDITIONS):
        case = {**suite.settings(condition, BUDGET), "loss": suite.REFERENCE}
        config = {"name": f"judged-{number}", **suite.SHARED, "sweep": {"cases": [case], "seeds": f"0-{SEEDS - 1}"}}
        result = lossbench.sweep(config, runs_dir=folder)
        found[condition.name] = lossbench.load_runs(result.folder)["test.last.accuracy"].to_numpy()
    return found


def judge(accuracies: dict[str, np.ndarray], random: np.random.Generator) -> list[str]:
    """Return the verdicts against cross-entropy in one resampled judgement, all of whose losses are equal."""
    plan = Plan(BUDGET.looks, rope=margin(Decide(rope=BUDGET.rope)))
    gains = []
    for pool in accuracies.values():
        judged = random.choice(pool, BUDGET.looks[-1])
        gains += [random.choice(pool, BUDGET.looks[-1]) - judged for _ in range(OPPONENTS)]
    decisions = decide(gains, plan)[::OPPONENTS]
    return [each.verdict if each else "undecided" for each in decisions]


def main() -> None:
    """Print the share of judgements with a false verdict, and all verdicts."""
    accuracies = train(Path(sys.argv[1] if sys.argv[1:] else "runs/judgements"))
    random = np.random.default_rng(0)
    judgements = [judge(accuracies, random) for _ in range(JUDGEMENTS)]
    wrong = sum(bool({"better", "worse"} & set(each)) for each in judgements)
    print(f"{wrong} of {JUDGEMENTS} judgements have a false verdict")
    print(Counter(verdict for each in judgements for verdict in each))


if __name__ == "__main__":
    main()
