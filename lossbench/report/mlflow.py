"""Export of run folders to MLflow: one child run per folder, one parent run per loss and condition."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from lossbench.analysis.estimates import average_by_seed, by_seed, estimate
from lossbench.analysis.result import At
from lossbench.errors import MachineError, UsageError
from lossbench.extras import install_command
from lossbench.metrics import REPORTED
from lossbench.report import formatting, wording
from lossbench.runs import grouping, links, read, rows
from lossbench.runs.index import BrokenRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lossbench.runs.rows import RunRow

STATUS = {"completed": "FINISHED", "diverged": "FAILED", "failed": "FAILED", "interrupted": "KILLED"}
"""MLflow's names of statuses; any other run is RUNNING."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,249}", re.ASCII)
"""Names of parameters and metrics that MLflow accepts, as all of lossbench's own are."""

BATCH = 100
"""Parameters per request that MLflow accepts."""


def export(found: Sequence[RunRow], tracking_uri: str, experiment: str) -> tuple[Counter[str], list[BrokenRun]]:
    """Write runs to MLflow: parameters, metrics by epoch, files, tags.

    A run that MLflow has already with the same status is skipped; one whose status has changed is replaced.

    Args:
        found: The runs.
        tracking_uri: A database or a server, e.g. `sqlite:///mlflow.db`.
        experiment: The name of the experiment, which is created if MLflow does not have it.

    Returns:
        The counts of `new` and `known` runs, and the runs that were not written because a file cannot be read.

    Raises:
        UsageError: MLflow is not installed.
        MachineError: The address has no store, or the store fails.
    """
    mlflow = _mlflow()
    _check_sqlite(tracking_uri)
    try:
        client = mlflow.MlflowClient(tracking_uri=tracking_uri)
        known = client.get_experiment_by_name(experiment)
        target = _Target(mlflow, client, known.experiment_id if known else client.create_experiment(experiment))
        named = grouping.disambiguate_labels(grouping.drop_duplicates(found)[0])[0]
        now, _ = grouping.group_runs(named, by=("loss",))
        counts: Counter[str] = Counter(new=0, known=0)
        broken: list[BrokenRun] = []
        for (condition, label), members in now.cells.items():
            name = wording.group_name(label, dict(zip(now.varying, condition, strict=True)))
            parent = target.group(name, _summary(members))
            for row in members:
                try:
                    counts[target.run(row, parent)] += 1
                except read.BrokenRunError as error:
                    broken.append(BrokenRun(Path(str(row["folder"])), str(error)))
    except mlflow.exceptions.MlflowException as error:
        raise MachineError(
            f"{tracking_uri}: {formatting.clean(str(error).partition(chr(10))[0])}", parameter="tracking_uri"
        ) from error
    return counts, broken


