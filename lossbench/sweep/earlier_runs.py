"""Earlier runs in the runs folder: how long they took, and how much the differences between losses vary by seed."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from lossbench.runs import index, likeness, paths, read, rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lossbench.metrics import Metric
    from lossbench.runs.rows import RunRow, Scalar

Speed: TypeAlias = "tuple[Scalar, ...]"
Scores: TypeAlias = "dict[int, float]"
"""A metric by seed."""

SPEED_KEYS = (
    *("model.name", "model.hidden", "model.dropout", "model.batch_norm", "model.head.name"),
    *("train.epochs", "train.batch_size", "train.precision", "train.early_stopping", "optimizer.name"),
    *("data.name", "data.classes", "data.train_size", "data.validation_size", "data.imbalance.ratio"),
)
"""Keys on which the duration of a run depends most."""


@dataclass(frozen=True)
class Spread:
    """How much the difference of a loss from the baseline varies by seed.

    Attributes:
        sd: Standard deviation; the median over losses.
        of: `differences` of paired runs; or `scores`, whose standard deviation is multiplied by √2.
        n: Number of pairs, or of scores.
    """

    sd: float
    of: Literal["differences", "scores"]
    n: int


def load(runs_dir: Path) -> list[RunRow]:
    """Return the completed runs of a runs folder; none if there is no such folder."""
    return _completed([runs_dir])


def load_tuning(runs_dir: Path) -> list[RunRow]:
    """Return the completed tuning runs of the sweeps in a runs folder."""
    return _completed([each.parent / paths.TUNING_RUNS for each in sorted(runs_dir.glob(f"*/{paths.TUNING}"))])


def _completed(folders: Iterable[Path]) -> list[RunRow]:
    return [row for row in index.load(each for each in folders if each.is_dir())[0] if row["status"] == "completed"]


def speed(row: RunRow, threads: int) -> Speed:
    """Return the values on which the duration of a run depends most."""
    return (threads, *(likeness.value(row, key) for key in SPEED_KEYS))


def seconds_by_speed(earlier: Iterable[RunRow], *, processor: str | None) -> Mapping[Speed, Sequence[float]]:
    """Return how long runs took, start-up of the process excluded, by the values on which the duration depends.

    Args:
        earlier: The runs.
        processor: Name of the processor that trained them; None: a GPU.
    """
    kinds: dict[Scalar, bool] = {}
    found = defaultdict(list)
    for row in earlier:
        name, threads, seconds = row.get("device"), row.get("threads"), row.get("seconds")
        if name not in kinds:
            kinds[name] = _is_gpu(row) if processor is None else name == processor
        if kinds[name] and isinstance(threads, int) and isinstance(seconds, int | float):
            found[speed(row, threads)].append(float(seconds))
    return found


def spread(
    earlier: Sequence[RunRow], planned: RunRow, metric: Metric, baseline: str, losses: Collection[str]
) -> Spread | None:
    """Compute how much differences from the baseline vary by seed in earlier runs with the same data, model and budget.

    Args:
        earlier: The runs.
        planned: A planned run, which names data, model and budget.
        metric: The metric.
        baseline: Label of the baseline.
        losses: Labels of the losses that are planned; others count only if there are no runs of these.

    Returns:
        The spread of paired differences if there are any, else of scores; None without two runs to compare, or if they
        do not vary.
    """
    scores = _scores([row for row in earlier if _is_alike(planned, row)], metric)
    ours = {key: each for key, each in scores.items() if key[0] in losses or key[0] == baseline}
    for chosen in (ours, scores):
        if found := _spread("differences", _differences(chosen, baseline)):
            return found
    for chosen in (ours, scores):
        if found := _spread("scores", [list(each.values()) for each in chosen.values() if len(each) > 1]):
            return found
    return None


def _spread(of: Literal["differences", "scores"], samples: Sequence[Sequence[float]]) -> Spread | None:
    """Return the median of the standard deviations; None if there is none above 0."""
    varying = [each for each in samples if len(set(each)) > 1]
    if not varying:
        return None
    factor = 2**0.5 if of == "scores" else 1.0
    return Spread(factor * statistics.median(map(statistics.stdev, varying)), of, sum(map(len, varying)))


def _scores(alike: Iterable[RunRow], metric: Metric) -> dict[tuple[str, Scalar], Scores]:
    """Return scores by label and identity, then by seed."""
    found: dict[tuple[str, Scalar], Scores] = defaultdict(dict)
    for row in alike:
        score = row.get(f"test.last.{metric.name}")
        if isinstance(score, int | float):
            found[str(row["loss"]), row["identity"]][int(row["seed"] or 0)] = float(score)
    return found


def _differences(scores: Mapping[tuple[str, Scalar], Scores], baseline: str) -> list[list[float]]:
    """Return, for each loss, its differences from the baseline's runs with which it shares the most seeds."""
    references = [each for (name, _), each in scores.items() if name == baseline]
    found = []
    for (name, _), ours in scores.items():
        if name != baseline and references:
            theirs = max(references, key=lambda each: len(each.keys() & ours.keys()))
            found.append([ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())])
    return [each for each in found if len(each) > 1]


def _is_alike(planned: RunRow, row: RunRow) -> bool:
    """Return whether a run has the data, model and budget of a planned one."""
    keys = [key for key in {**planned, **row} if not rows.is_metric(key) and key not in rows.RUN_COLUMNS]
    return not likeness.unlike_keys(keys, planned, row)


def _is_gpu(row: RunRow) -> bool:
    try:
        device = read.read_summary(Path(str(row["folder"]))).get("device")
    except read.BrokenRunError:
        return False
    return isinstance(device, dict) and device.get("kind") == "gpu"
