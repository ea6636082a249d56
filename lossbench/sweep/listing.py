"""The trials of a sweep with their statuses, as a table, CSV or JSON; JSON has the forecast too."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, assert_never

from lossbench.json_data import to_json
from lossbench.runs.paths import TUNING_RUNS
from lossbench.statistics.power import POWER
from lossbench.sweep.plan import phrase

if TYPE_CHECKING:
    from lossbench.sweep.forecast import Forecast
    from lossbench.sweep.status import SweepStatus

Form: TypeAlias = Literal["table", "csv", "json"]


def render(status: SweepStatus, forecast: Forecast, form: Form, tuning: SweepStatus | None = None) -> str:
    """Return the trials in the order in which they are trained, one line or record per trial; JSON has the forecast.

    The table of a sweep that adds seeds until it is decided has a line per loss and condition, with all of its seeds.

    Args:
        status: The trials.
        forecast: The forecast.
        form: Table, CSV or JSON.
        tuning: The trials that tune before; None if the sweep does not tune.
    """
    first = _records(tuning) if tuning else []
    match form:
        case "table":
            compared = _table_of_losses(status) if status.decision else _table(status)
            return (_table(tuning, f"{TUNING_RUNS}/") if tuning else "") + compared
        case "csv":
            return _csv([*first, *_records(status)])
        case "json":
            tuned = {"tuning": first} if tuning else {}
            return to_json({**tuned, "trials": _records(status), "forecast": _forecast(forecast)})
        case _:
            assert_never(form)


def _table(status: SweepStatus, prefix: str = "") -> str:
    width = max((len(each.trial.folder) for each in status.trials), default=0)
    lines = [
        f"{state:<11}  {prefix}{each.trial.folder:<{width}}  {phrase(each.all_settings)}".rstrip()
        for state, each in zip(status.statuses, status.trials, strict=True)
    ]
    return "".join(f"{line}\n" for line in lines)


def _table_of_losses(status: SweepStatus) -> str:
    """Return how many trials of each loss have which status, and a pattern of their folders."""
    trials: dict[str, list[int]] = {}
    for number, each in enumerate(status.trials):
        trials.setdefault(each.trial.identity, []).append(number)
    rows = []
    for numbers in trials.values():
        counts = Counter(status.statuses[number] for number in numbers)
        first = status.trials[numbers[0]]
        seed = f"-s{first.trial.experiment.seed}-"
        pattern = "-s*-".join(first.trial.folder.rsplit(seed, 1))
        rows.append(
            (", ".join(f"{count} {state}" for state, count in counts.items()), pattern, phrase(first.all_settings))
        )
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "".join(f"{f'{state:<{widths[0]}}  {name:<{widths[1]}}  {keys}'.rstrip()}\n" for state, name, keys in rows)


def _records(status: SweepStatus) -> list[dict[str, Any]]:
    return [
        {
            "name": each.trial.experiment.name,
            "folder": each.trial.folder,
            "status": state,
            "seed": each.trial.experiment.seed,
            "loss": each.loss,
            "settings": dict(each.all_settings),
        }
        for state, each in zip(status.statuses, status.trials, strict=True)
    ]


def _forecast(forecast: Forecast) -> dict[str, Any]:
    return {
        **({"tuning": asdict(forecast.tuning)} if forecast.tuning else {}),
        "duration": asdict(forecast.duration),
        "metric": forecast.metric.name,
        "baseline": forecast.baseline,
        "comparisons": forecast.comparisons,
        "power": POWER,
        "detections": [asdict(each) for each in forecast.detections],
        **({"trainings": asdict(forecast.trainings)} if forecast.trainings else {}),
    }


def _csv(records: list[dict[str, Any]]) -> str:
    """Return records as CSV with one column per setting; values other than text are JSON."""
    keys = list(dict.fromkeys(key for record in records for key in record["settings"]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = ("name", "folder", "status", "seed", "loss")
    writer.writerow([*columns, *(f"set.{key}" for key in keys)])
    for record in records:
        settings = record["settings"]
        writer.writerow([*(record[column] for column in columns), *(_cell(settings, key) for key in keys)])
    return text.getvalue()


def _cell(settings: dict[str, Any], key: str) -> str:
    value = settings.get(key, "")
    return value if isinstance(value, str) else json.dumps(value)
