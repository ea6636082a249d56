r"""How often verdicts are wrong, and how often they find a true difference.

    python tests/benchmarks/calibration.py fixed|sequential|map [STUDIES]
    python tests/benchmarks/calibration.py same [STUDIES] RUNS

fixed       any false verdict, and power, for five laws of scores × 1 to 77 losses × 6 to 10 seeds
sequential  seeds added at planned looks, 30 at most: false verdicts and trainings, without and with a rope
map         losses with a known best in each cell: how often it is in the cell's set, and how many losses are
same        scores of trained runs, resampled: one loss under two names

Simulated scores have the scale at which the difference of two runs of a seed has a standard deviation of 1; with
failures, of two runs that do not fail. What all losses of a seed share is left out, as differences do not have it.

The runs for `same` take 6 minutes on two cores. The second loss is cross-entropy by another formula: rounding alone
makes other runs of the same seeds, with a learning rate that lets it grow.

    lossbench sweep --config configs/cross_entropy.yaml --plugin tests/benchmarks/crossentropy_again.py \
        loss=ce,crossentropy_again --seeds 0-199 --runs-dir same data.train_size=1000 data.validation_size=100 \
        data.label_noise.rate=0.2 'model.hidden=[32]' optimizer.learning_rate=0.03 train.batch_size=16 train.epochs=20
"""

from __future__ import annotations

import os
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from lossbench.statistics import Decision

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from lossbench.statistics import ALPHA, Plan, decide, holm, max_t, possibly_best, sign_flips  # noqa: E402 - of this checkout

say = partial(print, flush=True)

STUDIES, SEEDS, LOSSES = 2000, (6, 8, 10), (1, 5, 20, 77)
EFFECT = 1.5
"""True difference of one loss, for the power."""

LAWS: dict[str, Callable[[Generator, tuple[int, int]], NDArray[np.float64]]] = {
    "normal": lambda random, shape: random.normal(0, 0.5**0.5, shape),
    "exponential": lambda random, shape: random.exponential(0.5**0.5, shape),
    "lognormal": lambda random, shape: random.lognormal(0, 1, shape) / (2 * (np.e - 1) * np.e) ** 0.5,
    "lattice": lambda random, shape: np.round(random.normal(9800, 2, shape)) / 8**0.5,
    "failures": lambda random, shape: random.normal(0, 0.5**0.5, shape) - 20 * (random.random(shape) < 0.1),
}
"""Laws of scores `[seeds, losses]`. The lattice is that of 10,000 test images, with a standard deviation of 2 images;
a failure lowers the score of one run in ten by 20."""

CELLS, MAP_LOSSES, MAP_SEEDS = 4, 10, (6, 10)
SPREADS = {"equal": 0.0, "spread 1 sd": 1.0, "3 sd": 3.0}
"""Standard deviation of the true means of a cell's losses; equal losses have an arbitrary best one."""

MIXED = (0.0, 0.0, 0.0, 0.5, 0.5, 1.0, 1.0, 2.0, 2.0)
STUDIED = {
    "equal": ((0.0,) * 9, None),
    "mixed": (MIXED, None),
    "clear": ((3.0,) * 9, None),
    "equal, with rope": ((0.0,) * 9, 1.0),
    "mixed, with rope": (MIXED, 1.0),
    "as large as the rope": ((1.0,) * 9, 1.0),
}
"""True differences of nine losses from the baseline, and the rope."""

SIGN_VECTORS = 2**12
"""Number of random sign vectors for more than 16 seeds, instead of 65,536, so that more studies fit into the time."""


def differences(law: str, random: Generator, seeds: int, effects: Sequence[float]) -> NDArray[np.float64]:
    """Differences from the baseline, `[seeds, losses]`, with these true values."""
    scores = LAWS[law](random, (seeds, len(effects) + 1))
    return scores[:, 1:] - scores[:, :1] + np.array(effects)