class _Target:
    """An experiment and the runs that it has."""

    def __init__(self, mlflow: Any, client: Any, experiment: str) -> None:
        self._mlflow, self._client, self._experiment = mlflow, client, experiment
        self._known = {
            each.data.tags["lossbench.run"]: each for each in self._all() if "lossbench.run" in each.data.tags
        }

    def group(self, name: str, summary: Mapping[str, float]) -> str:
        """Return the identifier of the parent run of a loss in a condition; create it if needed.

        Args:
            name: Its name.
            summary: Its metrics; only those that have changed are written.
        """
        if (known := self._known.get(name)) is None:
            known = self._client.create_run(self._experiment, run_name=name, tags={"lossbench.run": name})
            self._client.set_terminated(known.info.run_id)
            self._known[name] = known
        logged, now = known.data.metrics, int(time.time() * 1000)
        metrics = [
            self._mlflow.entities.Metric(key, value, now, 0)
            for key, value in summary.items()
            if logged.get(key) != value
        ]
        for first in range(0, len(metrics), BATCH):
            self._client.log_batch(known.info.run_id, metrics[first : first + BATCH])
        return str(known.info.run_id)

    def run(self, row: RunRow, parent: str) -> str:
        """Write a run unless it is there already; return `new` or `known`."""
        folder = Path(str(row["folder"]))
        known, status = self._known.get(folder.name), str(row["status"])
        if known is not None and known.data.tags.get("lossbench.status") == status:
            return "known"
        run, history = read.read(folder), read.history(folder)
        if known is not None:
            self._client.delete_run(known.info.run_id)
        self._write(run, history, parent, status)
        return "new"

    def _write(self, run: read.Run, history: Sequence[read.EpochRow], parent: str, status: str) -> None:
        folder, summary, entities = run.folder, run.summary, self._mlflow.entities
        tags = {
            "mlflow.parentRunId": parent,
            "lossbench.run": folder.name,
            "lossbench.loss": formatting.clean(summary["loss"]),
            "lossbench.seed": str(summary["seed"]),
            "lossbench.device": formatting.clean(summary.get("device")),
        }
        began, ended = _milliseconds(summary.get("started")), _milliseconds(summary.get("finished"))
        created = self._client.create_run(self._experiment, began, tags, run_name=folder.name).info.run_id
        settings = {key: value for key, value in rows.flatten(run.config) if _NAME.fullmatch(key)}
        params = [entities.Param(key, formatting.clean(value)) for key, value in settings.items()]
        metrics = [entities.Metric(name, value, began or 0, step) for name, value, step in _metrics(run, history)]
        for first in range(0, max(len(params), len(metrics)), BATCH):
            part = slice(first, first + BATCH)
            self._client.log_batch(created, metrics[part], params[part])
        for path in links.within(folder):
            if path.is_file() and not path.is_symlink():
                inside = path.parent.relative_to(folder).as_posix()
                self._client.log_artifact(created, str(path), None if inside == "." else inside)
        self._client.set_tag(created, "lossbench.status", status)  # last: a run without it is written again
        if status != "running":
            self._client.set_terminated(created, STATUS[status], ended)

    def _all(self) -> Iterator[Any]:
        token: str | None = None
        while token != "":
            page = self._client.search_runs([self._experiment], page_token=token)
            yield from page
            token = page.token or ""


def _summary(members: Sequence[RunRow]) -> dict[str, float]:
    """Return mean, sd and n over seeds of every test metric, e.g. `test.last.accuracy.mean`; sd from two seeds on."""
    completed = by_seed(members)
    summary: dict[str, float] = {}
    for column in (f"test.{at}.{name}" for at in get_args(At) for name in REPORTED):
        of = estimate(average_by_seed(completed, column))
        if of.mean is not None:
            summary |= {f"{column}.mean": of.mean, f"{column}.n": len(of.values)}
        if of.sd is not None:
            summary[f"{column}.sd"] = of.sd
    return summary


def _metrics(run: read.Run, history: Sequence[read.EpochRow]) -> Iterator[tuple[str, float, int]]:
    """Yield the columns of `metrics.csv` by epoch, then the final metrics, each with a name that MLflow accepts."""
    for epoch, row in [*enumerate(history), (len(history) - 1, run.metrics)]:
        for name, value in row.items():
            if value is not None and _NAME.fullmatch(name):
                yield name, value, epoch


def _milliseconds(moment: object) -> int | None:
    """Return milliseconds since 1970; None for a missing or unreadable time."""
    try:
        return int(datetime.fromisoformat(str(moment)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _check_sqlite(tracking_uri: str) -> None:
    """Fail at once where MLflow would retry for minutes.

    Raises:
        MachineError: The file cannot be created, or is no database.
    """
    file = tracking_uri.removeprefix("sqlite:///")
    if file == tracking_uri:
        return
    try:
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        raise MachineError(f"{tracking_uri}: {error}", parameter="tracking_uri") from error


def _mlflow() -> Any:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    try:
        import mlflow
    except ImportError:
        raise UsageError(f"lossbench export mlflow needs MLflow: {install_command('mlflow')}") from None
    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    return mlflow
