"""Runs grouped by loss over seeds, inside one condition at a time: nothing is pooled silently."""

from __future__ import annotations

import hashlib
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lossbench.analysis.frame import RUN_COLUMNS
from lossbench.errors import UsageError
from lossbench.metrics import REPORTED, SCALED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

At: TypeAlias = Literal["last", "best"]
Row: TypeAlias = "Mapping[str, Any]"

NOT_CONDITIONS = (*RUN_COLUMNS, "name", "extends", "sweep", "log", "data.path", "train.threads", "train.save_weights")


@dataclass(frozen=True)
class Estimate:
    """A metric over seeds; no sd for one seed, no mean where a run's value is missing."""

    mean: float | None
    sd: float | None


@dataclass(frozen=True)
class Group:
    """One loss in one condition.

    Attributes:
        loss: Its label.
        link: softmax, sigmoid or none: only softmax losses train the probabilities that NLL, Brier and ECE look at.
        seeds: Those of the completed runs; `n` is their number.
        diverged: Runs whose loss became NaN or infinite: a result, though not one with metrics.
        failed: Runs that ended by an error.
        unfinished: Runs that are still running or were interrupted.
        metrics: An estimate for each metric, over the completed runs.
        best: The metrics whose mean is the best of the block: none with diverged runs, and without softmax only
            accuracy and what is measured at a fitted temperature.
    """

    loss: str
    link: str
    seeds: tuple[int, ...]
    diverged: int
    failed: int
    unfinished: int
    metrics: Mapping[str, Estimate]
    best: frozenset[str] = frozenset()

    @property
    def n(self) -> int:
        """The number of completed runs."""
        return len(self.seeds)


@dataclass(frozen=True)
class Block:
    """The losses of one condition, the most accurate first."""

    condition: Mapping[str, Any]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Comparison:
    """What `compare` shows.

    Attributes:
        at: The epoch whose weights were tested.
        setting: The configuration's keys on which all runs agree.
        varying: The keys on which they do not; a key that is null equals one that is not there.
        blocks: One for each condition.
        duplicates: Folders left out because they hold the same trial as another: (left out, counted).
        ambiguous: Labels behind which different settings stood; each got a suffix.
        versions: The versions of lossbench that wrote the runs.
    """

    at: At
    setting: Mapping[str, Any]
    varying: tuple[str, ...]
    blocks: tuple[Block, ...]
    duplicates: tuple[tuple[str, str], ...]
    ambiguous: tuple[str, ...]
    versions: tuple[str, ...]


def summarise(frame: pd.DataFrame, at: At = "last") -> Comparison:
    """Mean and standard deviation over seeds of each loss in each condition.

    Args:
        frame: Runs, as `load_runs` gives them.
        at: Whether the weights of the last or of the best epoch were tested.

    Raises:
        UsageError: The best epoch is asked for, and a run had no validation to choose it by.
    """
    rows, duplicates = _once(_records(frame))
    if at == "best":
        _check_best(rows)
    rows, ambiguous = _told_apart(rows)
    keys = [key for key in frame.columns if not _is_under(key, (*NOT_CONDITIONS, "test", "val"))]
    varying = tuple(key for key in keys if len({row[key] for row in rows}) > 1)
    return Comparison(
        at=at,
        setting={key: rows[0][key] for key in keys if key not in varying},
        varying=varying,
        blocks=_blocks(rows, varying, at),
        duplicates=duplicates,
        ambiguous=ambiguous,
        versions=tuple(sorted({row["lossbench"] for row in rows if row["lossbench"]})),
    )


def _records(frame: pd.DataFrame) -> list[Row]:
    """A mapping for each run, with None for what is missing."""
    values = frame.astype(object).where(frame.notna(), None)
    return [dict(zip(frame.columns, row, strict=True)) for row in values.itertuples(index=False, name=None)]


def _is_under(key: str, parents: Iterable[str]) -> bool:
    return any(key == parent or key.startswith(f"{parent}.") for parent in parents)