def fixed(studies: int = STUDIES) -> None:
    """Print, for each law and size: any false verdict on equal losses; power for one true difference among equals."""
    say(f"any false verdict, % / power for {EFFECT} sd by max-T, % / by Holm, %\n")
    say(
        table_row(["scores", "seeds", *(f"{losses} loss{'es' * (losses > 1)}" for losses in LOSSES)])
        + rule(2 + len(LOSSES))
    )
    for law in LAWS:
        for seeds in SEEDS:
            cells = [fixed_shares(law, seeds, losses, studies) for losses in LOSSES]
            say(table_row([law, seeds, *map(percents, cells)]))


def fixed_shares(law: str, seeds: int, losses: int, studies: int) -> tuple[float, float, float]:
    """Shares of studies: any false verdict; the true difference found by max-T; by Holm."""
    random = np.random.default_rng([list(LAWS).index(law), seeds, losses])
    wrong = ours = theirs = 0
    for _ in range(studies):
        table = differences(law, random, seeds, (0.0,) * losses)
        wrong += bool((max_t(table).adjusted <= ALPHA).any())
        table[:, 0] += EFFECT
        test = max_t(table)
        ours += bool(test.adjusted[0] <= ALPHA)
        theirs += holm(list(test.p))[0] <= ALPHA
    return wrong / studies, ours / studies, theirs / studies


def loss_map(studies: int = STUDIES) -> None:
    """Print, for each law, how often the best loss of a cell is in its set, and the size of the set."""
    say(f"{CELLS} cells of ten losses per world: cells with the best loss in their set, % / mean size of the set\n")
    names = [f"{name}, {seeds} seeds" for seeds in MAP_SEEDS for name in SPREADS]
    say(table_row(["scores", *names]) + rule(1 + len(names)))
    for law in LAWS:
        cells = [map_shares(law, spread, seeds, studies) for seeds in MAP_SEEDS for spread in SPREADS.values()]
        say(table_row([law, *(f"{100 * share:.1f} / {size:.1f}" for share, size in cells)]))


def map_shares(law: str, spread: float, seeds: int, worlds: int) -> tuple[float, float]:
    """Share of cells whose set has the truly best loss, and mean size of the set, over the cells of many worlds.

    The true means of a cell are normal with this standard deviation; what the seeds share is part of every score.
    """
    random = np.random.default_rng([list(LAWS).index(law), seeds, int(10 * spread)])
    kept = size = 0
    for _ in range(worlds * CELLS):
        means = random.normal(0, spread, MAP_LOSSES)
        luck = random.normal(0, 1, (seeds, 1))
        found = possibly_best(LAWS[law](random, (seeds, MAP_LOSSES)) + means + luck)
        kept += bool(found[means.argmax()])
        size += int(found.sum())
    return kept / worlds / CELLS, size / worlds / CELLS


def sequential(studies: int = STUDIES) -> None:
    """Print, for each law, what a sweep that stops when it is decided says and saves."""
    say("nine losses, 30 seeds at most: any false verdict, % / trainings of those that 30 seeds of each take, %")
    say(f"/ losses that are decided, %; {SIGN_VECTORS:,} sign vectors\n")
    say(table_row(["scores", *STUDIED]) + rule(1 + len(STUDIED)))
    with mock.patch.object(sign_flips, "DRAWS", SIGN_VECTORS - 1):
        sign_flips.sign_vectors.cache_clear()
        for law in LAWS:
            random = np.random.default_rng(list(LAWS).index(law))
            plans = [(effects, Plan(rope=rope)) for effects, rope in STUDIED.values()]
            cells = [sequential_shares(law, effects, plan, random, studies) for effects, plan in plans]
            say(table_row([law, *map(percents, cells)]))
    sign_flips.sign_vectors.cache_clear()


def sequential_shares(
    law: str, effects: Sequence[float], plan: Plan, random: Generator, studies: int
) -> tuple[float, float, float]:
    """Shares: studies with any false verdict; trainings of those that the plan allows; comparisons decided."""
    wrong, trained, decided, most = 0, 0, 0, plan.looks[-1]
    for _ in range(studies):
        found = decide(list(differences(law, random, most, effects).T), plan)
        wrong += any(is_false(each, effect, plan.rope) for each, effect in zip(found, effects, strict=True))
        seeds = [each.seeds if each else most for each in found]
        trained += sum(seeds) + max(seeds)
        decided += sum(each is not None for each in found)
    return wrong / studies, trained / studies / most / (len(effects) + 1), decided / studies / len(effects)


