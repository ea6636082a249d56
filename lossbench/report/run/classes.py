"""The classes of one run: confusion counts and scores side by side, and the pairs that are confused most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.report import formatting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from rich.text import Text

    from lossbench.inspect.details import RunDetails

HEADERS = ("images", "prec.", "recall", "F1 %")
MOST_CLASSES = 20
MOST_PAIRS = 6


def render(sheet: RunDetails, width: int) -> Text:
    """The test set at the last epoch; empty where there are no results.

    The counts are left out where they do not fit the width, and of many classes only the worst are shown.
    """
    from rich.text import Text

    scores, counts = sheet.per_class.get("last"), sheet.confusion.get("last")
    if not scores:
        return Text()
    shown = sorted(sorted(scores, key=lambda row: row["f1"])[:MOST_CLASSES], key=lambda row: row["class"])
    lines = [_scores_only(shown)]
    if counts is not None and len(counts) == len(scores) == len(shown):
        lines.insert(0, _with_counts(shown, counts))
    fitting = next((each for each in lines if max(map(len, each)) <= width), lines[-1])
    title = "test set, last epoch"
    title += "; a row is a true class, a column what was predicted" if fitting is not lines[-1] else ""
    title += f"; the {len(shown)} worst of {len(scores)} classes" if len(shown) < len(scores) else ""
    text = Text(f"{title}\n", style="bold")
    text.append("\n".join(fitting), style="not bold")
    if counts is not None and (pairs := ", ".join(_confused(counts))):
        text.append("\n" + formatting.filled(f"most often confused: {pairs}", width, ", "), style="not bold")
    return text


def _scores_only(scores: Sequence[Mapping[str, Any]]) -> list[str]:
    return _aligned([["class", *HEADERS], *([_class(row), *_shares(row)] for row in scores)], gap="  ")


def _with_counts(scores: Sequence[Mapping[str, Any]], counts: NDArray[Any]) -> list[str]:
    """Counts, zeros as dots, then the scores of the row's class."""
    names = [_class(row) for row in scores]
    left = _aligned([["", *names], *([name, *_dotted(row)] for name, row in zip(names, counts, strict=True))], gap=" ")
    right = _aligned([[*HEADERS], *(_shares(row) for row in scores)], gap=" ")
    return [f"{first}  {second}" for first, second in zip(left, right, strict=True)]


def _aligned(rows: Sequence[Sequence[str]], gap: str) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [gap.join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _dotted(counts: NDArray[Any]) -> list[str]:
    return [str(count) if count else "·" for count in counts.tolist()]


def _class(row: Mapping[str, Any]) -> str:
    return f"{row['class']:.0f}"


def _shares(row: Mapping[str, Any]) -> list[str]:
    return [f"{row['support']:.0f}", *(f"{100 * row[name]:.1f}" for name in ("precision", "recall", "f1"))]


def _confused(counts: NDArray[Any]) -> Iterator[str]:
    """The largest counts off the diagonal: `4 as 9 (12)`."""
    wrong = [(-count, pair) for pair, count in _cells(counts) if pair[0] != pair[1] and count]
    for count, (true, predicted) in sorted(wrong)[:MOST_PAIRS]:
        yield f"{true} as {predicted} ({-count})"


def _cells(counts: NDArray[Any]) -> Iterator[tuple[tuple[int, int], int]]:
    for true, row in enumerate(counts.tolist()):
        for predicted, count in enumerate(row):
            yield (true, predicted), count
