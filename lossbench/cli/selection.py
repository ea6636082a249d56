"""What the commands that select and group runs are told, as text, turned into what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossbench.errors import UsageError

if TYPE_CHECKING:
    from lossbench.analysis.result import Comparison
    from lossbench.runs.index import BrokenRun
    from lossbench.runs.rows import RunRow


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


def compared(
    paths: Iterable[Path],
    *,
    metrics: Iterable[str],
    where: str | None,
    seeds: frozenset[int] | None,
    baseline: str | None,
    rope: str | None,
    **asked: Any,
) -> tuple[Comparison, list[RunRow], list[BrokenRun]]:
    """The comparison of the runs selected, these runs, and the folders that could not be read.

    Args:
        paths: Run folders, or folders that hold them.
        metrics: Names of measures.
        where: A condition on runs.
        seeds: Which seeds; None: all.
        baseline: A label, an alias or a preset.
        rope: A size in the first measure's unit.
        **asked: What else a `Question` has.

    Raises:
        UsageError: One of them is none.
        NothingMatchedError: There is no run.
    """
    from lossbench.analysis import gate, loading
    from lossbench.analysis import where as conditions
    from lossbench.analysis.comparison import compare
    from lossbench.analysis.measure import measures_of, with_classes
    from lossbench.analysis.result import Question

    measures = measures_of(metrics)
    found, broken = loading.rows(paths)
    question = Question(
        measures=measures,
        baseline=label(baseline, found),
        rope=gate.parse_rope(rope, measures[0]) if rope else None,
        **asked,
    )
    rows = with_classes(conditions.select(found, condition=where, seeds=seeds), measures)
    return compare(rows, question), rows, broken


def label(name: str | None, rows: Sequence[RunRow]) -> str | None:
    """The label of a loss that is named by an alias or a preset; anything else as it is."""
    if name is None or any(name in {row["loss"], row["loss.name"]} for row in rows):
        return name
    from lossbench.losses import expression, registry

    return expression.label(expression.parse(name)) if name in registry.names() else name