def is_false(decision: Decision | None, effect: float, rope: float | None = None) -> bool:
    """Whether a decision is better or worse for a loss that is not, or equivalent for one that differs by the rope."""
    verdicts = {"better": effect > 0, "worse": effect < 0, "equivalent": rope is not None and abs(effect) < rope}
    return decision is not None and not verdicts.get(decision.verdict, True)


def same(studies: int, runs: Path) -> None:
    """Print how often the runs of one loss under two names, resampled, get any verdict."""
    ours, theirs = scores_by_seed(runs)
    pairs = np.array([ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())])
    pool = np.array([*ours.values(), *theirs.values()])
    scores = f"{len(pairs)} pairs; accuracy {100 * pool.mean():.2f} ± {100 * pool.std(ddof=1):.2f} %"
    say(f"{scores}, difference {100 * pairs.mean():+.2f} ± {100 * pairs.std(ddof=1):.2f} pp\n\nany verdict, %\n")
    say(table_row(["", *(f"{seeds} seeds" for seeds in SEEDS), "30 seeds, eight looks"]) + rule(2 + len(SEEDS)))
    random = np.random.default_rng(0)
    say(resampled("1 loss, same seeds", lambda seeds: random.choice(pairs, (seeds, 1), replace=False), studies))
    for losses in (each for each in (1, 5, 12) if (each + 1) * Plan.looks[-1] <= len(pool)):

        def distinct(seeds: int, losses: int = losses) -> NDArray[np.float64]:
            scores = random.choice(pool, (seeds, losses + 1), replace=False)
            return scores[:, 1:] - scores[:, :1]

        say(resampled(f"{losses} loss{'es' * (losses > 1)}, other seeds each", distinct, studies))


def resampled(name: str, draw: Callable[[int], NDArray[np.float64]], studies: int) -> str:
    """A row of shares of studies with any verdict, at each number of seeds and at planned looks."""
    found = [sum(bool((max_t(draw(seeds)).adjusted <= ALPHA).any()) for _ in range(studies)) for seeds in SEEDS]
    found.append(sum(any(decide(list(draw(Plan.looks[-1]).T), Plan())) for _ in range(studies)))
    return table_row([name, *(percents([count / studies]) for count in found)])


def scores_by_seed(runs: Path) -> list[dict[int, float]]:
    """Test accuracies by seed, for each of two losses.

    Raises:
        SystemExit: The runs are not of two losses.
    """
    from lossbench.analysis.loading import rows

    found: dict[object, dict[int, float]] = {}
    for each in rows([runs])[0]:
        if each["status"] == "completed":
            found.setdefault(each["loss"], {})[int(each["seed"] or 0)] = float(each["test.last.accuracy"] or 0)
    if len(found) != 2:
        sys.exit(f"{runs}: expected completed runs of two losses, got {', '.join(map(str, found)) or 'none'}")
    return list(found.values())


def percents(shares: Sequence[float]) -> str:
    """Shares in per cent: the first to one decimal, as it is compared with 6.0, the others to none."""
    first, *others = shares
    return " / ".join([f"{100 * first:.1f}", *(f"{100 * each:.0f}" for each in others)])


def table_row(cells: Sequence[object]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |"


def rule(columns: int) -> str:
    """The line below the heads of a Markdown table, on a line of its own."""
    return "\n" + "| --- " * columns + "|"


def main() -> None:
    """Print the tables that the command line names."""
    match sys.argv[1:]:
        case ["fixed" | "sequential" | "map" as name, *given] if len(given) <= 1 and all(map(str.isdecimal, given)):
            table, runs = {"fixed": fixed, "sequential": sequential, "map": loss_map}[name], ()
        case ["same" as name, *given, folder] if len(given) <= 1 and all(map(str.isdecimal, given)):
            table, runs = same, (Path(folder),)
        case _:
            sys.exit(__doc__)
    studies = int(given[0]) if given else STUDIES
    command = f"`python tests/benchmarks/calibration.py {name}`"
    say(f"{command}, {studies:,} studies each; NumPy {version('numpy')}, lossbench {version('lossbench')}\n")
    table(studies, *runs)


if __name__ == "__main__":
    main()
