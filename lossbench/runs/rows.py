"""Runs as flat rows: `config.yaml` and `run.json` under dotted column names, every value a scalar."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypeAlias

from lossbench.json_data import canonical
from lossbench.runs import paths, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

Scalar: TypeAlias = str | int | float | bool | None
RunRow: TypeAlias = "Mapping[str, Scalar]"

RUN_COLUMNS = (
    "folder", "status", "reason", "name", "seed", "loss", "loss.name", "link", "identity", "plugin", "settings",
    "lossbench", "device", "threads", "parameters", "started", "epochs", "best_epoch", "seconds",
)  # fmt: skip
"""Columns other than configuration keys, `data.sha256` and metrics."""


def read_row(folder: Path) -> tuple[dict[str, Scalar], dict[str, Scalar], dict[str, float | None]]:
    """Return a run's row in three parts, so that runs with equal configurations can share the first.

    Args:
        folder: The run folder.

    Returns:
        The configuration without seed and name, lists and the values of hyperparameters as JSON; the columns of
        `RUN_COLUMNS` (but `folder`) and `data.sha256`; the metrics, such as `test.last.accuracy`, NaN as None. `loss`
        is the label, `loss.name` the name or names, `settings` the complete loss and the hash of its plugin as JSON,
        `lossbench` the version.

    Raises:
        BrokenRunError: A file is missing, damaged or of a newer version.
    """
    run = read.read(folder)
    summary = run.summary
    config = config_columns(run.config)
    facts: dict[str, Any] = {
        "status": run.status,
        "reason": _text(summary, "reason"),
        "name": _text(summary, "name"),
        "seed": run.seed,
        "loss": run.loss,
        "loss.name": loss_names(run.config.get("loss")) or run.loss,
        "link": _text(summary, "link"),
        "identity": summary["hashes"]["identity"],
        "plugin": _text(summary, "hashes", "plugin"),
        "settings": settings(run.config.get("loss"), summary["hashes"].get("plugin")),
        "data.sha256": _text(summary, "hashes", "data"),
        "lossbench": _text(summary, "versions", "lossbench"),
        "device": _text(summary, "device", "name"),
        "started": _text(summary, "started"),
        "seconds": _number(summary, "seconds", "total"),
        **{name: _number(summary, name) for name in ("threads", "parameters", "epochs", "best_epoch")},
    }
    return config, facts, {name: value for name, value in run.metrics.items() if is_metric(name)}


def config_columns(config: Mapping[str, Any]) -> dict[str, Scalar]:
    """Return the columns of a complete configuration, without seed and name."""
    shared = {key: value for key, value in config.items() if key not in {"test", "val", "seed", "name"}}
    return {key: value for key, value in flatten(shared) if key not in RUN_COLUMNS and not is_metric(key)}


def settings(loss: object, plugin: object) -> str:
    """Return a complete loss and the digest of its plugin as JSON, equal for equal settings."""
    return json.dumps([canonical(loss), plugin], sort_keys=True)


def are_facts(values: Mapping[str, Any]) -> bool:
    """Return whether untrusted values have the types of a row's own columns."""
    return (
        values.get("status") in paths.STATUSES
        and type(values.get("seed")) is int
        and all(isinstance(values.get(name), str) for name in ("loss", "loss.name", "identity", "settings"))
        and are_scalars(values)
    )


def are_scalars(values: Mapping[str, Any]) -> bool:
    """Return whether a row can hold every value."""
    return {*map(type, values.values())} <= {str, int, float, bool, type(None)}


def is_metric(name: str) -> bool:
    """Return whether a column holds a metric."""
    return name.startswith(("test.", "val."))


def flatten(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Scalar]]:
    """Yield the dotted keys and scalars of a nested mapping; lists, empty mappings and hyperparameters become JSON."""
    for key, value in mapping.items():
        if isinstance(value, dict) and value and prefix != "loss.":
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _scalar(value)


def typed_json(value: Any) -> str:
    """Return a value as JSON, in which the keys of mappings keep their types: `{0: 5.0}`."""
    if isinstance(value, list):
        return f"[{', '.join(map(typed_json, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)}: {typed_json(item)}' for key, item in value.items())}}}"
    return json.dumps(value)


def _scalar(value: Any) -> Scalar:
    match value:
        case list() | dict():
            return typed_json(value)
        case float() if not math.isfinite(value):
            return str(value)
    return value  # type: ignore[no-any-return]  # a scalar: YAML has nothing else


def loss_names(loss: object) -> str:
    """Return the names of a loss's terms in one line: `focal + mae`; empty if it has none."""
    terms = loss if isinstance(loss, list) else [loss]
    return " + ".join(str(term["name"]) for term in terms if isinstance(term, dict) and "name" in term)


def _text(summary: Mapping[str, Any], *keys: str) -> str | None:
    value = _value(summary, keys)
    return value if isinstance(value, str) else None


def _number(summary: Mapping[str, Any], *keys: str) -> float | None:
    value = _value(summary, keys)
    return value if read.is_number(value) else None


def _value(value: object, keys: Iterable[str]) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
