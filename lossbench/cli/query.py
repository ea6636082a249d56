"""Query of a comparison from the options that `compare` and `report` share."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossbench.errors import UsageError
from lossbench.files import exists

if TYPE_CHECKING:
    from lossbench.analysis.query import Query


def build_query(
    paths: list[Path],
    *,
    seeds: str | None,
    metric: str,
    by: str | None,
    baseline: str | None,
    confidence: float,
    allow_different: list[str] | None = None,
    label: list[str] | None,
    require_losses: list[str] | None = None,
    **others: Any,
) -> Query:
    """Return the query of the options that `compare` and `report` share; `others` are fields of `Query`."""
    from lossbench.analysis.query import Query
    from lossbench.losses.labels import label_of

    if (baseline_file := others.get("baseline_file")) and exists(baseline_file) and baseline_file.is_dir():
        command = f"lossbench compare {shlex.quote(str(baseline_file))} --save-baseline main.json"
        raise UsageError(f"{baseline_file} is a folder of runs; write a baseline file with: {command}")
    if require_losses and not split(",".join(require_losses)):
        raise UsageError("expected names of losses, e.g. ce,gce; got nothing", parameter="require_losses")
    return Query(
        paths=tuple(paths),
        seeds=parse_seeds(seeds),
        metric_names=split(metric),
        by=split(by) or None,
        baseline=baseline and label_of(baseline),
        confidence=confidence / 100,
        allow_different=split(",".join(allow_different or ())),
        require_losses=tuple(map(label_of, split_losses(",".join(require_losses or ())))),
        labels=tuple(label_readings(text) for text in label or []),
        write_index=True,
        **others,
    )


def label_readings(text: str) -> dict[str, str]:
    """Return the ways to read `LOSS=NAME`, as label -> name: a label such as `focal gamma=2` has equals signs too.

    Raises:
        UsageError: A side is empty.
    """
    from lossbench.losses.labels import label_of

    parts = text.split("=")
    sides = [("=".join(parts[:number]).strip(), "=".join(parts[number:]).strip()) for number in range(1, len(parts))]
    readings = {label_of(label): name for label, name in sides if label and name}
    if not readings:
        raise UsageError(f"expected LOSS=NAME, e.g. my_robust=Ours, got {text!r}", parameter="labels")
    return readings


def split(text: str | None) -> tuple[str, ...]:
    """Return the names in a comma-separated list."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def map_keys(text: str | None) -> tuple[str, ...]:
    """Return the keys of a map; nothing without the option.

    Raises:
        UsageError: The option names no key.
    """
    keys = split(text)
    if text is not None and not keys:
        raise UsageError(f"expected one or two keys, e.g. data.label_noise.rate, got {text!r}", parameter="map")
    return keys


def split_losses(text: str) -> tuple[str, ...]:
    """Return the losses in a comma-separated list; a comma inside brackets belongs to a loss."""
    return tuple(name.strip() for name in re.findall(r"(?:\[[^\]]*\]|[^,\[]|\[)+", text) if name.strip())


def parse_seeds(text: str | None) -> frozenset[int] | None:
    """Parse seeds such as `0-9` or `0,1,5`.

    Raises:
        UsageError: The text has another form.
    """
    from lossbench.config.seeds import numbers

    try:
        return None if text is None else frozenset(numbers(text))
    except ValueError as error:
        raise UsageError(str(error), parameter="seeds") from error
