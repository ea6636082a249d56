"""What the commands that select and group runs are told, as text, turned into what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lossbench.errors import UsageError

if TYPE_CHECKING:
    from lossbench.runs.rows import Row


def keys(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(key.strip() for key in text.split(",") if key.strip())


def seeds(text: str) -> frozenset[int]:
    """Seeds such as `0-9` or `0,1,5`.

    Raises:
        UsageError: They are none.
    """
    from lossbench.config.sweep import numbers

    try:
        return frozenset(numbers(text))
    except ValueError as error:
        raise UsageError(f"--seeds: {error}") from error


def label(name: str | None, rows: Sequence[Row]) -> str | None:
    """The label of a loss that is named by an alias or a preset; anything else as it is."""
    if name is None or any(name in {row["loss"], row["loss.name"]} for row in rows):
        return name
    from lossbench.losses import registry

    return registry.label(registry.parse(name)) if name in registry.names() else name
