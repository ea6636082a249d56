"""Run folders as MLflow runs: one for each, under one for each loss in each condition."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossbench.analysis import arrange
from lossbench.errors import MachineError, UsageError
from lossbench.report import sentences, words
from lossbench.runs import read, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lossbench.runs.rows import Row

STATUS = {"completed": "FINISHED", "diverged": "FAILED", "failed": "FAILED", "interrupted": "KILLED"}
"""MLflow's names; any other run is RUNNING."""

BATCH = 100
"""How many parameters MLflow takes at a time."""


def export(found: Sequence[Row], tracking_uri: str, experiment: str) -> Counter[str]:
    """Write runs to MLflow: parameters, metrics by epoch, files, tags.

    A run that is there already, with the same status, is left alone; one whose status has changed is replaced.

    Args:
        found: The runs.
        tracking_uri: Such as `sqlite:///mlflow.db` or a server's address.
        experiment: The name of MLflow's experiment, made if it is not there.

    Returns:
        How many runs are `new`, and how many were `known`.

    Raises:
        UsageError: MLflow is not installed.
        MachineError: There is no store at that address, or it fails.
    """
    mlflow = _mlflow()
    _check_sqlite(tracking_uri)
    try:
        client = mlflow.MlflowClient(tracking_uri=tracking_uri)
        known = client.get_experiment_by_name(experiment)
        target = _Target(mlflow, client, known.experiment_id if known else client.create_experiment(experiment))
        named = arrange.told_apart(arrange.once(found)[0])[0]
        now, _ = arrange.arrange(named, by=("loss",))
        counts: Counter[str] = Counter(new=0, known=0)
        for (condition, label), members in now.cells.items():
            parent = target.group(sentences.named(label, dict(zip(now.varying, condition, strict=True))))
            counts.update(target.run(row, parent) for row in members)
    except mlflow.exceptions.MlflowException as error:
        raise MachineError(f"--tracking-uri {tracking_uri}: {words.clean(str(error).partition(chr(10))[0])}") from error
    return counts


class _Target:
    """An experiment of MLflow's, and which runs it has."""

    def __init__(self, mlflow: Any, client: Any, experiment: str) -> None:
        self._mlflow, self._client, self._experiment = mlflow, client, experiment
        self._known = {
            each.data.tags["lossbench.run"]: each for each in self._all() if "lossbench.run" in each.data.tags
        }

    def group(self, name: str) -> str:
        """The identifier of the parent run of a loss in a condition."""
        if (known := self._known.get(name)) is None:
            known = self._client.create_run(self._experiment, run_name=name, tags={"lossbench.run": name})
            self._client.set_terminated(known.info.run_id)
            self._known[name] = known
        return str(known.info.run_id)

    def run(self, row: Row, parent: str) -> str:
        """Write a run if it is not there; `new` or `known`."""
        folder = Path(str(row["folder"]))
        known, status = self._known.get(folder.name), str(row["status"])
        if known is not None:
            if known.data.tags.get("lossbench.status") == status:
                return "known"
            self._client.delete_run(known.info.run_id)
        self._write(read.read(folder), folder, parent, status)
        return "new"

    def _write(self, run: read.Run, folder: Path, parent: str, status: str) -> None:
        summary, entities = run.summary, self._mlflow.entities
        tags = {
            "mlflow.parentRunId": parent,
            "lossbench.run": folder.name,
            "lossbench.loss": str(summary["loss"]),
            "lossbench.seed": str(summary["seed"]),
            "lossbench.device": str(summary.get("device")),
        }
        began, ended = _milliseconds(summary.get("started")), _milliseconds(summary.get("finished"))
        created = self._client.create_run(self._experiment, began, tags, run_name=folder.name).info.run_id
        params = [entities.Param(key, str(value)) for key, value in rows.flat(run.config)]
        metrics = [entities.Metric(name, value, began or 0, step) for name, value, step in _metrics(run, folder)]
        for first in range(0, max(len(params), len(metrics)), BATCH):
            part = slice(first, first + BATCH)
            self._client.log_batch(created, metrics[part], params[part])
        self._client.log_artifacts(created, str(folder))
        self._client.set_tag(created, "lossbench.status", status)  # last: a run without it is written anew
        if status != "running":
            self._client.set_terminated(created, STATUS[status], ended)

    def _all(self) -> Iterator[Any]:
        token: str | None = None
        while token != "":
            page = self._client.search_runs([self._experiment], page_token=token)
            yield from page
            token = page.token or ""


def _metrics(run: read.Run, folder: Path) -> Iterator[tuple[str, float, int]]:
    """The columns of `metrics.csv` by epoch, then what was measured at the end."""
    history = read.history(folder)
    for epoch, row in enumerate(history):
        yield from ((name, value, epoch) for name, value in row.items() if isinstance(value, int | float))
    yield from ((name, value, len(history) - 1) for name, value in run.metrics.items() if value is not None)


def _milliseconds(moment: object) -> int | None:
    """A time as MLflow wants it; None for what is no time."""
    try:
        return int(datetime.fromisoformat(str(moment)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _check_sqlite(tracking_uri: str) -> None:
    """Say at once what MLflow would try again and again for minutes.

    Raises:
        MachineError: The file cannot be made, or is no database.
    """
    file = tracking_uri.removeprefix("sqlite:///")
    if file == tracking_uri:
        return
    try:
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        raise MachineError(f"--tracking-uri {tracking_uri}: {error}") from error


def _mlflow() -> Any:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    try:
        import mlflow
    except ImportError:
        raise UsageError("lossbench export mlflow needs MLflow: pip install 'lossbench[mlflow]'") from None
    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    return mlflow
