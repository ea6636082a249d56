"""Differences between two runs: configuration, environment and metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossbench.runs import rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lossbench.runs.read import Run

ENVIRONMENT = ("versions", "device", "threads", "lossbench_commit", "git", "environment")
"""Keys of `run.json` that describe the environment in which a run was trained."""


@dataclass(frozen=True)
class KeyDifference:
    """A dotted key and its value in each of two runs; None if it is null or missing."""

    key: str
    a: Any
    b: Any

    @property
    def change(self) -> float | None:
        """B - A, of two numbers."""
        return self.b - self.a if {type(self.a), type(self.b)} <= {int, float} else None


@dataclass(frozen=True)
class RunDifference:
    """Differences between two run folders."""

    a: Path
    b: Path
    configuration: tuple[KeyDifference, ...]
    environment: tuple[KeyDifference, ...]
    metrics: tuple[KeyDifference, ...]


def between(a: Run, b: Run) -> RunDifference:
    """Compute the differences between two runs."""
    return RunDifference(
        a=a.folder,
        b=b.folder,
        configuration=differences(a.config, b.config),
        environment=environment(a.summary, b.summary) + differences(_digests(a.summary), _digests(b.summary)),
        metrics=differences(_results(a), _results(b)),
    )


def environment(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[KeyDifference, ...]:
    """Return the versions, device, threads and commits that differ between two `run.json`."""
    return differences(*({key: summary.get(key) for key in ENVIRONMENT} for summary in (a, b)))


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[KeyDifference, ...]:
    """Return the dotted keys at which two mappings differ, in their order; null equals missing."""
    before, after = dict(_flat(a)), dict(_flat(b))
    both = [KeyDifference(key, before.get(key), after.get(key)) for key in {**before, **after}]
    return tuple(each for each in both if each.a != each.b)


def _digests(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {f"sha256.{name}": summary["hashes"].get(name) for name in ("data", "plugin")}


def _results(run: Run) -> dict[str, Any]:
    return {"status": run.status, "epochs": run.summary.get("epochs"), **run.metrics}


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Return dotted keys and their values; a list of mappings counts its items from 0.

    Any other list, and the value of a hyperparameter, is one value.
    """
    for key, value in mapping.items():
        items = value
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            items = {str(index): item for index, item in enumerate(value)}
        if isinstance(value, dict) and re.fullmatch(r"loss\.(\d+\.)?", prefix):
            yield f"{prefix}{key}", rows.typed_json(value)
        elif isinstance(items, dict):
            yield from _flat(items, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", items
