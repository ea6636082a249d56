"""A run as one flat row: what `config.yaml` and `run.json` say, under dotted names, every value a scalar."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypeAlias

from lossbench.json_data import canonical
from lossbench.runs import paths, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Scalar: TypeAlias = str | int | float | bool | None
RunRow: TypeAlias = "Mapping[str, Scalar]"

RUN_COLUMNS = (
    "folder", "status", "reason", "name", "seed", "loss", "loss.name", "link", "identity", "plugin", "settings",
    "lossbench", "device", "threads", "parameters", "started", "epochs", "best_epoch", "seconds",
)  # fmt: skip
"""What is told about a run beside its configuration, the digest of its data and its metrics."""


def read_row(folder: Path) -> tuple[dict[str, Scalar], dict[str, Scalar], dict[str, float | None]]:
    """A run in three parts: its configuration, which runs share but for the seed; facts of its own; its metrics.

    Columns: those of `RUN_COLUMNS`, where `loss` is the label, `loss.name` the name or names, `settings` the complete
    loss and the hash of its plugin as JSON, `lossbench` the version; `data.sha256`; the configuration's keys, lists as
    JSON; the metrics as `test.last.accuracy`, None where they were NaN.

    Raises:
        BrokenRunError: A file is missing, damaged or of a newer version; the message says which and why.
    """
    run = read.read(folder)
    summary = run.summary
    kept = {key: value for key, value in run.config.items() if key not in {"test", "val", "seed", "name"}}
    config = {key: value for key, value in flatten(kept) if key not in RUN_COLUMNS and not is_metric(key)}
    facts: dict[str, Any] = {
        "status": run.status,
        "reason": _text(summary.get("reason")),
        "name": _text(summary.get("name")),
        "seed": run.seed,
        "loss": run.loss,
        "loss.name": _names(run.config.get("loss")) or run.loss,
        "link": _text(summary.get("link")),
        "identity": summary["hashes"]["identity"],
        "plugin": _text(summary["hashes"].get("plugin")),
        "settings": json.dumps([canonical(run.config.get("loss")), summary["hashes"].get("plugin")], sort_keys=True),
        "data.sha256": _text(summary["hashes"].get("data")),
        "lossbench": _text(_inside(summary, "versions", "lossbench")),
        "device": _text(_inside(summary, "device", "name")),
        "started": _text(summary.get("started")),
        "seconds": _number(_inside(summary, "seconds", "total")),
        **{name: _number(summary.get(name)) for name in ("threads", "parameters", "epochs", "best_epoch")},
    }
    return config, facts, {name: value for name, value in run.metrics.items() if is_metric(name)}


def are_facts(values: Mapping[str, Any]) -> bool:
    """Whether what anyone may have written tells about a run what a row must tell."""
    return (
        values.get("status") in paths.STATUSES
        and type(values.get("seed")) is int
        and all(isinstance(values.get(name), str) for name in ("loss", "loss.name", "identity", "settings"))
        and are_scalars(values)
    )


def are_scalars(values: Mapping[str, Any]) -> bool:
    """Whether every value is one that a row may hold."""
    return {*map(type, values.values())} <= {str, int, float, bool, type(None)}


def are_metrics(values: Mapping[str, Any]) -> bool:
    """Whether every value is a finite number or None."""
    return all(value is None or read.is_number(value) for value in values.values())


def is_metric(name: str) -> bool:
    """Whether a column holds a measured number."""
    return name.startswith(("test.", "val."))


def flatten(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Scalar]]:
    """A nested mapping as dotted keys and scalars; lists, and mappings without a key, are JSON."""
    for key, value in mapping.items():
        if isinstance(value, dict) and value:
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _scalar(value)


def _scalar(value: Any) -> Scalar:
    match value:
        case list() | dict():
            return json.dumps(value)
        case float() if not math.isfinite(value):
            return str(value)
    return value  # type: ignore[no-any-return]  # what YAML has beside lists, mappings and numbers


def _names(loss: object) -> str:
    terms = loss if isinstance(loss, list) else [loss]
    return " + ".join(str(term["name"]) for term in terms if isinstance(term, dict) and "name" in term)


def _inside(summary: Mapping[str, Any], section: str, name: str) -> object:
    value = summary.get(section)
    return value.get(name) if isinstance(value, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return value if read.is_number(value) else None
