"""The trials of a sweep and what is there of them, as text: for people, as CSV, as JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lossbench.losses.expression import label
from lossbench.sweep.plan import phrase

if TYPE_CHECKING:
    from lossbench.sweep.status import SweepStatus

Form: TypeAlias = Literal["table", "csv", "json"]


def render(status: SweepStatus, form: Form) -> str:
    """A line or a record for each trial, in the order in which they are trained."""
    match form:
        case "table":
            return _table(status)
        case "csv":
            return _csv(_records(status))
        case "json":
            return json.dumps(_records(status), indent=2, ensure_ascii=False) + "\n"


def _table(status: SweepStatus) -> str:
    statuses = status.statuses
    width = max(len(each.trial.folder) for each in status.trials)
    lines = [
        f"{state:<11}  {each.trial.folder:<{width}}  {phrase(each.settings)}".rstrip()
        for state, each in zip(statuses, status.trials, strict=True)
    ]
    return "".join(f"{line}\n" for line in lines)


def _records(status: SweepStatus) -> list[dict[str, Any]]:
    return [
        {
            "name": each.trial.experiment.name,
            "folder": each.trial.folder,
            "status": state,
            "seed": each.trial.experiment.seed,
            "loss": label(each.trial.experiment.loss),
            "settings": dict(each.settings),
        }
        for state, each in zip(status.statuses, status.trials, strict=True)
    ]


def _csv(records: list[dict[str, Any]]) -> str:
    """The settings in columns of their own, values as JSON where they are not plain."""
    keys = list(dict.fromkeys(key for record in records for key in record["settings"]))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    columns = ("name", "folder", "status", "seed", "loss")
    table.writerow([*columns, *(f"set.{key}" for key in keys)])
    for record in records:
        settings = record["settings"]
        table.writerow([*(record[column] for column in columns), *(_cell(settings, key) for key in keys)])
    return text.getvalue()


def _cell(settings: dict[str, Any], key: str) -> str:
    value = settings.get(key, "")
    return value if isinstance(value, str) else json.dumps(value)
