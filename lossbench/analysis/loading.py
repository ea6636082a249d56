"""Run folders as rows, and as a pandas frame for your own analyses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from lossbench.analysis.result import At
from lossbench.errors import NothingMatchedError
from lossbench.metrics import COSTS, REPORTED
from lossbench.runs import index, read, scores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

    from lossbench.metrics import Metric
    from lossbench.runs.index import BrokenRun
    from lossbench.runs.rows import RunRow


def rows(places: Iterable[Path], *, write_index: bool = False) -> tuple[list[RunRow], list[BrokenRun]]:
    """Read every run at or below some folders.

    Args:
        places: The folders.
        write_index: Whether to write `.index.json` to each folder, which makes later reads faster.

    Returns:
        One row per run, and the folders that could not be read.

    Raises:
        UsageError: A folder does not exist.
        NothingMatchedError: No run can be read.
    """
    found, broken = index.load(places := list(places), write_index=write_index)
    if not found:
        reasons = "".join(f"\n{each.folder}: {each.reason}" for each in broken)
        raise NothingMatchedError(f"{', '.join(map(str, places))}: no run that can be read{reasons}")
    return found, broken


def with_class_metrics(rows: Sequence[RunRow], metrics: Iterable[Metric]) -> list[RunRow]:
    """Return the rows with the class metrics among some metrics, from `per_class.csv` of each run.

    A run whose file cannot be read, or that has no such class, lacks them.
    """
    names = {metric.name for metric in metrics} - REPORTED.keys() - COSTS.keys()
    return [{**row, **_class_metrics(row, names)} for row in rows] if names else list(rows)


def with_costs(rows: Sequence[RunRow], metrics: Iterable[Metric]) -> list[RunRow]:
    """Return the rows with the costs among some metrics, from `run.json` of each run; a run without them lacks them."""
    names = {metric.name for metric in metrics} & COSTS.keys()
    return [{**row, **_costs(row, names)} for row in rows] if names else list(rows)


def _costs(row: RunRow, names: Iterable[str]) -> dict[str, float]:
    if row["status"] != "completed":
        return {}
    try:
        seconds = read.read_summary(Path(str(row["folder"]))).get("seconds")
    except read.BrokenRunError:
        return {}
    measured = seconds if isinstance(seconds, dict) else {}
    found = {name: measured.get(name.removesuffix("_seconds")) for name in names}
    return {f"test.{at}.{name}": value for name, value in found.items() if read.is_number(value) for at in get_args(At)}


def _class_metrics(row: RunRow, names: Iterable[str]) -> dict[str, float]:
    if row["status"] != "completed":
        return {}
    try:
        return scores.class_scores(Path(str(row["folder"])), names)
    except read.BrokenRunError:
        return {}


def load_runs(
    paths: Path | str | Iterable[Path | str] = "runs", *, epochs: bool = False, write_index: bool = False
) -> pd.DataFrame:
    """Read every run at or below some paths as a frame.

    A run that cannot be read is a row with the status `broken` and the `reason`.

    Args:
        paths: One or several run folders, or folders that contain them.
        epochs: Return one row per epoch of each run, with the columns of `metrics.csv` before those of the run; the
            epoch's loss is `train_loss`, and `seconds` are the epoch's.
        write_index: Write `.index.json` to each path, which makes later reads of many runs faster.

    Returns:
        Columns: `folder`, `status`, `seed`, `loss` (the label) and other facts of the run; the configuration's dotted
        keys, lists as JSON; the final metrics as `test.last.accuracy`.

    Raises:
        UsageError: A path does not exist.
        NothingMatchedError: No run can be read.

    Example:
        runs = lossbench.load_runs("runs")
        runs.groupby("loss")["test.last.accuracy"].agg(["mean", "std"])
    """
    import pandas as pd

    found, broken = rows(map(Path, [paths] if isinstance(paths, Path | str) else paths), write_index=write_index)
    records: list[dict[str, Any]] = [{"folder": row["folder"], **row} for row in found]
    if epochs:
        records = [record for row in records for record in _epochs(row)]
    lost = [{"folder": str(each.folder), "status": "broken", "reason": each.reason} for each in broken]
    return pd.DataFrame([*records, *lost])


def _epochs(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the run's epochs, each with the facts of the run."""
    try:
        history = read.history(Path(row["folder"]))
    except read.BrokenRunError as error:
        yield {"folder": row["folder"], "status": "broken", "reason": str(error)}
        return
    for epoch in history:
        columns = {"train_loss" if name == "loss" else name: value for name, value in epoch.items()}
        yield {"folder": row["folder"], **columns, **{key: value for key, value in row.items() if key not in columns}}