def _once(rows: Iterable[Row]) -> tuple[list[Row], tuple[tuple[str, str], ...]]:
    """Each trial once, a completed run of it if there is one; and the folders left out."""
    counted: dict[tuple[str, int], Row] = {}
    duplicates = []
    for row in sorted(rows, key=lambda row: (row["status"] != "completed", row["folder"])):
        first = counted.setdefault((row["identity"], row["seed"]), row)
        if first is not row:
            duplicates.append((row["folder"], first["folder"]))
    return list(counted.values()), tuple(duplicates)


def _check_best(rows: Iterable[Row]) -> None:
    for row in rows:
        if row["status"] == "completed" and row.get("test.best.accuracy") is None:
            raise UsageError(f"{row['folder']}: has no best epoch, as it had no validation images; use --at last")


def _told_apart(rows: Sequence[Row]) -> tuple[list[Row], tuple[str, ...]]:
    """Labels behind which different settings stand (another version's defaults, another plugin) get a suffix."""
    settings = defaultdict(set)
    for row in rows:
        settings[row["loss"]].add(row["settings"])
    ambiguous = {label for label, different in settings.items() if len(different) > 1}
    told_apart = [
        {**row, "loss": f"{row['loss']} #{_digest(row['settings'])}"} if row["loss"] in ambiguous else row
        for row in rows
    ]
    return told_apart, tuple(sorted(ambiguous))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def _blocks(rows: Iterable[Row], varying: Sequence[str], at: At) -> tuple[Block, ...]:
    conditions = defaultdict(list)
    for row in rows:
        conditions[tuple(row[key] for key in varying)].append(row)
    return tuple(
        Block(dict(zip(varying, condition, strict=True)), _groups(conditions[condition], at))
        for condition in sorted(conditions, key=lambda condition: [_order(value) for value in condition])
    )


def _order(value: object) -> tuple[int, float, str]:
    match value:
        case None:
            return (0, 0, "")
        case int() | float():
            return (1, value, "")
        case _:
            return (2, 0, str(value))


def _groups(rows: Iterable[Row], at: At) -> tuple[Group, ...]:
    losses = defaultdict(list)
    for row in rows:
        losses[row["loss"]].append(row)
    groups = [_group(label, runs, at) for label, runs in losses.items()]
    best = {name: _best(groups, name) for name in REPORTED}
    marked = [replace(group, best=frozenset(name for name in best if group.loss in best[name])) for group in groups]
    return tuple(sorted(marked, key=lambda group: (-_or(group.metrics["accuracy"].mean, -1), group.loss)))


def _group(label: str, runs: Sequence[Row], at: At) -> Group:
    completed = [run for run in runs if run["status"] == "completed"]
    statuses = Counter(run["status"] for run in runs)
    return Group(
        loss=label,
        link=runs[0]["link"] or "unknown",
        seeds=tuple(sorted(run["seed"] for run in completed)),
        diverged=statuses["diverged"],
        failed=statuses["failed"],
        unfinished=statuses["running"] + statuses["interrupted"],
        metrics={name: estimate([run.get(f"test.{at}.{name}") for run in completed]) for name in REPORTED},
    )


def estimate(values: Sequence[float | None]) -> Estimate:
    """Mean and sample standard deviation (n - 1) of a metric over seeds."""
    present = [value for value in values if value is not None]
    if not present or len(present) < len(values):
        return Estimate(None, None)
    return Estimate(statistics.fmean(present), statistics.stdev(present) if len(present) > 1 else None)


def _best(groups: Iterable[Group], metric: str) -> set[str]:
    """The losses with the best mean, where at least two can be compared."""
    means = {
        group.loss: mean
        for group in groups
        if (mean := group.metrics[metric].mean) is not None
        and not group.diverged
        and (metric in {"accuracy", *SCALED} or group.link == "softmax")
    }
    if len(means) < 2:  # noqa: PLR2004 - the best of one is no news
        return set()
    best = max(means.values()) if REPORTED[metric].direction == "higher" else min(means.values())
    return {loss for loss, mean in means.items() if mean == best}


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
